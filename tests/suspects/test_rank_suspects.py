"""Suspects are ranked from labels and detections alone, without any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxwright.structures.dataset import CROWD, Dataset, LabeledImage
from boxwright.structures.detections import Detections
from boxwright.suspects.isotonic import isotonic
from boxwright.suspects.scoring import Suspect, rank

pytestmark = pytest.mark.tiny

CLASSES = ("cat", "dog")
LEFT, RIGHT, BELOW = (10, 10, 50, 50), (60, 10, 100, 50), (10, 60, 50, 100)
SHIFTED = (22, 22, 62, 62)  # IoU with LEFT 0.32
FAR = (38, 38, 78, 78)  # IoU with LEFT 0.05
Box = tuple[int, int, int, int]
Label = tuple[str, Box]
Found = tuple[str, Box, float]
HEALTHY = [("cat", LEFT), ("dog", RIGHT)]
SEEN = [("cat", LEFT, 0.8), ("dog", RIGHT, 0.7)]


def labeled(labels: list[Label], **options: object) -> LabeledImage:
    boxes = [box for _, box in labels]
    return LabeledImage("", 120, 120, boxes, [name for name, _ in labels], **options)  # type: ignore[arg-type]


def detected(found: list[Found]) -> Detections:
    found = sorted(found, key=lambda one: -one[2])
    boxes = [box for _, box, _ in found]
    labels = [CLASSES.index(name) for name, _, _ in found]
    return Detections(boxes, [score for *_, score in found], labels, CLASSES)


def ranked(image: LabeledImage, found: list[Found]) -> list[Suspect]:
    """The suspects in an image, beside 60 images without mistakes and with a false alarm each.

    There, detections with a score of 0.2 are wrong, and others are right.
    """
    others = [labeled(HEALTHY)] * 60
    images = [image, *others]
    truth = Dataset.of(Path(), [replace(one, name=f"{i}") for i, one in enumerate(images)], CLASSES)
    usual = detected([*SEEN, ("cat", (80, 80, 110, 110), 0.2)])
    return rank(truth, [detected(found), *([usual] * 60)])


@pytest.mark.parametrize(
    ("labels", "found", "expected"),
    [
        pytest.param(HEALTHY, SEEN, [], id="right"),
        pytest.param([HEALTHY[1]], SEEN, [("missed", None, "cat")], id="missed"),
        pytest.param([("dog", LEFT), HEALTHY[1]], SEEN, [("wrong class", 0, "cat")], id="class"),
        pytest.param([("cat", SHIFTED), HEALTHY[1]], SEEN, [("loose", 0, "cat")], id="loose"),
        pytest.param(
            [("cat", FAR), HEALTHY[1]], SEEN, [("missed", None, "cat")], id="too far to be loose"
        ),
        pytest.param(
            [("dog", SHIFTED), HEALTHY[1]], SEEN, [("missed", None, "cat")],
            id="loose and of another class: its own object",
        ),
        pytest.param(HEALTHY, [*SEEN, ("cat", BELOW, 0.2)], [], id="such scores are wrong"),
        pytest.param(HEALTHY, [*SEEN, ("cat", BELOW, 0.03)], [], id="noise"),
        pytest.param(
            HEALTHY, [*SEEN, ("dog", (11, 10, 51, 50), 0.7)], [], id="two classes in one place"
        ),
        pytest.param(HEALTHY, [], [], id="nothing was detected"),
        pytest.param(
            [], SEEN, [("missed", None, "cat"), ("missed", None, "dog")], id="nothing was labeled"
        ),
        pytest.param(
            [*HEALTHY, ("cat", LEFT)], SEEN, [], id="a label more than objects is not doubted"
        ),
    ],
)  # fmt: skip
def test_kinds(labels: list[Label], found: list[Found], expected: list[object]) -> None:
    suspects = ranked(labeled(labels), found)
    assert [(one.kind, one.label, one.name) for one in suspects if one.image == 0] == expected
    assert [one for one in suspects if one.image] == []


def test_the_surest_comes_first() -> None:
    missed, moved = labeled([HEALTHY[1]]), labeled([("cat", SHIFTED), HEALTHY[1]])
    truth = Dataset.of(
        Path(),
        [replace(moved, name="moved"), replace(missed, name="missed")]
        + [replace(labeled(HEALTHY), name=str(i)) for i in range(60)],
        CLASSES,
    )
    suspects = rank(truth, [detected(SEEN)] * 62)
    assert [truth.names[one.image] for one in suspects] == ["missed", "moved"]
    assert 0.5 < suspects[1].suspicion < suspects[0].suspicion <= 1
    assert suspects[1].iou == pytest.approx(0.32, abs=0.01)


def test_a_label_is_not_doubted_whose_class_was_seen_too() -> None:
    wrong = labeled([("dog", LEFT), HEALTHY[1]])
    assert ranked(wrong, [*SEEN])
    assert ranked(wrong, [*SEEN, ("dog", LEFT, 0.69)]) == []


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(labeled([HEALTHY[1]], ignored=[(0, 0, 55, 55)]), id="ignored region"),
        pytest.param(labeled([("cat", (0, 0, 55, 55)), HEALTHY[1]], flags=[CROWD, 0]), id="crowd"),
    ],
)
def test_what_is_not_judged(image: LabeledImage) -> None:
    assert ranked(image, SEEN) == []


def test_an_item_of_the_queue_has_both_boxes() -> None:
    truth = Dataset.of(Path(), [replace(labeled([("dog", LEFT)]), name="a.png")], CLASSES)
    suspect = Suspect("wrong class", 0, 0.75, LEFT, "cat", 0.9, 0, 1.0)
    item = suspect.to_json(truth)
    assert (item["image"], item["kind"], item["code"]) == ("a.png", "wrong class", "BW182")
    assert item["message"] == "labeled dog, detected cat, score 0.90 (suspicion 0.75)"
    assert item["remedy"].startswith("Look at the image")
    assert item["boxes"] == [
        {"source": "labeled", "class": "dog", "box": [*LEFT]},
        {"source": "detected", "class": "cat", "box": [*LEFT], "score": 0.9},
    ]


@pytest.mark.parametrize(
    ("scores", "right", "at", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], [0, 2, 2.5, 3, 9], [0, 0, 0.5, 1, 1]),
        ([1, 2, 3, 4], [0, 1, 0, 1], [1, 2, 3, 4], [0, 0.5, 0.5, 1]),
        ([3, 2, 1], [0, 0, 1], [1, 2, 3], [1 / 3] * 3),
        ([1, 1, 1, 2], [0, 1, 1, 1], [1, 2], [2 / 3, 1]),
        ([], [], [0, 1], [0, 0]),
    ],
)
def test_isotonic_regression(
    scores: list[float], right: list[int], at: list[float], expected: list[float]
) -> None:
    fitted = isotonic(np.array(scores, float), np.array(right, bool))
    assert fitted(np.array(at, float)) == pytest.approx(expected)


def test_isotonic_regression_is_the_best_rising_fit() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(300)
    right = rng.random(300) < scores**2
    fitted = isotonic(scores, right)(np.sort(scores))
    assert (np.diff(fitted) >= 0).all()
    error = np.square(fitted - right[np.argsort(scores)]).sum()
    for _ in range(20):  # no rising function is nearer
        other = np.maximum.accumulate(fitted + rng.normal(0, 0.05, 300))
        assert np.square(other - right[np.argsort(scores)]).sum() > error
