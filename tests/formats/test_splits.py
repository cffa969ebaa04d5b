"""What images are for: folders, lists and their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.splits import folder_split
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("train", "TRAIN"),
        ("images/train", "TRAIN"),
        ("Training", "TRAIN"),
        ("train2017", "TRAIN"),
        ("valid/images", "VAL"),
        ("validation", "VAL"),
        ("validate", "VAL"),
        ("val", "VAL"),
        ("test", "TEST"),
        ("test/train", "TEST"),
        ("", "UNASSIGNED"),
        ("images", "UNASSIGNED"),
        ("pressure test", "UNASSIGNED"),
        ("trains", "UNASSIGNED"),
    ],
)
def test_folder_names_that_mark_a_split(folder: str, expected: str) -> None:
    assert folder_split(folder).name == expected


def test_train_and_test_folders(voc_folder: VocFolder) -> None:
    for path in ("train/a", "train/b", "valid/a", "test/a"):
        voc_folder.pair(path)
    voc_folder.xml("train/only in test.xml")
    voc_folder.image("test/only in test.jpg")
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {
        "test/a.jpg": "test",
        "train/a.jpg": "train",
        "train/b.jpg": "train",
        "valid/a.jpg": "val",
    }
    assert [f.where for f in dataset.findings if f.code == "BW101"] == ["train/only in test.xml"]


def test_a_training_annotation_never_takes_a_test_image(voc_folder: VocFolder) -> None:
    voc_folder.xml("train/a.xml")
    voc_folder.pair("test/b")
    voc_folder.image("test/a.jpg")
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("test/b.jpg",)
    assert [f.where for f in dataset.findings if f.code == "BW101"] == ["train/a.xml"]


def test_the_tutorials_workspace(voc_folder: VocFolder) -> None:
    """images/train and images/test hold photos and xml; annotations holds lists made of them."""
    for path in ("images/train/a", "images/train/b", "images/test/a"):
        voc_folder.pair(path)
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    voc_folder.text("annotations/train_labels.csv", header + "a.jpg,1,1,cat\nb.jpg,1,1,cat\n")
    voc_folder.text("annotations/test_labels.csv", header + "a.jpg,64,48,cat,4,6,30,40\n")
    voc_folder.text("annotations/label_map.pbtxt", "item { id: 1 name: 'cat' }")
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {
        "images/test/a.jpg": "test",
        "images/train/a.jpg": "train",
        "images/train/b.jpg": "train",
    }
    assert dataset.findings == ()


FIVE = ("a", "b", "c", "d", "e")
ALL_TRAIN = dict.fromkeys(FIVE, "train")


@pytest.mark.parametrize(
    ("lists", "expected", "found"),
    [
        (
            {"train": "a\nb\n", "val": "c\n", "trainval": "a\nb\nc\n", "test": "d\ne\n"},
            {"a": "train", "b": "train", "c": "val", "d": "test", "e": "test"},
            [],
        ),
        (
            {"trainval": "a\nb\nc\n", "val": "c\n", "test": "d\ne"},
            {"a": "train", "b": "train", "c": "val", "d": "test", "e": "test"},
            [],
        ),
        ({"trainval": "a\nb\nc\nd\ne\n"}, ALL_TRAIN, []),
        (
            {"cat_train": "a  1\nb -1\n", "cat_val": "c  1\nd -1\ne  0\n"},
            {"a": "train", "b": "train", "c": "val", "d": "val", "e": "val"},
            [],
        ),
        (
            {
                "cat_train": "a.jpg 1\nb.jpg -1\r\n",
                "dog_train": "c.jpg 1\n",
                "dog_val": "d.JPG 1\n",
            },
            {"a": "train", "b": "train", "c": "train", "d": "val", "e": "unassigned"},
            ["BW119"],
        ),
        (
            {"train": "a\nb\nc\n", "val": "d\n", "test": "e\n", "cat_train": "d 1\ne 1\n"},
            {"a": "train", "b": "train", "c": "train", "d": "val", "e": "test"},
            [],
        ),
        (
            {"train": "a\nb\nc\nd\n", "test": "d\ne\n"},
            {"a": "train", "b": "train", "c": "train", "d": "test", "e": "test"},
            ["BW118"],
        ),
        (
            {"train": "a\nb\nc\nd\n", "val": "d\ne\n"},
            {"a": "train", "b": "train", "c": "train", "d": "val", "e": "val"},
            ["BW118"],
        ),
        ({"train": "a\nb\nc\nd\ne\ngone\n"}, ALL_TRAIN, ["BW117"]),
        ({"train": "\n\n"}, dict.fromkeys(FIVE, "unassigned"), []),
        ({"train": "JPEGImages/a.jpg\nJPEGImages\\b.jpg\nc\nd\ne"}, ALL_TRAIN, []),
        ({"train": "a 1 1 2\nb 2 1 1\nc 1 1 1\nd\ne"}, ALL_TRAIN, []),
    ],
)
def test_image_sets(
    voc_folder: VocFolder, lists: dict[str, str], expected: dict[str, str], found: list[str]
) -> None:
    for stem in FIVE:
        voc_folder.xml(f"Annotations/{stem}.xml")
        voc_folder.image(f"JPEGImages/{stem}.jpg")
    for name, text in lists.items():
        voc_folder.text(f"ImageSets/Main/{name}.txt", text)
    dataset = formats.read(voc_folder.root)
    assert {Path(name).stem: mark for name, mark in marks(dataset).items()} == expected
    assert codes(dataset) == found


def test_lists_of_voc_for_other_tasks_are_not_asked(voc_folder: VocFolder) -> None:
    for stem in FIVE:
        voc_folder.image(f"JPEGImages/{stem}.jpg")
        voc_folder.xml(f"Annotations/{stem}.xml")
    for path, lines in {
        "Main/train": "a\nb\n",
        "Main/val": "c\nd\n",
        "Segmentation/val": "a\nc\n",
        "Layout/train": "d 1\n",
        "Action/train": "e\n",
    }.items():
        voc_folder.text(f"ImageSets/{path}.txt", lines)
    dataset = formats.read(voc_folder.root)
    assert list(marks(dataset).values()) == ["train", "train", "val", "val", "unassigned"]
    assert codes(dataset) == ["BW119"]


def test_a_list_for_another_task_will_do_if_it_is_the_only_one(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.text("ImageSets/Segmentation/val.txt", "a\n")
    assert marks(formats.read(voc_folder.root)) == {"a.jpg": "val"}


def test_trailing_numbers_belong_to_the_list_unless_to_the_image(voc_folder: VocFolder) -> None:
    for stem in ("cat", "cat 1", "cat 1 1"):
        voc_folder.pair(stem)
    voc_folder.text("ImageSets/Main/x_train.txt", "cat 1 1\n")
    assert marks(formats.read(voc_folder.root))["cat 1.jpg"] == "train"
    (voc_folder.root / "ImageSets/Main/x_train.txt").unlink()
    voc_folder.text("ImageSets/Main/train.txt", "cat 1 1\n")
    assert marks(formats.read(voc_folder.root))["cat 1 1.jpg"] == "train"


@pytest.mark.parametrize(
    ("csv", "expected"),
    [
        ("filename,class\na.jpg,cat\nb.jpg,cat\nb.jpg,cat\n", ("train", "train", "unassigned")),
        ('"filename","class"\n"a.jpg","cat"\n', ("train", "unassigned", "unassigned")),
        ("\ufefffilename;class\r\na.jpg;cat\r\n", ("train", "unassigned", "unassigned")),
        ("class,Filename\ncat,images/a.jpg\ncat\n", ("train", "unassigned", "unassigned")),
        ("filename\na\n", ("train", "unassigned", "unassigned")),
        ("image,class\na.jpg,cat\n", ("unassigned",) * 3),
        ("", ("unassigned",) * 3),
    ],
)
def test_csv_lists(voc_folder: VocFolder, csv: str, expected: tuple[str, ...]) -> None:
    for stem in ("a", "b", "c"):
        voc_folder.image(f"images/{stem}.jpg")
        voc_folder.xml(f"annotations/{stem}.xml")
    voc_folder.text("data/train_labels.csv", csv)
    voc_folder.text("data/all_labels.csv", "filename\nc.jpg\n")
    voc_folder.text("data/train_test_comparison.csv", "filename\nc.jpg\n")
    assert tuple(marks(formats.read(voc_folder.root)).values()) == expected


def test_lists_go_before_folders_and_image_sets_before_csv(voc_folder: VocFolder) -> None:
    for stem in ("a", "b"):
        voc_folder.pair(f"train/{stem}")
    voc_folder.text("val.csv", "filename\na.jpg\nb.jpg\n")
    assert set(marks(formats.read(voc_folder.root)).values()) == {"val"}
    voc_folder.text("ImageSets/Main/test.txt", "a\nb\n")
    assert set(marks(formats.read(voc_folder.root)).values()) == {"test"}


@pytest.mark.parametrize("name", ["test.csv", "ImageSets/Main/test.txt"])
def test_a_list_that_is_not_text_is_named(voc_folder: VocFolder, name: str) -> None:
    voc_folder.pair("a")
    voc_folder.text(name, "")
    (voc_folder.root / name).write_bytes("filename\nbär.jpg\n".encode("cp1252"))
    with pytest.raises(DataError, match="BW160") as caught:
        formats.read(voc_folder.root)
    assert caught.value.where == str(voc_folder.root / name)


def test_unlisted_images_are_told_apart(voc_folder: VocFolder) -> None:
    for path in ("train/a", "new/b", "new/c", "new/d", "new/e"):
        voc_folder.pair(path)
    (finding,) = formats.read(voc_folder.root).findings
    assert finding.code == "BW119"
    assert finding.message.startswith("4 of 5 labeled images")
    assert "new/b.jpg, new/c.jpg, new/d.jpg and 1 more" in finding.message


def test_images_of_one_name_are_told_apart_by_folders_that_mirror_each_other(
    voc_folder: VocFolder,
) -> None:
    for day, right in (("", 10), ("/day 1", 20), ("/day 2", 30), ("/day 2/am", 40)):
        voc_folder.image(f"JPEGImages{day}/a.jpg")
        voc_folder.xml(f"Annotations{day}/a.xml", [("cat", 1, 2, right, 9)])
    dataset = formats.read(voc_folder.root)
    assert dict(zip(dataset.names, dataset.boxes[:, 2].tolist(), strict=True)) == {
        "JPEGImages/a.jpg": 10,
        "JPEGImages/day 1/a.jpg": 20,
        "JPEGImages/day 2/a.jpg": 30,
        "JPEGImages/day 2/am/a.jpg": 40,
    }


def test_a_list_that_cannot_be_read_is_named_below_the_folder(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    path = voc_folder.root / "ImageSets/Main/train.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes("红\na\n".encode("gbk"))
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert [(one.code, one.where) for one in dataset.findings] == [
        ("BW160", "ImageSets/Main/train.txt")
    ]
