"""Pascal VOC average precision at IoU 0.5, with all-point interpolation (VOC 2010 and later)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.matching import DetectionColumns, in_ignored_region
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset

IOU = np.float32(0.5)


def ap50_per_class(truth: Dataset, found: DetectionColumns) -> NDArray[np.float64]:
    """`(C,)` VOC AP50 of every class of `truth`; NaN for a class without truth boxes.

    DIFFICULT boxes (and CROWD, which VOC does not have) are ignored, and so are detections in
    ignored regions. Boxes are continuous: no pixel is added to their sides, as in the Object
    Detection API and unlike VOC's Matlab code.
    """
    optional = (truth.flags & (DIFFICULT | CROWD)) > 0
    best, overlap = _best_truth(truth, found)
    excused = _in_ignored_regions(truth, found)
    result = np.full(len(truth.classes), np.nan)
    for label in range(len(truth.classes)):
        wanted = int(((truth.labels == label) & ~optional).sum())
        if not wanted:
            continue
        rows = np.flatnonzero(found.labels == label)
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        touches = overlap[rows] >= IOU
        ignored = ~touches & excused[rows]
        ignored[touches] = optional[best[rows[touches]]]
        hit = np.zeros(len(rows), np.bool_)
        claims = np.flatnonzero(touches & ~ignored)
        _, first = np.unique(best[rows[claims]], return_index=True)  # later matches are duplicates
        hit[claims[first]] = True
        result[label] = _area_under_curve(hit[~ignored], wanted)
    return result


def _best_truth(
    truth: Dataset, found: DetectionColumns
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each detection the row of the truth box of its class with the highest IoU, and that IoU.

    The IoU is -1 if its image has no such box.
    """
    best = np.zeros(len(found.labels), np.int64)
    overlap = np.full(len(found.labels), -1, np.float32)
    ends = np.searchsorted(found.image, np.arange(len(truth) + 1))
    for index in range(len(truth)):
        mine, theirs = slice(ends[index], ends[index + 1]), truth.rows(index)
        if theirs.start == theirs.stop:
            continue
        same_class = found.labels[mine, None] == truth.labels[None, theirs]
        overlaps = np.where(same_class, iou(found.boxes[mine], truth.boxes[theirs]), -1)
        best[mine] = theirs.start + overlaps.argmax(axis=1)
        overlap[mine] = overlaps.max(axis=1)
    return best, overlap


def _in_ignored_regions(truth: Dataset, found: DetectionColumns) -> NDArray[np.bool_]:
    inside = np.zeros(len(found.labels), np.bool_)
    for image in np.unique(truth.image_of_ignored):
        rows = np.flatnonzero(found.image == image)
        inside[rows] = in_ignored_region(truth, image, found.boxes[rows])
    return inside


def _area_under_curve(hit: NDArray[np.bool_], wanted: int) -> float:
    """Area under the precision envelope; `hit` is `(D,)` best score first."""
    true_positives = np.cumsum(hit)
    precision = true_positives / np.arange(1, len(hit) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hit].sum() / wanted)
