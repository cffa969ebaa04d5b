"""YOLO as Ultralytics, Roboflow, Darknet and LabelImg leave it, whole and damaged."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from damage import images_or_refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.datasets.convert import convert
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import VocFolder, codes, lay, marks

pytestmark = pytest.mark.tiny

CAT_LINE = "0 0.5 0.5 0.25 0.5\n"  # of a photo of 64 x 48: 24, 12, 40, 36
CAT_BOX = [24, 12, 40, 36]
DATA = "train: train/images\nval: valid/images\nnc: 2\nnames: ['cat', 'dog']\n"


@pytest.mark.skipif(sys.platform == "win32", reason="backslashes separate folders there")
def test_backslashes_in_names_are_read_and_replaced(voc_folder: VocFolder, tmp_path: Path) -> None:
    root = voc_folder.root
    for name in ("a\\b", "\\c", "d\\n"):
        voc_folder.image(f"images/{name}.jpg")
        voc_folder.text(f"labels/{name}.txt", CAT_LINE)
    voc_folder.text("data.yaml", 'train: images\nnames: ["c\\\\t"]\n')
    dataset = formats.read(root)
    assert len(dataset) == len(dataset.boxes) == 3
    assert dataset.classes == ("c\\t",)
    for form in FORMATS:
        convert(root, tmp_path / form, form)  # reads the copy again, and compares
        assert not any("\\" in path.name for path in (tmp_path / form).rglob("*"))


def is_yolo(root: Path) -> bool:
    return FORMATS["yolo"].detect(Folder.scan(root))


# ---- layouts ----


@pytest.mark.parametrize(
    ("image", "label"),
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
def test_a_label_finds_its_image(voc_folder: VocFolder, image: str, label: str) -> None:
    root = lay(voc_folder, {image: "", label: CAT_LINE, "classes.txt": "cat\n"})
    assert is_yolo(root)
    dataset = formats.read(root)
    assert dataset.names == (image,)
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert dataset.classes == ("cat",)
    assert dataset.findings == ()


def test_labels_of_the_same_name_stay_with_their_images(voc_folder: VocFolder) -> None:
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


def test_images_without_label_file_show_nothing_as_ultralytics_has_it(
    voc_folder: VocFolder,
) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE}
    files |= {f"train/images/background {i}.jpg": "" for i in range(3)}
    files |= {"valid/images/v.jpg": ""}
    dataset = formats.read(lay(voc_folder, files))
    assert np.diff(dataset.offsets).tolist() == [1, 0, 0, 0, 0]
    (finding,) = dataset.findings
    assert (finding.code, finding.repair) == ("BW109", "taken as images without objects")
    assert finding.message.startswith("4 of 5 images have no label file")
    assert len(finding.images) == 4


def test_without_data_yaml_the_images_folder_vouches_for_them(voc_folder: VocFolder) -> None:
    files = {"images/a.jpg": "", "labels/a.txt": CAT_LINE, "images/b.jpg": "", "drafts/c.jpg": ""}
    dataset = formats.read(lay(voc_folder, files | {"labels/classes.txt": "cat"}))
    assert dataset.names == ("images/a.jpg", "images/b.jpg")
    assert codes(dataset) == ["BW109"]


def test_images_beside_labeled_ones_may_just_not_be_labeled_yet(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "a.txt": CAT_LINE, "b.jpg": "", "classes.txt": "cat\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.names == ("a.jpg",)
    (finding,) = dataset.findings
    assert (finding.code, finding.repair) == ("BW109", "not used")


def test_a_label_without_image_is_left_out(voc_folder: VocFolder) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": CAT_LINE}
    files |= {"train/labels/gone.txt": CAT_LINE, "train/labels/notes.txt": "ask Eve\n"}
    files |= {"valid/images/gone too.jpg": "", "valid/labels/gone too.txt": ""}
    dataset = formats.read(lay(voc_folder, files))
    assert [(f.code, f.where) for f in dataset.findings] == [("BW101", "train/labels/gone.txt")]


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
    images = []
    for i, mark in enumerate(splits):
        voc_folder.image(f"{i}.jpg")
        split = {"t": Split.TRAIN, "v": Split.VAL, "e": Split.TEST}.get(mark, Split.UNASSIGNED)
        boxes = [(1, 2, 3.3, 40.7)] * (i % 2)
        images.append(LabeledImage(f"{i}.jpg", 64, 48, boxes, ["hat: 'no'"] * (i % 2), (), split))
    dataset = Dataset.of(voc_folder.root, images, ["vest", "hat: 'no'"])
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


def test_images_that_lie_in_the_target_are_split_by_lists(voc_folder: VocFolder) -> None:
    dataset = written(voc_folder, "tv-", voc_folder.root)
    assert (voc_folder.root / "train.txt").read_text(encoding="utf-8") == "./0.jpg\n"
    assert (voc_folder.root / "0.txt").is_file()
    back = formats.read(voc_folder.root)
    assert back.splits.tolist() == dataset.splits.tolist()
    assert codes(back) == ["BW119"]
    np.testing.assert_allclose(back.boxes, dataset.boxes, atol=1e-4)


def test_an_image_that_no_list_can_name_is_refused(voc_folder: VocFolder) -> None:
    voc_folder.image("a\nb.jpg")
    image = LabeledImage("a\nb.jpg", 64, 48, split=Split.TRAIN)
    with pytest.raises(DataError, match="BW141"):
        formats.write(Dataset.of(voc_folder.root, [image]), voc_folder.root, "yolo")


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
        images = images_or_refusal(root)
    assert images in {None, ("train/images/a.jpg",)}
