"""Merge the boxes that were detected in overlapping tiles of one image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.boxes import Boxes, parts_within
from boxwright.ops.nms import multiclass_nms

IOU = 0.5  # above it two boxes of a class are of one object
MAX_TOTAL = 1000  # whole and cut boxes in an image, each; the best ones
PART = 0.5  # of a box that a tile cuts, inside a whole one: above it both are of one object


def merge(
    boxes: Boxes, scores: NDArray[np.float32], labels: NDArray[np.int32], is_cut: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The indices of the boxes to keep, best first.

    Boxes are dropped, never joined, so that neighbours stay apart however close they are: a box is
    dropped if its IoU with a better one of its class exceeds 0.5, and a box that the edge of its
    tile cuts also if half of it is inside of a whole box of its class.

    Args:
        boxes: `(n, 4)` xyxy.
        scores, labels: `(n,)`.
        is_cut: `(n,)`, True where a box ends at an edge of its tile that is inside of the image.
    """
    whole, cut = np.flatnonzero(~is_cut), np.flatnonzero(is_cut)
    whole = whole[_nms(boxes[whole], scores[whole], labels[whole])]
    cut = cut[_nms(boxes[cut], scores[cut], labels[cut])]
    same = labels[cut][:, None] == labels[whole]
    inside = (parts_within(boxes[cut], boxes[whole]) > PART) & same
    kept = np.concatenate([whole, cut[~inside.any(axis=1)]])
    order: NDArray[np.int64] = kept[np.argsort(-scores[kept], kind="stable")]
    return order


def _nms(boxes: Boxes, scores: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Indices after NMS within each class."""
    count = len(boxes)
    by_class = np.zeros((count, int(labels.max(initial=0)) + 1), np.float32)
    by_class[np.arange(count), labels] = scores
    kept, _ = multiclass_nms(
        boxes, by_class, iou_threshold=IOU, max_per_class=MAX_TOTAL, max_total=MAX_TOTAL
    )
    return kept
