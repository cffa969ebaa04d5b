"""Ignored regions: what is found in them is neither right nor wrong, of any class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from boxwright.datasets.class_choice import ClassChoice
from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.matching import in_ignored_region
from boxwright.evaluation.threshold import best_threshold
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny

CAT, DOG, OTHER = (10, 10, 60, 60), (100, 10, 160, 60), (10, 100, 90, 160)
NOWHERE = (120, 120, 180, 180)
Box = tuple[float, float, float, float]


@pytest.fixture
def pets() -> Dataset:
    """Two images: a cat, a dog and something else in one, something else alone in the other."""
    names = ["cat", "dog", "other"]
    images = [
        LabeledImage("a.jpg", 200, 200, [CAT, DOG, OTHER], names),
        LabeledImage("b.jpg", 200, 200, [OTHER], ["other"]),
    ]
    return Dataset.of("pets", images)


def found(*boxes: tuple[str, Box, float]) -> Detections:
    classes = ("cat", "dog")
    return Detections(
        np.array([box for _, box, _ in boxes], np.float32).reshape(-1, 4),
        np.array([score for *_, score in boxes], np.float32),
        np.array([classes.index(name) for name, *_ in boxes], np.int32),
        classes,
    )


RIGHT = (("cat", CAT, 0.6), ("dog", DOG, 0.6))


@pytest.mark.parametrize(
    ("more", "perfect"),
    [
        ([], True),
        ([("cat", OTHER, 0.9)], True),
        ([("dog", OTHER, 0.9)], True),
        ([("cat", OTHER, 0.9), ("cat", OTHER, 0.8), ("dog", OTHER, 0.8)], True),
        ([("cat", (12, 104, 80, 150), 0.9)], True),
        ([("cat", NOWHERE, 0.9)], False),
        ([("cat", (10, 100, 90, 200), 0.9)], False),  # at the highest IoU it is too large
    ],
)
def test_what_is_found_in_them_does_not_count(
    more: Sequence[tuple[str, Box, float]], perfect: bool, pets: Dataset
) -> None:
    truth = ClassChoice(exclude=("other",)).apply(pets)
    in_order = sorted([*RIGHT, *more], key=lambda each: -each[2])
    evaluation = evaluate(truth, [found(*in_order), found(*more)], resamples=0)
    assert (evaluation.ap == pytest.approx(1.0)) == perfect
    assert evaluation.boxes == 2
    assert [score.name for score in evaluation.per_class] == ["cat", "dog"]


@pytest.mark.parametrize(("box", "voc"), [(OTHER, 1.0), ((10, 100, 90, 200), 1.0), (NOWHERE, 0.75)])
def test_voc_and_the_threshold_pass_over_them_too(box: Box, voc: float, pets: Dataset) -> None:
    truth = ClassChoice(exclude=("other",)).apply(pets)
    detections = [found(("cat", box, 0.9), *RIGHT), found()]
    evaluation = evaluate(truth, detections, resamples=0)
    assert evaluation.voc_ap50 == pytest.approx(voc)
    assert best_threshold(truth, [found(*RIGHT), found(("cat", box, 0.9))]) == 0.35


def test_an_object_that_is_found_counts_even_in_a_region(pets: Dataset) -> None:
    """A cat on the excluded sofa is still to be found."""
    sofa = (0, 0, 200, 200)
    image = LabeledImage("a.jpg", 200, 200, [CAT, sofa], ["cat", "sofa"])
    truth = ClassChoice(classes=("cat",)).apply(Dataset.of("home", [image]))
    assert evaluate(truth, [found(("cat", CAT, 0.9))], resamples=0).ap == pytest.approx(1.0)
    assert evaluate(truth, [found()], resamples=0).ap == 0.0


def test_most_of_a_box_has_to_lie_within(pets: Dataset) -> None:
    truth = ClassChoice(exclude=("other",)).apply(pets)
    boxes = np.array([OTHER, (50, 100, 130, 160), (51, 100, 131, 160), NOWHERE], np.float32)
    assert in_ignored_region(truth, 0, boxes).tolist() == [True, True, False, False]
    assert in_ignored_region(pets, 0, boxes).tolist() == [False] * 4
