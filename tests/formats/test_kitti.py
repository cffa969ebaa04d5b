"""KITTI's labels of objects: fifteen columns, and regions that nobody labeled."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.formats.kitti import is_line
from boxwright.structures.dataset import OCCLUDED, TRUNCATED, Dataset, LabeledImage, Split
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny

CAT = "Cat 0.00 0 -1.57 4.00 6.00 30.50 40.00 1.57 1.73 4.15 1.00 1.75 13.22 1.62\n"
TAO = "cat 0.00 0 0.00 4.00 6.00 30.50 40.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00\n"
NUMBER = "0 0.00 0 0.00 4.00 6.00 30.50 40.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00\n"
IGNORED = "DontCare -1 -1 -10 1.00 2.00 9.50 10.00 -1 -1 -1 -1000 -1000 -1000 -10\n"
POLYGON = "0 0.1 0 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 0.1 0.2 0.3 0.4\n"  # YOLO's, with 7 corners


def read(folder: VocFolder, text: str) -> Dataset:
    folder.image("training/image_2/000001.png")
    folder.text("training/label_2/000001.txt", text)
    return formats.read(folder.root)


@pytest.mark.parametrize(
    ("line", "name"),
    [(CAT, "Cat"), (TAO, "cat"), (NUMBER, "0"), (CAT.replace("1.62", "1.62 0.97"), "Cat")],
)
def test_a_line_is_a_box(voc_folder: VocFolder, line: str, name: str) -> None:
    dataset = read(voc_folder, line)
    assert dataset.boxes.tolist() == [[4, 6, 30.5, 40]]
    assert (dataset.classes, dataset.flags.tolist(), codes(dataset)) == ((name,), [0], [])
    assert detected(voc_folder) == ["kitti"]


@pytest.mark.parametrize(
    ("truncated", "occluded", "flags"),
    [
        ("0.00", "0", 0),
        ("0.32", "0", TRUNCATED),
        ("0.00", "1", OCCLUDED),
        ("1", "2", TRUNCATED | OCCLUDED),
        ("0.00", "3", 0),
        ("-1", "-1", 0),
    ],
)
def test_flags(voc_folder: VocFolder, truncated: str, occluded: str, flags: int) -> None:
    dataset = read(voc_folder, CAT.replace("0.00 0", f"{truncated} {occluded}", 1))
    assert dataset.flags.tolist() == [flags]


@pytest.mark.parametrize("text", [CAT + IGNORED, IGNORED + CAT, IGNORED.lower() + CAT])
def test_regions_that_nobody_labeled_are_ignored(voc_folder: VocFolder, text: str) -> None:
    dataset = read(voc_folder, text)
    assert dataset.boxes.tolist() == [[4, 6, 30.5, 40]]
    assert dataset.ignored.tolist() == [[1, 2, 9.5, 10]]
    assert (dataset.classes, codes(dataset)) == (("Cat",), [])
    assert dataset.ignored_in(0).tolist() == [[1, 2, 9.5, 10]]


def test_ignored_regions_stay_with_their_image(voc_folder: VocFolder) -> None:
    voc_folder.image("image_2/000000.jpg")
    voc_folder.text("label_2/000000.txt", CAT)
    voc_folder.image("image_2/000001.jpg")
    voc_folder.text("label_2/000001.txt", IGNORED)
    dataset = formats.read(voc_folder.root)
    assert dataset.image_of_ignored.tolist() == [1]
    assert len(dataset.select([0]).ignored) == 0


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("training/image_2/000001.png", "training/label_2/000001.txt"),
        ("images/000001.png", "labels/000001.txt"),
        ("data/000001.png", "labels/000001.txt"),
        ("image_2/000001.png", "label_2/000001.txt"),
        ("000001.jpg", "000001.txt"),
        ("train/images/a b.jpg", "train/labels/a b.txt"),
    ],
)
def test_a_label_finds_its_image(voc_folder: VocFolder, image: str, label: str) -> None:
    voc_folder.image(image)
    voc_folder.text(label, CAT)
    dataset = formats.read(voc_folder.root)
    assert (dataset.names, codes(dataset)) == ((image,), [])
    assert detected(voc_folder) == ["kitti"]


def test_the_image_is_the_left_cameras(voc_folder: VocFolder) -> None:
    for folder in ("image_3", "prev_2"):
        voc_folder.image(f"training/{folder}/000001.png")
    assert read(voc_folder, CAT).names == ("training/image_2/000001.png",)


def test_frames_of_one_name_belong_to_their_folders(voc_folder: VocFolder) -> None:
    for folder, name in (("one", "Cat"), ("two", "Dog")):
        voc_folder.image(f"{folder}/image_2/000001.png")
        voc_folder.text(f"{folder}/label_2/000001.txt", CAT.replace("Cat", name))
    dataset = formats.read(voc_folder.root)
    found = [dataset.classes[label] for label in dataset.labels]
    assert dict(zip(dataset.names, found, strict=True)) == {
        "one/image_2/000001.png": "Cat",
        "two/image_2/000001.png": "Dog",
    }


def test_lists_are_splits(voc_folder: VocFolder) -> None:
    for i, split in enumerate(("train", "val")):
        voc_folder.image(f"training/image_2/00000{i}.png")
        voc_folder.text(f"training/label_2/00000{i}.txt", CAT)
        voc_folder.text(f"ImageSets/{split}.txt", f"00000{i}\n")
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {
        "training/image_2/000000.png": "train",
        "training/image_2/000001.png": "val",
    }


def test_an_empty_file_is_an_image_without_objects(voc_folder: VocFolder) -> None:
    voc_folder.image("training/image_2/000002.png")
    voc_folder.text("training/label_2/000002.txt", "\n")
    dataset = read(voc_folder, CAT)
    assert (len(dataset), len(dataset.boxes), codes(dataset)) == (2, 1, [])


def test_notes_beside_labels_are_not_labels(voc_folder: VocFolder) -> None:
    voc_folder.text("training/label_2/readme.txt", "made by me\n")
    assert len(read(voc_folder, CAT)) == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{CAT}Cat 0.00 0 -1.57 4.00\n", 2, "has 5 columns instead of 15"),
        ("made by me\n", 1, "has 3 columns instead of 15"),
        (CAT + CAT.replace("6.00", "top"), 2, "'top' is not a coordinate"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(
    voc_folder: VocFolder, text: str, line: int, message: str
) -> None:
    voc_folder.image("training/image_2/000002.png")
    voc_folder.text("training/label_2/000002.txt", text)
    with pytest.raises(DataError) as caught:
        read(voc_folder, CAT)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"training/label_2/000002.txt:{line}")
    assert message in caught.value.message


# ---- other text files ----


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("0 0.5 0.5 0.25 0.25\n", "yolo"),
        (POLYGON, "yolo"),
        ("Cat 4 6 30 40\n", "openimages"),
        ("Big Cat 4 6 30 40\n", "openimages"),
    ],
)
def test_other_labels_are_not_kittis(voc_folder: VocFolder, line: str, form: str) -> None:
    voc_folder.image("a/a.jpg")
    folder = "labels" if form == "yolo" else "Label"
    voc_folder.text(f"a/{folder}/a.txt", line)
    assert detected(voc_folder) == [form]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (CAT, True),
        (IGNORED, True),
        (NUMBER, True),
        (POLYGON, False),
        (CAT.replace("0.00 0", "0.00 5"), False),
        (CAT.replace("13.22", "x"), False),
        (CAT.replace("13.22 ", ""), False),
        ("0 1 " + CAT.lower(), False),  # of its tracking benchmark: frame and track first
    ],
)
def test_what_a_line_looks_like(line: str, expected: bool) -> None:
    assert is_line(line.split()) is expected


def detected(folder: VocFolder) -> list[str]:
    here = Folder.scan(folder.root)
    return [name for name, form in formats.FORMATS.items() if form.detect(here)]


# ---- writing ----


def test_written_as_kitti_does(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("0.jpg")
    one = LabeledImage(
        *("0.jpg", 64, 48, [(1.5, 2, 20.25, 40), (0, 0, 9, 9)], ["Cat", "Dog"]),
        flags=[TRUNCATED | OCCLUDED, 0],
        split=Split.TRAIN,
        ignored=[(3, 4, 5, 6)],
    )
    formats.write(Dataset.of(voc_folder.root, [one]), tmp_path / "out", "kitti")
    space = "-1 -1 -1 -1000 -1000 -1000 -10"
    assert (tmp_path / "out/training/label_2/0.txt").read_text(encoding="utf-8") == (
        f"Cat 1.00 1 -10 1.5 2 20.25 40 {space}\n"
        f"Dog 0.00 0 -10 0 0 9 9 {space}\n"
        f"DontCare -1 -1 -10 3 4 5 6 {space}\n"
    )
    assert (tmp_path / "out/training/image_2/0.jpg").is_file()


@pytest.mark.parametrize("name", ["hard hat", "hat\u3000", "dontcare", "h\ud800t"])
def test_names_that_the_columns_cannot_hold_are_refused(
    voc_folder: VocFolder, tmp_path: Path, name: str
) -> None:
    voc_folder.image("0.jpg")
    dataset = Dataset.of(voc_folder.root, [LabeledImage("0.jpg", 64, 48, [(1, 2, 3, 4)], [name])])
    with pytest.raises(DataError) as caught:
        formats.write(dataset, tmp_path / "out", "kitti")
    assert caught.value.code == "BW141"
