"""Non-maximum suppression: of boxes that overlap, the best one stays.

Source of the semantics: the Object Detection API's `multiclass_non_max_suppression`: greedy per
class, then the best over all classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.data.geometry import Boxes, iou


def nms(
    boxes: Boxes, scores: NDArray[np.float32], *, iou_threshold: float = 0.6, limit: int = 100
) -> NDArray[np.int64]:
    """Indices of the boxes that stay, best first; of equal scores the lower index comes first.

    Args:
        boxes: `(n, 4)`, any axis order.
        scores: `(n,)`.
        iou_threshold: a box goes when it overlaps a better one by more than this.
        limit: stop after this many.
    """
    candidates = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(candidates) and len(kept) < limit:
        best, candidates = candidates[0], candidates[1:]
        kept.append(int(best))
        overlap = iou(boxes[best : best + 1], boxes[candidates])[0]
        candidates = candidates[overlap <= iou_threshold]
    return np.asarray(kept, np.int64)


def multiclass_nms(
    boxes: Boxes,
    scores: NDArray[np.float32],
    *,
    score_threshold: float = 1e-8,
    iou_threshold: float = 0.6,
    max_per_class: int = 100,
    max_total: int = 100,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`nms` for each class, then the best of all classes.

    Args:
        boxes: `(A, 4)`, shared by the classes.
        scores: `(A, C)`.

    Returns:
        Indices into `boxes` and class ids, both `(n,)`, best score first.
    """
    indices, labels = [], []
    for label in range(scores.shape[1]):
        (able,) = np.nonzero(scores[:, label] > score_threshold)
        best = nms(
            boxes[able], scores[able, label], iou_threshold=iou_threshold, limit=max_per_class
        )
        indices.append(able[best])
        labels.append(np.full(len(best), label, np.int64))
    index, label_of = np.concatenate(indices), np.concatenate(labels)
    order = np.argsort(-scores[index, label_of], kind="stable")[:max_total]
    return index[order], label_of[order]
