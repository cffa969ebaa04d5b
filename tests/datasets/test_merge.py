"""Several data sets become one: classes by name, copies once, splits kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxwright import formats
from boxwright.datasets.merge import merge
from boxwright.errors import DataError
from boxwright.structures.dataset import TRUNCATED, Dataset, LabeledImage, Split

pytestmark = pytest.mark.tiny

CAT = (4.0, 6.0, 30.0, 40.0)
Described = dict[str, Any]


def put(root: Path, images: list[Described], form: str = "voc", classes: Any = ()) -> Path:
    """A data set: photos by name, `look` says what each shows, `boxes` and `split` its labels."""
    source = root.parent / f"{root.name} photos"
    made = []
    for one in images:
        path = source / one["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (one["look"], 0, 0)).save(path)
        boxes = one.get("boxes", [("cat", CAT)])
        split = one.get("split", Split.UNASSIGNED)
        flags = [one.get("flags", 0)] * len(boxes)
        names, corners = [name for name, _ in boxes], [box for _, box in boxes]
        made.append(LabeledImage(one["name"], 64, 48, corners, names, flags, split))
    formats.write(Dataset.of(source, made, classes), root, form)
    return root


def looks(dataset: Dataset) -> dict[int, tuple[str, list[str], str]]:
    """What each photo shows -> its name, classes and mark."""
    found = {}
    for i, name in enumerate(dataset.names):
        with Image.open(str(dataset.image(i))) as image:
            red = image.getpixel((0, 0))[0]
        names = [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]]
        found[red] = (Path(name).name, names, Split(dataset.splits[i]).name)
    return found


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    first = [{"name": f"{i}.png", "look": i} for i in range(3)]
    second = [{"name": f"{i}.png", "look": 10 + i, "boxes": [("dog", CAT)]} for i in range(3)]
    return [put(tmp_path / "one", first), put(tmp_path / "two", second, "coco")]


@pytest.mark.parametrize("to", formats.FORMATS)
def test_data_sets_of_any_formats_become_one_of_any_format(
    two: list[Path], to: str, tmp_path: Path
) -> None:
    done = merge(two, tmp_path / "out", to)
    back = formats.read(tmp_path / "out", to)
    assert [source.form for source in done.sources] == ["voc", "coco"]
    assert (len(back), len(back.boxes), back.classes) == (6, 6, ("cat", "dog"))
    assert done.dataset.findings == ()
    assert done.duplicates == 0


def test_images_of_equal_names_are_renamed(two: list[Path], tmp_path: Path) -> None:
    done = merge(two, tmp_path / "out")
    found = looks(formats.read(tmp_path / "out"))
    assert found[0] == ("0.png", ["cat"], "UNASSIGNED")
    assert found[10] == ("0-2.png", ["dog"], "UNASSIGNED")
    assert [finding.code for finding in done.lost] == ["BW142"]
    assert done.target == "voc"


def test_classes_are_matched_by_name_whatever_their_capitals(tmp_path: Path) -> None:
    one = put(tmp_path / "one", [{"name": f"{i}.png", "look": i} for i in range(2)])
    boxes = [("Cat", CAT), ("dog", CAT)]
    two = put(tmp_path / "two", [{"name": "x.png", "look": 9, "boxes": boxes}])
    done = merge([one, two], tmp_path / "out")
    assert formats.read(tmp_path / "out").classes == ("cat", "dog")
    assert [(finding.code, finding.where) for finding in done.dataset.findings] == [
        ("BW107", "class 'Cat'")
    ]


def test_the_order_of_classes_is_the_first_ones(tmp_path: Path) -> None:
    order = ["zebra", "cat"]
    one = put(tmp_path / "one", [{"name": "a.png", "look": 1}], "coco", classes=order)
    boxes = [("ant", CAT), ("cat", CAT)]
    two = put(tmp_path / "two", [{"name": "b.png", "look": 2, "boxes": boxes}])
    merge([one, two], tmp_path / "out")
    assert formats.read(tmp_path / "out").classes == ("zebra", "cat", "ant")


@pytest.mark.parametrize(
    ("boxes", "again", "codes"),
    [
        ([("cat", CAT)], [("cat", CAT)], []),
        ([("cat", CAT)], [("CAT", CAT)], ["BW107"]),
        ([("cat", CAT)], [("cat", (4.4, 6, 30, 40.3))], []),
        ([("cat", CAT), ("cat", (1, 1, 9, 9))], [("cat", (1, 1, 9, 9)), ("cat", CAT)], []),
        ([], [], []),
        ([("cat", CAT)], [("cat", (9, 6, 30, 40))], ["BW113"]),
        ([("cat", CAT)], [("dog", CAT)], ["BW113"]),
        ([("cat", CAT)], [], ["BW113"]),
        ([], [("cat", CAT)], ["BW113"]),
    ],
)
def test_an_image_in_two_of_them_is_kept_once(
    boxes: Any, again: Any, codes: list[str], tmp_path: Path
) -> None:
    more = {"name": "more.png", "look": 2}
    one = put(tmp_path / "one", [{"name": "a.png", "look": 1, "boxes": boxes}, more])
    two = put(tmp_path / "two", [{"name": "b.png", "look": 1, "boxes": again}], "coco")
    done = merge([one, two], tmp_path / "out", "voc")
    back = formats.read(tmp_path / "out")
    assert looks(back)[1][:2] == ("a.png", [name for name, _ in boxes])
    assert len(back) == 2
    assert done.duplicates == 1
    assert [finding.code for finding in done.dataset.findings] == codes


def test_copies_within_one_data_set_are_its_own_affair(tmp_path: Path) -> None:
    one = put(tmp_path / "one", [{"name": f"{i}.png", "look": 1} for i in range(3)])
    two = put(tmp_path / "two", [{"name": "x.png", "look": 1}])
    assert len(merge([one, two], tmp_path / "out").dataset) == 3


def test_flags_that_a_format_could_not_hold_make_no_difference(tmp_path: Path) -> None:
    one = put(tmp_path / "one", [{"name": "a.png", "look": 1, "flags": TRUNCATED}])
    two = put(tmp_path / "two", [{"name": "a.png", "look": 1}], "yolo")
    done = merge([one, two], tmp_path / "out")
    assert done.dataset.findings == ()
    assert done.dataset.flags.tolist() == [TRUNCATED]


@pytest.mark.parametrize(
    ("marks", "expected", "codes"),
    [
        ((Split.TRAIN, Split.TEST), "TEST", ["BW118"]),
        ((Split.TEST, Split.TRAIN), "TEST", ["BW118"]),
        ((Split.TRAIN, Split.VAL), "VAL", ["BW118"]),
        ((Split.TRAIN, Split.TRAIN), "TRAIN", []),
        ((Split.UNASSIGNED, Split.TRAIN), "TRAIN", []),
        ((Split.TEST, Split.UNASSIGNED), "TEST", []),
    ],
)
def test_what_is_for_testing_in_one_is_for_testing(
    marks: tuple[Split, Split], expected: str, codes: list[str], tmp_path: Path
) -> None:
    paths = [
        put(tmp_path / name, [{"name": "a.png", "look": 1, "split": mark}])
        for name, mark in zip(("one", "two"), marks, strict=True)
    ]
    done = merge(paths, tmp_path / "out")
    assert looks(formats.read(tmp_path / "out"))[1] == ("a.png", ["cat"], expected)
    assert [finding.code for finding in done.dataset.findings] == codes


def test_splits_are_kept(tmp_path: Path) -> None:
    first = [{"name": "a.png", "look": 1, "split": Split.TRAIN}]
    second = [{"name": "a.png", "look": 2, "split": Split.TEST}, {"name": "b.png", "look": 3}]
    paths = [put(tmp_path / "one", first), put(tmp_path / "two", second, "yolo")]
    merge(paths, tmp_path / "out", "yolo")
    found = looks(formats.read(tmp_path / "out"))
    assert {look: mark for look, (_, _, mark) in found.items()} == {
        1: "TRAIN",
        2: "TEST",
        3: "UNASSIGNED",
    }


def test_the_place_must_be_free_and_outside(two: list[Path], tmp_path: Path) -> None:
    for out in (two[0], two[1] / "out", tmp_path):
        with pytest.raises(DataError, match="BW194"):
            merge(two, out)


def test_a_record_among_them(two: list[Path], tmp_path: Path) -> None:
    record = put(tmp_path / "three", [{"name": "0.png", "look": 99}], "tfrecord")
    done = merge([record / "data.record", *two], tmp_path / "out", "voc", link=True)
    assert sorted(looks(done.dataset.select([]))) == []
    assert sorted(looks(formats.read(tmp_path / "out"))) == [0, 1, 2, 10, 11, 12, 99]
