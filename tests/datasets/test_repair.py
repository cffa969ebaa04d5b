"""Repairs: what is changed, what is said about it, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.datasets.repair import repair
from boxwright.structures.dataset import DIFFICULT, Dataset, LabeledImage

pytestmark = pytest.mark.tiny

Corners = tuple[float, float, float, float]


def one_image(*boxes: Corners, name: str = "cat") -> Dataset:
    return Dataset.of("zoo", [LabeledImage("a.jpg", 100, 50, boxes, [name] * len(boxes))])


@pytest.mark.parametrize(
    ("box", "expected", "code", "repaired"),
    [
        ((10, 10, 20, 20), (10, 10, 20, 20), None, None),
        ((0, 0, 100, 50), (0, 0, 100, 50), None, None),
        ((10, 10, 10.5, 10.25), (10, 10, 10.5, 10.25), None, None),
        ((-5, 10, 20, 20), (0, 10, 20, 20), "BW103", "clipped to (0, 10, 20, 20)"),
        ((90, 40, 120, 60), (90, 40, 100, 50), "BW103", "clipped to (90, 40, 100, 50)"),
        ((100, 10, 120, 20), None, "BW103", "dropped"),
        ((-20, -20, -10, -10), None, "BW103", "dropped"),
        ((20, 10, 10, 20), (10, 10, 20, 20), "BW105", "swapped back to (10, 10, 20, 20)"),
        ((10, 20, 20, 10), (10, 10, 20, 20), "BW105", "swapped back to (10, 10, 20, 20)"),
        ((10, 10, 10, 20), None, "BW106", "dropped"),
        ((10, 10, 20, 10), None, "BW106", "dropped"),
        ((150, 10, 150, 20), None, "BW106", "dropped"),
    ],
)
def test_each_problem_has_its_repair(
    box: Corners, expected: Corners | None, code: str | None, repaired: str | None
) -> None:
    first, last = (1, 2, 3, 4), (5, 6, 8, 9)
    dataset = repair(one_image(first, box, last))
    kept = [first, last] if expected is None else [first, expected, last]
    assert [tuple(row) for row in dataset.boxes.tolist()] == kept
    if code is None:
        assert dataset.findings == ()
    else:
        (finding,) = dataset.findings
        assert (finding.code, finding.repair) == (code, repaired)
        assert finding.where == "a.jpg, box 2"
        assert "cat box" in finding.message
        assert "100 x 50" in finding.message
        assert finding.images == ("a.jpg",)
        assert finding.box == box or code == "BW103"


def test_a_box_may_have_two_problems_and_is_named_by_its_first_place() -> None:
    dataset = repair(one_image((5, 5, 5, 5), (120, 40, 90, 10), (7, 7, 7, 7)))
    assert dataset.boxes.tolist() == [[90, 10, 100, 40]]
    assert sorted((f.where, f.code) for f in dataset.findings) == [
        ("a.jpg, box 1", "BW106"),
        ("a.jpg, box 2", "BW103"),
        ("a.jpg, box 2", "BW105"),
        ("a.jpg, box 3", "BW106"),
    ]


def test_images_stay_even_without_boxes_and_flags_stay_with_theirs() -> None:
    images = [
        LabeledImage("a.jpg", 9, 9, [(1, 1, 1, 1), (1, 1, 5, 5)], ["cat", "cat"], [0, DIFFICULT]),
        LabeledImage("b.jpg", 9, 9, [(20, 20, 30, 30)], ["cat"]),
        LabeledImage("c.jpg", 9, 9, [(2, 2, 4, 4)], ["dog"]),
    ]
    dataset = repair(Dataset.of("zoo", images))
    assert dataset.names == ("a.jpg", "b.jpg", "c.jpg")
    assert dataset.offsets.tolist() == [0, 1, 1, 2]
    assert dataset.flags.tolist() == [DIFFICULT, 0]
    assert dataset.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("names", "classes", "repaired"),
    [
        (["cat", "cat", "Cat"], ("cat",), ["renamed to 'cat'"]),
        (["Cat", "Cat", "cat"], ("Cat",), ["renamed to 'Cat'"]),
        (["cat", " cat", "cat "], ("cat",), ["renamed to 'cat'"] * 2),
        ([" cat ", " cat ", "CAT"], ("cat",), ["renamed to 'cat'"] * 2),
        ([" cat"], ("cat",), ["renamed to 'cat'"]),
        (["dog", "Straße", "STRASSE", "strasse", "Straße"], ("Straße", "dog"), None),
        (["cat", "cats", "c at"], ("c at", "cat", "cats"), []),
    ],
)
def test_spellings_of_one_class_become_one(
    names: list[str], classes: tuple[str, ...], repaired: list[str] | None
) -> None:
    images = [LabeledImage("a.jpg", 9, 9, [(i, 1, 9, 9) for i in range(len(names))], names)]
    dataset = repair(Dataset.of("zoo", images))
    assert set(dataset.classes) == set(classes)
    assert len(dataset.labels) == len(names)
    for label, name in zip(dataset.labels, names, strict=True):
        assert dataset.classes[label].casefold() == name.strip().casefold()
    if repaired is not None:
        assert [finding.repair for finding in dataset.findings] == repaired


def test_a_merged_class_leaves_the_others_their_boxes() -> None:
    names = ["ape", "Bee", "bee", "cow", "bee"]
    images = [LabeledImage("a.jpg", 9, 9, [(i, 1, 9, 9) for i in range(5)], names)]
    dataset = repair(Dataset.of("zoo", images))
    assert dataset.classes == ("bee", "ape", "cow")
    assert [dataset.classes[label] for label in dataset.labels] == [
        "ape",
        "bee",
        "bee",
        "cow",
        "bee",
    ]


coordinates = st.floats(-200, 200, width=32)


@given(st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), max_size=8))
def test_repaired_boxes_lie_in_their_images_and_need_no_second_repair(
    boxes: list[Corners],
) -> None:
    once = repair(one_image(*boxes))
    assert (once.boxes[:, 2:] > once.boxes[:, :2]).all()
    assert (once.boxes >= 0).all()
    assert (once.boxes <= np.array([100, 50, 100, 50])).all()
    twice = repair(once)
    assert twice.fingerprint() == once.fingerprint()
    assert twice.findings == once.findings


def test_no_images_and_no_boxes_need_no_repair() -> None:
    assert repair(Dataset.of("zoo", [])).findings == ()
    assert repair(one_image()).findings == ()
