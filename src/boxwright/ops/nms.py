"""Non-maximum suppression (NMS).

Source: the Object Detection API's `multiclass_non_max_suppression`: greedy per
class, then the best over all classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.boxes import Boxes, iou

CHUNK = 400  # candidates per step; most images need no more


def multiclass_nms(
    boxes: Boxes,
    scores: NDArray[np.float32],
    *,
    score_threshold: float = 1e-8,
    iou_threshold: float = 0.6,
    max_per_class: int = 100,
    max_total: int = 100,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Greedy suppression within each class, then the best of all classes.

    Scores are processed in descending order over all classes until `max_total` boxes are kept. Of
    equal scores the lower class comes first, then the lower index.

    Args:
        boxes: `(A, 4)`, shared by the classes, any axis order.
        scores: `(A, C)`.
        score_threshold: scores must exceed it.
        iou_threshold: a box is dropped if its IoU with a better one of its class exceeds this.
        max_per_class, max_total: largest number of boxes per class and in total.

    Returns:
        Indices into `boxes` and class ids, both `(n,)`, best score first.
    """
    flat_scores = scores.T.reshape(-1)
    (candidates,) = np.nonzero(flat_scores > score_threshold)
    candidates = candidates[np.argsort(-flat_scores[candidates], kind="stable")]
    room = np.full(scores.shape[1], max_per_class)
    index, label = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for start in range(0, len(candidates), CHUNK):
        new_label, new_index = np.divmod(candidates[start : start + CHUNK], len(boxes))
        new = boxes[new_index]
        same_class = label[:, None] == new_label
        able = ~(same_class & (iou(boxes[index], new) > iou_threshold)).any(axis=0)
        chosen = _greedy(new, new_label, able, room, iou_threshold, max_total - len(index))
        index = np.concatenate([index, new_index[chosen]])
        label = np.concatenate([label, new_label[chosen]])
        if len(index) == max_total:
            break
    return index, label


def _greedy(
    boxes: Boxes,
    label: NDArray[np.int64],
    able: NDArray[np.bool_],
    room: NDArray[np.int64],
    iou_threshold: float,
    limit: int,
) -> list[int]:
    """Indices of the boxes to keep of `n` boxes, best first.

    Args:
        boxes, label: `(n, 4)` and `(n,)`.
        able: `(n,)`, True for candidates; updated in place.
        room: `(C,)`, number of further boxes allowed per class; updated in place.
        iou_threshold, limit: largest IoU, and largest number of boxes.
    """
    chosen: list[int] = []
    for i, own in enumerate(label.tolist()):
        if len(chosen) == limit:
            break
        if able[i] and room[own]:
            chosen.append(i)
            room[own] -= 1
            able &= (label != own) | (iou(boxes[i : i + 1], boxes)[0] <= iou_threshold)
    return chosen
