"""YOLO's data.yaml: class names, and which images are for what."""

from __future__ import annotations

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from folders import VocFolder, codes, lay, marks

pytestmark = pytest.mark.tiny

CAT_LINE = "0 0.5 0.5 0.25 0.5\n"  # of a photo of 64 x 48: 24, 12, 40, 36
DATA = "train: train/images\nval: valid/images\nnc: 2\nnames: ['cat', 'dog']\n"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[cat, dog]", ("cat", "dog")),
        ("{0: cat, 1: dog}", ("cat", "dog")),
        ("\n  0: cat\n  7: dog", ("cat", "dog")),
        ("{cat: 0, dog: 1}", ("cat", "dog")),
        ("\n  dog: 1\n  cat: 0", ("cat", "dog")),
        ("{cat: 0, 7: 1}", ("cat", "7")),
        ("{0: 7, 1: 8}", ("7", "8")),
        ("\n- cat\n- dog", ("cat", "dog")),
        ("\n  - 'no'\n  - 'it''s'", ("no", "it's")),
        ("[no, 007]", ("no", "007")),
        ("[1e3, 2024-01-01]", ("1e3", "2024-01-01")),
        ("['ハンマー', \"\\u00e4\"]", ("ハンマー", "ä")),
        ("[cat, cat]", ("cat",)),
    ],
)
def test_class_names(voc_folder: VocFolder, names: str, expected: tuple[str, ...]) -> None:
    files = {"data.yaml": f"train: images\nnames: {names}\n", "images/a.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"labels/a.txt": CAT_LINE}))
    assert dataset.classes == expected
    assert dataset.classes[dataset.labels[0]] == expected[0]


@pytest.mark.parametrize(
    "names",
    [
        "classes: [cat, dog]",
        "classes:\n  0: cat\n  1: dog",
        "classes: {cat: 0, dog: 1}",
        "class_names:\n  dog: 1\n  cat: 0",
        "class_names:\n- cat\n- dog",
        "names: of animals\nclasses: [cat, dog]",
        "classes: 2\nnames: [cat, dog]",
    ],
)
@pytest.mark.parametrize("rest", ["train: images\n", "nc: 2\n", "path: .\ntrain: images\nval: x\n"])
def test_names_may_be_under_another_key(voc_folder: VocFolder, names: str, rest: str) -> None:
    files = {"data.yaml": f"{rest}{names}\n", "images/a.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"labels/a.txt": CAT_LINE}))
    assert dataset.classes == ("cat", "dog")
    assert not {*codes(dataset)} & {"BW148", "BW158"}


@pytest.mark.parametrize("rest", ["", "task: detect\nval: true\n", "nc: 2\nval: images\n"])
def test_numbers_of_chosen_classes_are_no_names(voc_folder: VocFolder, rest: str) -> None:
    """As Ultralytics has them in args.yaml."""
    files = {"images/a.jpg": "", "labels/a.txt": CAT_LINE, "classes.txt": "cat\ndog\n"}
    files["args.yaml"] = f"{rest}classes: [0, 1]\n"
    assert formats.read(lay(voc_folder, files)).classes == ("cat", "dog")


@pytest.mark.parametrize(
    "text",
    [
        "classes: [bus, car]\ntrain:\n  lr: 0.1\n",
        "classes: [bus]\npath: /mnt\n",
        "classes: [bus]\ntrain: true\nval: 0.2\n",
        "classes:\n- name: bus\n- name: car\ntest: yes\n",
        "classes: *all\n",
        "classes: {{ classes }}\n",
        "classes: [bus]\n---\nseed: 3\n",
        "model:\n  names: x\nclasses: [bus]\ntrain: {lr: 1}\n",
        "class_names: [bus, car]\nval:\n- [1, 2]\n",
    ],
)
@pytest.mark.parametrize("names", ["classes.txt", "data.yaml"])
def test_settings_of_other_programs_are_passed_over(
    voc_folder: VocFolder, text: str, names: str
) -> None:
    files = {"images/a.jpg": "", "labels/a.txt": CAT_LINE, "config.yaml": text}
    files[names] = "cat\ndog\n" if names == "classes.txt" else "path: .\nnames: [cat, dog]\n"
    dataset = formats.read(lay(voc_folder, files))
    assert (dataset.classes, dataset.findings) == (("cat", "dog"), ())


def test_usual_names_are_preferred_to_other_ones_beside_them(voc_folder: VocFolder) -> None:
    files = {"images/a.jpg": "", "labels/a.txt": CAT_LINE}
    files |= {"data.yaml": "train: images\nnames: [cat]\n"}
    files |= {"config.yaml": "train: /data/1\nclasses: [background, cat]\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert (dataset.classes, dataset.findings) == (("cat",), ())


ALL_THREE = {"train": "a", "val": "b", "test": "c"}


@pytest.mark.parametrize(
    "text",
    [
        "train: images/train\nval: images/val\ntest: images/test\n",
        "train: ./images/train/\nval: images/val/\ntest: images/test\n",
        "path: .\ntrain: images/train\nval: images/val\ntest: images/test\n",
        "path: ../datasets/cats\ntrain: images/train\nval: images/val\ntest: images/test\n",
        "path: /content/cats\ntrain: images/train\nval: images/val\ntest: images/test\n",
        "train: ../images/train\nval: ../images/val\ntest: ../images/test\n",
        "train: /home/eve/cats/images/train\nval: /home/eve/cats/images/val\n"
        "test: /home/eve/cats/images/test\n",
        "train: C:\\Users\\My cats\\images\\train\nval: C:\\Users\\My cats\\images\\val\n"
        "test: 'D:\\images\\test'\n",
        "train: [images/train]\nval:\n- images/val\ntest: images/test/c.jpg\n",
        "train: lists/first.txt\nval: [lists/second.txt]\ntest: images/test\n",
    ],
)
def test_splits(voc_folder: VocFolder, text: str) -> None:
    files = {"data.yaml": f"{text}names: [cat]\n"}
    for split, image in ALL_THREE.items():
        files |= {f"images/{split}/{image}.jpg": "", f"labels/{split}/{image}.txt": CAT_LINE}
    files |= {"lists/first.txt": "./images/train/a.jpg\n"}
    files |= {"lists/second.txt": "C:\\Users\\cats\\images\\val\\b.jpg\r\n\r\n"}
    dataset = formats.read(lay(voc_folder, files))
    expected = {f"images/{split}/{image}.jpg": split for split, image in ALL_THREE.items()}
    assert marks(dataset) == expected
    assert dataset.findings == ()


def test_lists_split_images_of_one_folder(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: hats_train.txt\nval: hats_val.txt\nnames: [hat]\n"}
    files |= {"hats_train.txt": "images/a.jpg\nimages/gone.jpg\n", "hats_val.txt": "images/b.jpg"}
    for image in "abc":
        files |= {f"images/{image}.jpg": "", f"labels/{image}.txt": CAT_LINE}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {
        "images/a.jpg": "train",
        "images/b.jpg": "val",
        "images/c.jpg": "unassigned",
    }
    assert codes(dataset) == ["BW117", "BW119"]
    assert "images/gone.jpg" in dataset.findings[0].message


def test_a_split_that_is_not_here_never_takes_the_images_of_all(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\ntest: /data/test/images\nnames: [cat]\n"}
    dataset = formats.read(lay(voc_folder, files | {"images/a.jpg": "", "labels/a.txt": CAT_LINE}))
    assert marks(dataset) == {"images/a.jpg": "train"}
    (finding,) = dataset.findings
    assert finding.code == "BW117"
    assert finding.message == "test: '/data/test/images' matches no image here"


def test_train_and_val_may_be_the_same_images(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\nval: images\nnames: [cat]\n"}
    dataset = formats.read(lay(voc_folder, files | {"images/a.jpg": "", "labels/a.txt": CAT_LINE}))
    assert marks(dataset) == {"images/a.jpg": "unassigned"}
    assert [(f.code, f.message) for f in dataset.findings] == [
        ("BW118", "train and val are the same images")
    ]


def test_an_image_in_two_splits_is_kept_from_training(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\nval: images/val\nnames: [cat]\n"}
    for image in ("a", "val/b"):
        files |= {f"images/{image}.jpg": "", f"labels/{image}.txt": CAT_LINE}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {"images/a.jpg": "train", "images/val/b.jpg": "val"}
    assert codes(dataset) == ["BW118"]


def test_several_descriptions_that_agree(voc_folder: VocFolder) -> None:
    files = {"data.yaml": DATA, "custom.yaml": "names:\n- cat\n- dog\nnc: 2\ntrain: train/images\n"}
    files |= {"train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE, "valid/images/b.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"valid/labels/b.txt": ""}))
    assert marks(dataset) == {"train/images/a.jpg": "train", "valid/images/b.jpg": "val"}
    assert dataset.findings == ()


def test_descriptions_that_contradict_each_other_are_refused(voc_folder: VocFolder) -> None:
    files = {"data.yaml": DATA, "old.yaml": DATA.replace("cat", "dog")}
    root = lay(voc_folder, files | {"train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE})
    with pytest.raises(DataError, match=r"class 0 is 'dog', but 'cat' in data\.yaml") as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(root / "old.yaml")


def test_data_sets_side_by_side_keep_their_names(voc_folder: VocFolder) -> None:
    files = {}
    for name in ("cat", "dog"):
        files |= {f"{name}/data.yaml": f"train: images\nnames: [{name}]\n"}
        files |= {f"{name}/images/a.jpg": "", f"{name}/labels/a.txt": CAT_LINE}
    dataset = formats.read(lay(voc_folder, files))
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog"]
    assert set(marks(dataset).values()) == {"train"}


def test_a_list_of_classes_that_says_otherwise_is_not_used(voc_folder: VocFolder) -> None:
    files = {"data.yaml": DATA, "train/labels/classes.txt": "dog\ncat\n", "valid/images/b.jpg": ""}
    files |= {"train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE, "valid/labels/b.txt": ""}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.classes[dataset.labels[0]] == "cat"
    assert [(f.code, f.repair) for f in dataset.findings] == [("BW116", "not used")]


def test_a_wrong_count_of_classes_is_told(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\nnc: 3\nnames: [cat]\n", "images/a.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"labels/a.txt": CAT_LINE}))
    assert codes(dataset) == ["BW116"]
    assert dataset.classes == ("cat",)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("train: images\nnames: [cat\n", ":3", "is not well-formed YAML"),
        ("names: [cat]\ntrain: 'images\n", ":3", "is not well-formed YAML"),
        ("names:\n\t- cat\ntrain: images\n", ":2", "is not well-formed YAML"),
        ('train: "C:\\data"\nnames: [cat]\n', ":1", "unknown escape character"),
        ("train: images\nnames: cat\n", "", "names is neither a list nor a mapping"),
        ("train: images\nnames: {cat: dog}\n", "", "names has the key 'cat'"),
        ("train: images\nnames: {cat: 0, dog: one}\n", "", "names has the key 'cat'"),
        ("train: images\nnames: {cat: 0, dog: 0}\n", "", "two names for one class number"),
        ("train: images\nnames: [[cat]]\n", "", "the name of class 0 is not text"),
        ("train: {a: b}\nnames: [cat]\n", "", "train is neither a path nor a list of paths"),
        (f"{LAUGHS}train: images\nnames: *i\n", "", "the name of class 0 is not text"),
        (f"{LAUGHS}train: *i\nnames: [cat]\n", "", "train is neither a path"),
        ("train: images\nnames: " + "[" * 5000, "", "is nested too deeply"),
        ("? [a]\n: b\nnames: [cat]\ntrain: images\n", ":1", "unhashable"),
        ("train: images\nnames: [" + "cat, " * 300_000 + "]", "", "is too long"),
    ],
)
def test_a_description_that_cannot_be_used_is_named(
    voc_folder: VocFolder, text: str, where: str, message: str
) -> None:
    root = lay(voc_folder, {"data.yaml": text, "images/a.jpg": "", "labels/a.txt": CAT_LINE})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/data.yaml{where}"
    assert message in caught.value.message


@pytest.mark.parametrize(
    "line",
    [
        "x: !!python/object/apply:os.system ['touch {root}/harm']",
        "x: !!python/object/new:os.system ['touch {root}/harm']",
        "x: !!python/name:os.system",
        "<<: [{a: b}, {c: d}]",
        "download: |\n  import os; os.system('touch {root}/harm')",
    ],
)
def test_a_description_runs_nothing(voc_folder: VocFolder, line: str) -> None:
    text = line.replace("{root}", str(voc_folder.root))
    files = {"data.yaml": f"names: [cat]\ntrain: images\n{text}\n", "images/a.jpg": ""}
    root = lay(voc_folder, files | {"labels/a.txt": CAT_LINE})
    assert formats.read(root).classes == ("cat",)
    assert not (root / "harm").exists()


def test_a_description_without_its_images_says_so(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"data.yaml": DATA})
    with pytest.raises(DataError, match="its images are missing") as caught:
        formats.read(root)
    assert caught.value.code == "BW101"
    assert caught.value.where == str(root / "data.yaml")


def test_a_description_without_labels_does_not_make_all_images_empty(
    voc_folder: VocFolder,
) -> None:
    root = lay(voc_folder, {"data.yaml": DATA, "train/images/a.jpg": ""})
    with pytest.raises(DataError, match="its label files are missing") as caught:
        formats.read(root)
    assert caught.value.code == "BW114"
    lay(voc_folder, {"train/images/a.json": "{}", "README.txt": "labelled with LabelMe"})
    assert not FORMATS["yolo"].detect(Folder.scan(root))
