"""The loss of one list of detections beside another, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.comparison import paired_loss
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny
IMAGES = 60


@pytest.fixture(scope="module")
def truth() -> Dataset:
    random = np.random.default_rng(0)
    near = random.uniform(0, 50, (IMAGES, 2))
    boxes = np.concatenate([near, near + 40], axis=1)
    images = [LabeledImage(f"{i}.png", 100, 100, [box], ["a"]) for i, box in enumerate(boxes)]
    return Dataset.of(Path(), images, ("a",))


def found(truth: Dataset, noise: float, seed: int) -> list[Detections]:
    """A detection for each box, its sides off by `noise` pixels."""
    random = np.random.default_rng(seed)
    boxes = truth.boxes + random.normal(0, noise, truth.boxes.shape)
    scores = random.uniform(0.5, 1, len(boxes))
    return [
        Detections(box[None], score[None], np.zeros(1), ("a",))
        for box, score in zip(boxes, scores, strict=True)
    ]


def test_it_is_the_difference_of_the_two_numbers(truth: Dataset) -> None:
    good, bad = found(truth, 1, 1), found(truth, 4, 2)
    difference = paired_loss(truth, good, bad)
    alone = [evaluate(truth, each, resamples=0).ap or 0 for each in (good, bad)]
    assert difference.value == pytest.approx(alone[0] - alone[1])
    low, high = difference.interval or (0, 0)
    assert 0 < low < (difference.value or 0) < high


def test_equal_detections_lose_nothing_for_sure(truth: Dataset) -> None:
    same = found(truth, 2, 1)
    assert paired_loss(truth, same, same) == (0, (0, 0))


def test_pairs_are_surer_than_the_two_alone(truth: Dataset) -> None:
    """What makes a photo easy or hard is the same for both."""
    run = found(truth, 3, 1)
    nudge = found(truth, 0.2, 2)
    file = [
        Detections(a.boxes + (b.boxes - t), a.scores, a.labels, a.classes)
        for a, b, t in zip(run, nudge, truth.boxes[:, None], strict=True)
    ]
    difference = paired_loss(truth, run, file)
    alone = evaluate(truth, run).ap_interval
    assert difference.interval is not None
    assert alone is not None
    assert np.ptp(difference.interval) < 0.5 * np.ptp(alone)


def test_nothing_to_measure_is_none(truth: Dataset) -> None:
    empty = Dataset.of(Path(), [LabeledImage("0.png", 100, 100, [], [])], ("a",))
    nothing = [Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0), ("a",))]
    assert paired_loss(empty, nothing, nothing) == (None, None)
