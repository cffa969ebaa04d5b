"""YOLO as Ultralytics, Roboflow, Darknet and LabelImg leave it, whole and damaged."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.data.dataset import Dataset, Photo, Split
from boxwright.errors import DataError
from boxwright.formats import yolo
from boxwright.formats.folder import Folder
from folders import VocFolder, codes, lay, marks

pytestmark = pytest.mark.tiny

CAT_LINE = "0 0.5 0.5 0.25 0.5\n"  # of a photo of 64 x 48: 24, 12, 40, 36
CAT_BOX = [24, 12, 40, 36]
DATA = "train: train/images\nval: valid/images\nnc: 2\nnames: ['cat', 'dog']\n"


def is_yolo(root: Path) -> bool:
    return yolo.detect(Folder.scan(root))


# ---- layouts ----


@pytest.mark.parametrize(
    ("photo", "label"),
    [
        ("images/a.jpg", "labels/a.txt"),
        ("train/images/a.jpg", "train/labels/a.txt"),
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
        ("My set/Images/ä b.jpg", "My set/Labels/ä b.txt"),
        ("obj_train_data/a.jpg", "obj_train_data/a.txt"),
        ("a.jpg", "a.txt"),
        ("images/a.jpg", "images/a.txt"),
        ("photos/a.jpg", "annotations/a.txt"),
        ("images/a.v2.jpg", "labels/a.v2.txt"),
    ],
)
def test_a_label_finds_its_photo(voc_folder: VocFolder, photo: str, label: str) -> None:
    root = lay(voc_folder, {photo: "", label: CAT_LINE, "classes.txt": "cat\n"})
    assert is_yolo(root)
    dataset = formats.read(root)
    assert dataset.names == (photo,)
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert dataset.classes == ("cat",)
    assert dataset.findings == ()


def test_labels_of_the_same_name_stay_with_their_photos(voc_folder: VocFolder) -> None:
    files = {"classes.txt": "cat\ndog\n"}
    for day in ("day 1", "day 2", "train"):
        files |= {f"images/{day}/a.jpg": "", f"labels/{day}/a.txt": f"{day == 'day 2':d} .5 .5 1 1"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.names == ("images/day 1/a.jpg", "images/day 2/a.jpg", "images/train/a.jpg")
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog", "cat"]


def test_roboflows_export(voc_folder: VocFolder) -> None:
    root = lay(
        voc_folder,
        {
            "data.yaml": "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
            "nc: 1\nnames: ['hard hat']\n\nroboflow:\n  workspace: x\n  version: 8\n"
            "  url: https://universe.roboflow.com/x\n",
            "README.dataset.txt": "# hats > raw\nhttps://universe.roboflow.com/x\n",
            "README.roboflow.txt": "0 photos were changed\n",
            "train/images/a_jpg.rf.0180.jpg": "",
            "train/labels/a_jpg.rf.0180.txt": "0 0.5 0.5 0.25 0.5\n0 0.25 0.25 0.1 0.1",
            "valid/images/b_jpg.rf.0190.jpg": "",
            "valid/labels/b_jpg.rf.0190.txt": "",
            "test/images/c_jpg.rf.0200.jpg": "",
            "test/labels/c_jpg.rf.0200.txt": CAT_LINE,
        },
    )
    dataset = formats.read(root)
    assert marks(dataset) == {
        "test/images/c_jpg.rf.0200.jpg": "test",
        "train/images/a_jpg.rf.0180.jpg": "train",
        "valid/images/b_jpg.rf.0190.jpg": "val",
    }
    assert dataset.classes == ("hard hat",)
    assert np.diff(dataset.offsets).tolist() == [1, 2, 0]
    assert dataset.findings == ()


def test_darknets_folders(voc_folder: VocFolder) -> None:
    root = lay(
        voc_folder,
        {
            "obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/test.txt\n",
            "obj.names": "cat\ndog\n",
            "train.txt": "data/obj/a.jpg\n",
            "test.txt": "data/obj/b.jpg\n",
            "obj/a.jpg": "",
            "obj/a.txt": CAT_LINE,
            "obj/b.jpg": "",
            "obj/b.txt": "1 0.5 0.5 0.25 0.5\n",
        },
    )
    dataset = formats.read(root)
    assert marks(dataset) == {"obj/a.jpg": "train", "obj/b.jpg": "test"}
    assert dataset.classes == ("cat", "dog")
    assert dataset.findings == ()


def test_roboflows_darknet_export(voc_folder: VocFolder) -> None:
    files = {}
    for split in ("train", "valid"):
        files |= {f"{split}/_darknet.labels": "cat\ndog\n", f"{split}/a.jpg": ""}
        files |= {f"{split}/a.txt": CAT_LINE}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {"train/a.jpg": "train", "valid/a.jpg": "val"}
    assert dataset.classes == ("cat", "dog")


def test_labelimg_may_number_the_classes_of_each_folder_in_its_own_way(
    voc_folder: VocFolder,
) -> None:
    root = lay(
        voc_folder,
        {
            "monday/classes.txt": "dog\nperson\ncat\n",
            "monday/a.jpg": "",
            "monday/a.txt": "2 0.5 0.5 0.25 0.5\n",
            "tuesday/classes.txt": "cat\n",
            "tuesday/b.jpg": "",
            "tuesday/b.txt": CAT_LINE,
        },
    )
    dataset = formats.read(root)
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "cat"]
    assert dataset.classes == ("dog", "person", "cat")


def test_without_names_classes_are_called_after_their_numbers(voc_folder: VocFolder) -> None:
    labels = "".join(f"{n} 0.5 0.5 0.2 0.2\n" for n in (10, 2, 0))
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", "a.txt": labels}))
    assert dataset.classes == ("class 0", "class 2", "class 10")
    assert dataset.labels.tolist() == [2, 1, 0]
    assert codes(dataset) == ["BW148"]


@pytest.mark.parametrize("given_file", ["data.yaml", ""])
def test_a_data_yaml_stands_for_the_labels_around_it(
    voc_folder: VocFolder, given_file: str
) -> None:
    files = {"data.yaml": DATA, "other.yaml": "x: 1", "train/images/a.jpg": ""}
    root = lay(voc_folder, files | {"train/labels/a.txt": CAT_LINE, "valid/images/b.jpg": ""})
    dataset = formats.read(root / given_file)
    assert marks(dataset) == {"train/images/a.jpg": "train", "valid/images/b.jpg": "val"}
    assert dataset.boxes.tolist() == [CAT_BOX]


# ---- photos without labels ----


def test_photos_without_label_file_show_nothing_as_ultralytics_has_it(
    voc_folder: VocFolder,
) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE}
    files |= {f"train/images/background {i}.jpg": "" for i in range(3)}
    files |= {"valid/images/v.jpg": ""}
    dataset = formats.read(lay(voc_folder, files))
    assert np.diff(dataset.offsets).tolist() == [1, 0, 0, 0, 0]
    (finding,) = dataset.findings
    assert (finding.code, finding.repair) == ("BW109", "taken as showing nothing")
    assert finding.message.startswith("4 of 5 photos have no label file")
    assert len(finding.photos) == 4


def test_without_data_yaml_the_images_folder_vouches_for_them(voc_folder: VocFolder) -> None:
    files = {"images/a.jpg": "", "labels/a.txt": CAT_LINE, "images/b.jpg": "", "drafts/c.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"labels/classes.txt": "cat"}))
    assert dataset.names == ("images/a.jpg", "images/b.jpg")
    assert codes(dataset) == ["BW109"]


def test_photos_beside_labelled_ones_may_just_not_be_labelled_yet(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "a.txt": CAT_LINE, "b.jpg": "", "classes.txt": "cat\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.names == ("a.jpg",)
    (finding,) = dataset.findings
    assert (finding.code, finding.repair) == ("BW109", "not used")


def test_a_label_without_photo_is_left_out(voc_folder: VocFolder) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE}
    files |= {"train/labels/gone.txt": CAT_LINE, "train/labels/notes.txt": "ask Eve\n"}
    files |= {"valid/images/gone too.jpg": "", "valid/labels/gone too.txt": ""}
    dataset = formats.read(lay(voc_folder, files))
    assert [(f.code, f.where) for f in dataset.findings] == [("BW101", "train/labels/gone.txt")]


# ---- lines ----


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0\t0.5  0.5\t0.25 0.5  ", CAT_BOX),
        ("\ufeff0 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0.0 5e-1 .5 0.25 0.5", CAT_BOX),
        ("0.000000000000000000e+00 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 0.93", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 17", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 0.93 17", CAT_BOX),
        ("0 0.5 0.5 1.0000001 1", [0, 0, 64, 48]),
        ("0 0.5 0.5 0 0", [32, 24, 32, 24]),
        ("0 0.95 0.5 0.25 0.5", [52.8, 12, 68.8, 36]),
    ],
)
def test_lines_of_boxes(voc_folder: VocFolder, line: str, box: list[float]) -> None:
    root = lay(voc_folder, {"a.jpg": "", "a.txt": line, "classes.txt": "cat"})
    dataset = formats.read(root)
    np.testing.assert_allclose(dataset.boxes, [box], atol=1e-4)
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.25 0.25 0.75 0.25 0.5 0.75", [16, 12, 48, 36]),
        ("0 0.25 0.25 0.75 0.25 0.5 0.75 0.5 1", [16, 12, 48, 48]),
        ("0 0.25 0.25 0.75 0.25 0.5 0.75 0.5 1 0.5 0.5 0.9", [16, 12, 48, 48]),
        ("0 0.5 0.25 0.75 0.5 0.5 0.75 0.25 0.5", [16, 12, 48, 36]),
    ],
)
def test_shapes_become_the_boxes_around_them(
    voc_folder: VocFolder, line: str, box: list[float]
) -> None:
    files = {"a.jpg": "", "a.txt": f"{line}\n{line}\n{CAT_LINE}", "classes.txt": "cat"}
    dataset = formats.read(lay(voc_folder, files))
    np.testing.assert_allclose(dataset.boxes, [box, box, CAT_BOX], atol=1e-4)
    (finding,) = dataset.findings
    assert (finding.code, finding.message) == ("BW143", "2 labels are shapes")


def test_key_points_are_not_a_shape(voc_folder: VocFolder) -> None:
    files = {"data.yaml": f"{DATA}kpt_shape: [2, 3]\n", "train/images/a.jpg": ""}
    files |= {"train/labels/a.txt": "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.9 0.9 1\n"}
    dataset = formats.read(lay(voc_folder, files | {"valid/images/b.jpg": ""}))
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert "BW143" not in codes(dataset)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (f"{CAT_LINE}\n2 0.5 0.5 0.1 0.1\n", ":3", "class 2 is not among the 2 of data.yaml"),
        ("-1 0.5 0.5 0.1 0.1", ":1", "'-1' is not a class number"),
        ("cat 0.5 0.5 0.1 0.1", ":1", "'cat' is not a class number"),
        ("0.5 0.5 0.5 0.1 0.1", ":1", "'0.5' is not a class number"),
        ("0 0.5 0.5 0.1", ":1", "has 3 numbers after the class, not 4"),
        ("0", ":1", "has 0 numbers"),
        ("0 0.5 wide 0.1 0.1", ":1", "'wide' is not a coordinate"),
        ("0 0,5 0,5 0,1 0,1", ":1", "'0,5' is not a coordinate"),
        ("0 nan 0.5 0.1 0.1", ":1", "'nan' is not a coordinate"),
        ("0 0.5 0.5 -0.1 0.1", ":1", "negative size, -0.1 x 0.1"),
        ("0 320 240 100 80", ":1", "320 is not a fraction of the photo's side; are these pixels"),
        ("0 0.1 0.1 320 240 0.5 0.6", ":1", "320 is not a fraction"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    voc_folder: VocFolder, text: str, where: str, message: str
) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": text}
    root = lay(voc_folder, files | {"valid/images/b.jpg": ""})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    assert caught.value.code == "BW110"
    assert caught.value.where == f"{root}/train/labels/a.txt{where}"
    assert message in caught.value.message
    tolerated = formats.read(root, tolerant=True)
    assert tolerated.names == ("valid/images/b.jpg",)


def test_a_label_file_that_is_no_text_is_named(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": ""})
    (root / "train/labels/a.txt").write_bytes(b"\xff\xfe0\x00 \x00")
    with pytest.raises(DataError, match=r"BW110.*cannot be read"):
        formats.read(root)


# ---- data.yaml ----


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[cat, dog]", ("cat", "dog")),
        ("{0: cat, 1: dog}", ("cat", "dog")),
        ("\n  0: cat\n  7: dog", ("cat", "dog")),
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
    for split, photo in ALL_THREE.items():
        files |= {f"images/{split}/{photo}.jpg": "", f"labels/{split}/{photo}.txt": CAT_LINE}
    files |= {"lists/first.txt": "./images/train/a.jpg\n"}
    files |= {"lists/second.txt": "C:\\Users\\cats\\images\\val\\b.jpg\r\n\r\n"}
    dataset = formats.read(lay(voc_folder, files))
    expected = {f"images/{split}/{photo}.jpg": split for split, photo in ALL_THREE.items()}
    assert marks(dataset) == expected
    assert dataset.findings == ()


def test_lists_split_photos_of_one_folder(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: hats_train.txt\nval: hats_val.txt\nnames: [hat]\n"}
    files |= {"hats_train.txt": "images/a.jpg\nimages/gone.jpg\n", "hats_val.txt": "images/b.jpg"}
    for photo in "abc":
        files |= {f"images/{photo}.jpg": "", f"labels/{photo}.txt": CAT_LINE}
    dataset = formats.read(lay(voc_folder, files))
    assert marks(dataset) == {
        "images/a.jpg": "train",
        "images/b.jpg": "val",
        "images/c.jpg": "unmarked",
    }
    assert codes(dataset) == ["BW117", "BW119"]
    assert "images/gone.jpg" in dataset.findings[0].message


def test_a_split_that_is_not_here_never_takes_the_photos_of_all(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\ntest: /data/test/images\nnames: [cat]\n"}
    dataset = formats.read(lay(voc_folder, files | {"images/a.jpg": "", "labels/a.txt": CAT_LINE}))
    assert marks(dataset) == {"images/a.jpg": "train"}
    (finding,) = dataset.findings
    assert finding.code == "BW117"
    assert finding.message == "test: '/data/test/images' leads to no photo here"


def test_train_and_val_may_be_the_same_photos(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\nval: images\nnames: [cat]\n"}
    dataset = formats.read(lay(voc_folder, files | {"images/a.jpg": "", "labels/a.txt": CAT_LINE}))
    assert marks(dataset) == {"images/a.jpg": "unmarked"}
    assert [(f.code, f.message) for f in dataset.findings] == [
        ("BW118", "train and val are the same photos")
    ]


def test_a_photo_in_two_splits_is_kept_from_training(voc_folder: VocFolder) -> None:
    files = {"data.yaml": "train: images\nval: images/val\nnames: [cat]\n"}
    for photo in ("a", "val/b"):
        files |= {f"images/{photo}.jpg": "", f"labels/{photo}.txt": CAT_LINE}
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
        ("train: images\nnames: {cat: 0}\n", "", "names has the key 'cat'"),
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


def test_a_description_without_its_photos_says_so(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"data.yaml": DATA})
    with pytest.raises(DataError, match="no photo of it is here") as caught:
        formats.read(root)
    assert caught.value.code == "BW101"
    assert caught.value.where == str(root / "data.yaml")


def test_a_description_without_labels_does_not_make_all_photos_empty(
    voc_folder: VocFolder,
) -> None:
    root = lay(voc_folder, {"data.yaml": DATA, "train/images/a.jpg": ""})
    with pytest.raises(DataError, match="no label file of it is here") as caught:
        formats.read(root)
    assert caught.value.code == "BW114"
    lay(voc_folder, {"train/images/a.json": "{}", "README.txt": "labelled with LabelMe"})
    assert not is_yolo(root)


# ---- what is not YOLO ----


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "numpy\n", "README.dataset.txt": "0 0.5 0.5 0.1 0.1 of what\n"},
        {"ImageSets/Main/train.txt": "a\n", "ImageSets/Main/cat_train.txt": "a  1\n"},
        {"a.txt": "a photo of a cat, sitting\n"},
        {"label_2/a.txt": "Car 0.00 0 -1.57 12.0 10.0 40.0 30.0 1.5 1.6 3.9 1.8 1.5 8.4 -1.6\n"},
        {"Label/a.txt": "Apple 0.0 0.0 38.2 29.2\n"},
        {"environment.yml": "name: cats\ndependencies:\n- python\n"},
        {"yolov5s.yaml": "nc: 80\nanchors:\n- [10,13, 16,30]\nbackbone: []\n"},
        {"config.yaml": "names: [cat]\n"},
        {"b.txt": CAT_LINE},
        {"a.txt": ""},
    ],
)
def test_files_of_others_are_not_taken_for_yolo(
    voc_folder: VocFolder, files: dict[str, str]
) -> None:
    assert not is_yolo(lay(voc_folder, {"a.jpg": "", **files}))


# ---- writing ----


def written(voc_folder: VocFolder, splits: str, target: Path) -> Dataset:
    photos = []
    for i, mark in enumerate(splits):
        voc_folder.photo(f"{i}.jpg")
        split = {"t": Split.TRAIN, "v": Split.VAL, "e": Split.TEST}.get(mark, Split.UNMARKED)
        boxes = [(1, 2, 3.3, 40.7)] * (i % 2)
        photos.append(Photo(f"{i}.jpg", 64, 48, boxes, ["hat: 'no'"] * (i % 2), (), split))
    dataset = Dataset.of(voc_folder.root, photos, ["vest", "hat: 'no'"])
    formats.write(dataset, target, "yolo")
    return dataset


def test_written_as_ultralytics_reads_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    target = tmp_path / "out"
    written(voc_folder, "ttve", target)
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()) == [
        "data.yaml",
        "images/test/3.jpg",
        "images/train/0.jpg",
        "images/train/1.jpg",
        "images/val/2.jpg",
        "labels/test/3.txt",
        "labels/train/0.txt",
        "labels/train/1.txt",
        "labels/val/2.txt",
    ]
    assert (target / "data.yaml").read_text(encoding="utf-8") == (
        "train: images/train\nval: images/val\ntest: images/test\nnc: 2\n"
        "names:\n- vest\n- 'hat: ''no'''\n"
    )
    assert (target / "labels/train/0.txt").read_text(encoding="utf-8") == ""
    line = (target / "labels/train/1.txt").read_text(encoding="utf-8")
    assert line == "1 0.0335937496 0.4447916746 0.0359374993 0.8062500159\n"


def test_photos_that_lie_in_the_target_are_split_by_lists(voc_folder: VocFolder) -> None:
    dataset = written(voc_folder, "tv-", voc_folder.root)
    assert (voc_folder.root / "train.txt").read_text(encoding="utf-8") == "./0.jpg\n"
    assert (voc_folder.root / "0.txt").is_file()
    back = formats.read(voc_folder.root)
    assert back.splits.tolist() == dataset.splits.tolist()
    assert codes(back) == ["BW119"]
    np.testing.assert_allclose(back.boxes, dataset.boxes, atol=1e-4)


def test_a_photo_that_no_list_can_name_is_refused(voc_folder: VocFolder) -> None:
    voc_folder.photo("a\nb.jpg")
    photo = Photo("a\nb.jpg", 64, 48, split=Split.TRAIN)
    with pytest.raises(DataError, match="BW141"):
        formats.write(Dataset.of(voc_folder.root, [photo]), voc_folder.root, "yolo")


# ---- real and damaged ----


@pytest.mark.shared
@pytest.mark.parametrize("given_file", ["", "data.yaml", "custom_hard_hat.yaml"])
def test_hard_hats(shared: Path, given_file: str) -> None:
    dataset = formats.read(shared / "data" / "hardhat" / given_file)
    assert (len(dataset), len(dataset.boxes)) == (260, 739)
    assert dataset.classes == ("hardhat",)
    assert np.bincount(dataset.splits).tolist() == [200, 60]
    assert int((np.diff(dataset.offsets) == 0).sum()) == 25
    odd = [(f.code, f.where) for f in dataset.findings]
    assert odd == ([] if given_file == "data.yaml" else [("BW117", "custom_hard_hat.yaml")])


@pytest.mark.shared
def test_hard_hats_survive_being_written(shared: Path, tmp_path: Path) -> None:
    read = formats.read(shared / "data" / "hardhat")
    few = read.select(np.arange(0, len(read), 9))
    formats.write(few, tmp_path / "copy", "yolo")
    back = formats.read(tmp_path / "copy")
    assert [Path(name).name for name in back.names] == [Path(name).name for name in few.names]
    assert back.splits.tolist() == few.splits.tolist()
    np.testing.assert_allclose(back.boxes, few.boxes, atol=1e-4)


SOUND = {"data.yaml": DATA.encode(), "train/labels/a.txt": CAT_LINE.encode() * 2}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(SOUND)), st.integers(0, 70), st.integers(0, 40), st.binary(max_size=8)
)
def test_damage_of_any_kind_is_an_error_with_a_code_or_harmless(
    name: str, at: int, length: int, instead: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "train/images").mkdir(parents=True)
        (root / "train/labels").mkdir()
        Image.new("RGB", (64, 48)).save(root / "train/images/a.jpg")
        for path, content in SOUND.items():
            damaged = content[:at] + instead + content[at + length :]
            (root / path).write_bytes(damaged if path == name else content)
        try:
            outcome: Dataset | DataError = formats.read(root)
        except DataError as error:
            outcome = error
    if isinstance(outcome, DataError):
        assert outcome.code in {"BW101", "BW110", "BW112", "BW114"}
        assert outcome.where
        assert outcome.remedy
    else:
        assert outcome.names == ("train/images/a.jpg",)
