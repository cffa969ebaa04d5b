"""Dataset: photos in columns, and what can be done with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding

pytestmark = pytest.mark.tiny


@pytest.fixture
def zoo() -> Dataset:
    return Dataset.of(
        "zoo",
        [
            LabeledImage(
                "a.jpg", 100, 50, [(0, 0, 10, 10), (5, 5, 20, 20)], ["cat", "dog"], [DIFFICULT, 0]
            ),
            LabeledImage("b.jpg", 40, 30, split=Split.TRAIN),
            LabeledImage("c.jpg", 60, 60, [(1, 2, 3, 4)], ["cat"], split=Split.TEST),
        ],
        findings=[Finding("BW109", "zoo", "odd")],
    )


def contents(dataset: Dataset) -> dict[str, list[tuple[str, list[float], int]]]:
    return {
        name: [
            (dataset.classes[label], box.tolist(), int(flag))
            for box, label, flag in zip(
                dataset.boxes[dataset.rows(i)],
                dataset.labels[dataset.rows(i)],
                dataset.flags[dataset.rows(i)],
                strict=True,
            )
        ]
        for i, name in enumerate(dataset.names)
    }


def test_images_become_columns(zoo: Dataset) -> None:
    assert len(zoo) == 3
    assert zoo.classes == ("cat", "dog")
    assert zoo.sizes.tolist() == [[100, 50], [40, 30], [60, 60]]
    assert zoo.splits.tolist() == [Split.UNASSIGNED, Split.TRAIN, Split.TEST]
    assert zoo.offsets.tolist() == [0, 2, 2, 3]
    assert zoo.image_of_box.tolist() == [0, 0, 2]
    assert zoo.image(2) == Path("zoo/c.jpg")
    assert contents(zoo) == {
        "a.jpg": [("cat", [0, 0, 10, 10], DIFFICULT), ("dog", [5, 5, 20, 20], 0)],
        "b.jpg": [],
        "c.jpg": [("cat", [1, 2, 3, 4], 0)],
    }


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("sizes", np.int32),
        ("splits", np.int8),
        ("offsets", np.int64),
        ("boxes", np.float32),
        ("labels", np.int32),
        ("flags", np.uint8),
    ],
)
def test_columns_have_their_types_even_when_empty(
    zoo: Dataset, column: str, type_: type[np.generic]
) -> None:
    for dataset in (zoo, Dataset.of("none", []), zoo.select([]), zoo.keep_boxes(np.zeros(3, bool))):
        assert getattr(dataset, column).dtype == type_


def test_given_classes_come_first_and_new_ones_follow_in_order() -> None:
    images = [LabeledImage("a.jpg", 9, 9, [(0, 0, 1, 1)] * 3, ["wren", "cat", "ape"])]
    assert Dataset.of("zoo", images, classes=["wren", "yak"]).classes == (
        "wren",
        "yak",
        "ape",
        "cat",
    )


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([2, 0], ["c.jpg", "a.jpg"]),
        ([False, True, True], ["b.jpg", "c.jpg"]),
        ([0, 0], ["a.jpg", "a.jpg"]),
        ([-1], ["c.jpg"]),
        ([], []),
        ([False] * 3, []),
    ],
)
def test_selected_images_take_their_boxes_along(
    zoo: Dataset, images: ArrayLike, expected: list[str]
) -> None:
    chosen = zoo.select(images)
    assert list(chosen.names) == expected
    assert chosen.classes == zoo.classes
    assert contents(chosen) == {name: contents(zoo)[name] for name in expected}


def test_images_that_show_a_class() -> None:
    images = [
        LabeledImage(f"{i}.jpg", 9, 9, [(0, 0, 5, 5)] * len(names), names)
        for i, names in enumerate([["dog"], [], ["cat", "dog", "cat"], ["cat"]])
    ]
    dataset = Dataset.of("data", images, classes=["cat", "dog", "newt"])
    shown = [dataset.images_showing(label).tolist() for label in range(3)]
    assert shown == [[2, 3], [0, 2], []]


@pytest.mark.parametrize("mark", [Split.TEST, "test", "TEST"])
def test_a_split_is_a_selection(zoo: Dataset, mark: Split | str) -> None:
    assert zoo.split(mark).names == ("c.jpg",)


def test_boxes_can_go_while_images_stay(zoo: Dataset) -> None:
    kept = zoo.keep_boxes(zoo.labels == 0)
    assert kept.names == zoo.names
    assert contents(kept) == {
        "a.jpg": [("cat", [0, 0, 10, 10], DIFFICULT)],
        "b.jpg": [],
        "c.jpg": [("cat", [1, 2, 3, 4], 0)],
    }


def test_merging_matches_classes_by_name(zoo: Dataset) -> None:
    farm = Dataset.of(
        "zoo",
        [LabeledImage("d.jpg", 9, 9, [(0, 0, 1, 1)] * 2, ["dog", "cow"], [CROWD, 0])],
        classes=["dog"],
    )
    both = zoo.merge(farm)
    assert both.classes == ("cat", "dog", "cow")
    assert contents(both) == contents(zoo) | {
        "d.jpg": [("dog", [0, 0, 1, 1], CROWD), ("cow", [0, 0, 1, 1], 0)]
    }
    assert len(both.findings) == 1


def test_merging_finds_images_of_another_folder(zoo: Dataset) -> None:
    far = replace(zoo, root=Path("elsewhere"))
    both = zoo.merge(far)
    assert both.image(0) == zoo.image(0)
    assert both.image(3).absolute() == far.image(0).absolute()


def test_the_fingerprint_minds_everything_but_the_place(zoo: Dataset) -> None:
    assert replace(zoo, root=Path("copy"), findings=()).fingerprint() == zoo.fingerprint()
    changed = [
        replace(zoo, names=("x.jpg", *zoo.names[1:])),
        replace(zoo, sizes=zoo.sizes + 1),
        replace(zoo, splits=zoo.splits[::-1]),
        replace(zoo, boxes=zoo.boxes + np.float32(0.25)),
        replace(zoo, labels=1 - zoo.labels),
        replace(zoo, flags=zoo.flags + np.uint8(2)),
        replace(zoo, classes=("cat", "fox")),
        replace(zoo, offsets=np.array([0, 1, 2, 3])),
        zoo.select([0, 1]),
    ]
    prints = {dataset.fingerprint() for dataset in (zoo, *changed)}
    assert len(prints) == len(changed) + 1


def test_names_that_are_no_text_have_a_fingerprint_too(zoo: Dataset) -> None:
    latin1 = b"b\xe4r.jpg".decode("utf-8", "surrogateescape")
    assert replace(zoo, names=(latin1, *zoo.names[1:])).fingerprint() != zoo.fingerprint()


def test_columns_that_disagree_are_refused(zoo: Dataset) -> None:
    with pytest.raises(ValueError, match="same images and boxes"):
        replace(zoo, labels=zoo.labels[:2])
    with pytest.raises(ValueError, match="same images and boxes"):
        replace(zoo, names=zoo.names[:2])
    with pytest.raises(ValueError, match="offsets end at 2"):
        replace(zoo, offsets=np.array([0, 1, 1, 2]))
