"""The threshold for showing detections is where F1 is highest."""

from __future__ import annotations

import pytest

from boxwright.evaluation.threshold import best_threshold
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny

CAT, FAR = (10, 10, 50, 50), (60, 60, 90, 90)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(CAT, 0.4, 0)], 0.25),  # half-way to the lowest that is looked at
        ([(CAT, 0.6, 0), (FAR, 0.3, 0)], 0.45),  # the wrong one stays out
        ([(CAT, 0.6, 0), (CAT, 0.5, 0)], 0.55),  # a box is found once
        ([(FAR, 0.6, 0), (CAT, 0.3, 0)], 0.2),  # better both than neither
        ([(CAT, 0.99, 0), (FAR, 0.97, 0)], 0.9),
        ([(CAT, 0.6, 1)], None),  # the wrong class
        ([(FAR, 0.6, 0)], None),
        ([(CAT, 0.05, 0)], None),  # too low to be shown
        ([], None),
    ],
)
def test_best_threshold(found: list, expected: float | None) -> None:
    truth = Dataset.of(".", [LabeledImage("a.jpg", 100, 100, [CAT], ["cat"])], ["cat", "dog"])
    boxes, scores, labels = zip(*found, strict=True) if found else ((), (), ())
    assert best_threshold(truth, [Detections(boxes, scores, labels, truth.classes)]) == expected
