"""Confusion matrix with background: which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.matching import DetectionColumns, excused, one_to_one
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import CROWD, Dataset

BACKGROUND = "background"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Boxes by true and by detected class; the last row and column are the background.

    A box in the last column was missed. One in the last row is a false alarm.

    Attributes:
        classes: the class names.
        counts: `(C + 1, C + 1)`: true class by detected class.
        iou: least IoU of a pair.
        thresholds: `(C,)` lowest score by class.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    iou: float
    thresholds: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": "truth",
            "columns": "detected",
            "classes": [*self.classes, BACKGROUND],
            "counts": self.counts.tolist(),
            "iou": self.iou,
            "thresholds": dict(zip(self.classes, self.thresholds, strict=True)),
        }


def confusion(
    truth: Dataset, found: DetectionColumns, thresholds: Sequence[float], least: float = 0.5
) -> Confusion:
    """Count pairs of a truth box and a detection, matched one to one without regard to class.

    The pair with the highest IoU is matched first, and of equal ones that with the better score.
    Crowds and ignored regions are left out, and so are unmatched detections inside them.
    """
    classes = len(truth.classes)
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    crowd = (truth.flags & CROWD) > 0
    found = found.above(thresholds)
    ends = np.searchsorted(found.image, np.arange(len(truth) + 1))
    for index in range(len(truth)):
        rows = np.arange(ends[index], ends[index + 1])
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        own = truth.rows(index)
        wanted = np.arange(own.start, own.stop)
        wanted = wanted[~crowd[wanted]]
        first, second = one_to_one(iou(truth.boxes[wanted], found.boxes[rows]), least)
        np.add.at(counts, (truth.labels[wanted[first]], found.labels[rows[second]]), 1)
        missed = np.delete(wanted, first)
        np.add.at(counts, (truth.labels[missed], classes), 1)
        alone = np.delete(rows, second)
        alone = alone[~excused(truth, index, found.boxes[alone])]
        np.add.at(counts, (classes, found.labels[alone]), 1)
    return Confusion(truth.classes, counts, least, tuple(map(float, thresholds)))
