"""Choice of the default score threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boxwright.evaluation.matching import in_ignored_region
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

LOWEST, HIGHEST = 0.1, 0.9
IOU = 0.5


def best_threshold(truth: Dataset, detections: Sequence[Detections]) -> float | None:
    """The score threshold with the highest F1 at IoU 0.5; None without any true positive.

    A fixed threshold of 0.5 does not work: scores trained with a focal loss are low.

    Args:
        truth: labeled images.
        detections: one per image, best score first, class ids as in `truth`.
    """
    scores, hits = [], []
    for image, found in enumerate(detections):
        rows = truth.rows(image)
        free = np.ones(len(truth.labels[rows]), np.bool_)
        overlap = iou(found.boxes, truth.boxes[rows])
        excused = in_ignored_region(truth, image, found.boxes)
        for i in np.flatnonzero(found.scores >= LOWEST):
            able = np.where(free & (truth.labels[rows] == found.labels[i]), overlap[i], 0)
            hit = able.max(initial=0) >= IOU
            if hit:
                free[able.argmax()] = False
            elif excused[i]:
                continue
            scores.append(float(found.scores[i]))
            hits.append(hit)
    if not any(hits):
        return None
    order = np.argsort(-np.asarray(scores), kind="stable")
    right = np.cumsum(np.asarray(hits)[order])
    f1 = 2 * right / (np.arange(1, len(right) + 1) + len(truth.boxes))
    best = int(np.argmax(f1))
    ranked = np.append(np.asarray(scores)[order], LOWEST)
    between = (ranked[best] + ranked[best + 1]) / 2  # halfway to the next score
    return round(float(np.clip(between, LOWEST, HIGHEST)), 2)
