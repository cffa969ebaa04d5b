"""Lists of class names whose lines begin with numbers: those of the classes, or parts of names."""

from __future__ import annotations

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.formats.name_lists import listed_in
from boxwright.formats.registry import read_annotations
from boxwright.formats.yolo.editor import Editor
from boxwright.structures.dataset import Dataset
from boxwright.studio.store import LabelStore
from folders import VocFolder, lay

pytestmark = pytest.mark.tiny

CATS = ["cat", "dog", "hen"]


def labeled(folder: VocFolder, text: str, numbers: list[int], path: str = "classes.txt") -> Dataset:
    """A data set with a list of classes and a box of each of some class numbers."""
    lines = "".join(f"{number} 0.5 0.5 0.25 0.5\n" for number in numbers)
    lay(folder, {"data/a.jpg": "", "data/a.txt": lines, f"data/{path}": text})
    return formats.read(folder.root / "data", "yolo")


def used(dataset: Dataset) -> list[str]:
    return [dataset.classes[label] for label in dataset.labels]


@pytest.mark.parametrize(
    ("text", "names", "first"),
    [
        ("0 cat\n1 dog\n2 hen\n", CATS, 0),
        ("0: cat\n1: dog\n2: hen\n", CATS, 0),
        ("0,cat\n\n1,dog\n2,hen\n", CATS, 0),
        ("00\tcat\n01\tdog\n02\then\n", CATS, 0),
        ("1 cat\n2 dog\n3 hen\n", CATS, 1),
        ("1 person\n2 people\n3 cars\n", ["person", "people", "cars"], 1),
        ("1 person\n2 person\n3 cars\n", ["1 person", "2 person", "3 cars"], None),
        ("1 euro\n2 euro\n3 euro\n", ["1 euro", "2 euro", "3 euro"], None),
        ("1 day\n7 days\n30 days\n", ["1 day", "7 days", "30 days"], None),
        ("7 up\n3 musketeers\n", ["7 up", "3 musketeers"], None),
        ("7 up\n8 ball\n", ["7 up", "8 ball"], None),
        ("1 cat\ndog\n3 hen\n", ["1 cat", "dog", "3 hen"], None),
        ("2 cats\n1 dog\n", ["2 cats", "1 dog"], None),
        ("1 person\n", ["1 person"], None),
        ("0\n1\n2\n", ["0", "1", "2"], None),
    ],
)
def test_lines_are_numbered_if_no_name_is_lost(
    text: str, names: list[str], first: int | None
) -> None:
    listed = listed_in(text)
    assert [*listed.names.values()] == names
    assert (listed.first, listed.has_gaps) == (first, False)
    assert first is None or listed.names == dict(enumerate(names))


FROM_0, FROM_1 = "0 cat\n1 dog\n2 hen\n", "1 cat\n2 dog\n3 hen\n"
FIRST_IS_0 = ("BW162", "its lines are numbered from 1 on; the first is class 0 of the labels")
FIRST_IS_1 = ("BW162", "its class ids are 1 to 3, but those of the class names are 0 to 2")


@pytest.mark.parametrize(
    ("text", "numbers", "names", "found"),
    [
        (FROM_0, [0, 1], ["cat", "dog"], []),
        (FROM_0, [1], ["dog"], []),
        (FROM_1, [0, 1], ["cat", "dog"], [FIRST_IS_0]),
        (FROM_1, [0, 2], ["cat", "hen"], [FIRST_IS_0]),
        (FROM_1, [1, 3], ["cat", "hen"], [FIRST_IS_1]),
        (FROM_1, [1, 2, 3], CATS, [FIRST_IS_1]),
        (FROM_1, [2, 3], ["dog", "hen"], [FIRST_IS_1]),
        (FROM_1, [3], ["hen"], [FIRST_IS_1]),
        (FROM_1, [], [], []),
    ],
)
def test_the_labels_show_where_they_count_from(
    voc_folder: VocFolder,
    text: str,
    numbers: list[int],
    names: list[str],
    found: list[tuple[str, str]],
) -> None:
    dataset = labeled(voc_folder, text, numbers)
    assert used(dataset) == names
    assert dataset.classes == tuple(CATS)
    assert [(one.code, one.message) for one in dataset.findings] == found


@pytest.mark.parametrize("numbers", [[1], [2], [1, 2]])
@pytest.mark.parametrize("path", ["classes.txt", "../classes.txt"])
def test_labels_that_do_not_show_it_are_no_guess(
    voc_folder: VocFolder, numbers: list[int], path: str
) -> None:
    """Class 1 may be the first line or the second one."""
    if path == "classes.txt":
        reason = "neither class 0 nor class 3.*write only the names.*1 label file cannot be used"
        with pytest.raises(DataError, match=rf"BW110.*classes\.txt.*{reason}"):
            labeled(voc_folder, FROM_1, numbers, path)
        assert len(formats.read(voc_folder.root / "data", "yolo", tolerant=True)) == 0
        return
    dataset = labeled(voc_folder, FROM_1, numbers, path)
    assert used(dataset) == [f"class {number}" for number in numbers]
    assert ("BW158", "not used") in {(one.code, one.repair) for one in dataset.findings}


def test_a_numbered_list_elsewhere(voc_folder: VocFolder) -> None:
    dataset = labeled(voc_folder, FROM_1, [0, 1], "../classes.txt")
    assert used(dataset) == ["cat", "dog"]
    assert [one.repair for one in dataset.findings] == ["used; its first class is 0 in the labels"]


def test_a_numbered_list_that_agrees_with_the_description(voc_folder: VocFolder) -> None:
    voc_folder.text("data/data.yaml", "train: .\nnames: [cat, dog, hen]\n")
    dataset = labeled(voc_folder, FROM_1, [1])
    assert (used(dataset), dataset.findings) == (["dog"], ())


def test_a_name_in_a_numbered_list_is_no_comment(voc_folder: VocFolder) -> None:
    assert used(labeled(voc_folder, "0 # 1\n1 dog\n", [0])) == ["# 1"]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (FROM_1, FROM_0),
        (FROM_0, FROM_0),
        ("001: cat\r\n\r\n002: dog\r\n", "000: cat\r\n\r\n001: dog\r\n"),
        ("cat\ndog\n", "cat\ndog\n"),
    ],
)
def test_the_labels_that_show_where_they_count_from_are_deleted(
    voc_folder: VocFolder, text: str, after: str
) -> None:
    labeled(voc_folder, "", [0, 1])
    path = voc_folder.root / "data" / "classes.txt"
    path.write_bytes(text.encode())
    LabelStore.open(path.parent).class_edits.move("cat", None)
    assert path.read_bytes().decode() == after
    assert used(formats.read(path.parent, "yolo")) == ["dog"]


@pytest.mark.parametrize("text", [FROM_0, FROM_1])
def test_labels_with_a_numbered_list_can_be_edited(voc_folder: VocFolder, text: str) -> None:
    labeled(voc_folder, text, [0, 1])
    folder = Folder.scan(voc_folder.root / "data")
    editor = Editor.of(folder, read_annotations(folder).own)
    assert editor.labeled(b"2 0.5 0.5 0.25 0.5\n", "a.txt").names == ["hen"]
