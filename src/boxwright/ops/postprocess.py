"""From a network's raw outputs to boxes, scores and labels, one photo at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.ops import box_coder
from boxwright.ops.boxes import clip
from boxwright.ops.nms import multiclass_nms

Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Suppression:
    """How raw outputs become detections.

    Attributes:
        scales: the box coder's, of y, x, height and width.
        score_threshold: a score has to be above it.
        iou_threshold: a box that overlaps a better one of its class by more is dropped.
        max_per_class, max_total: how many boxes are left of a class, and of a photo.
    """

    scales: box_coder.Scales = box_coder.SCALES
    score_threshold: float = 1e-8
    iou_threshold: float = 0.6
    max_per_class: int = 100
    max_total: int = 100


def box_scales(model: Any) -> box_coder.Scales:
    """The box coder's of a model of `models.ssd.build`'s interface: the usual if it names none."""
    scales: box_coder.Scales = getattr(model, "box_scales", box_coder.SCALES)
    return scales


def postprocess(
    box_encodings: NDArray[np.float32],
    class_logits: NDArray[np.float32],
    anchors: NDArray[np.float32],
    suppression: Suppression,
) -> list[Found]:
    """Decode, score and suppress.

    Args:
        box_encodings: `(B, A, 4)`.
        class_logits: `(B, A, C)`.
        anchors: `(A, 4)` normalised yxyx.
        suppression: how.

    Returns:
        For each photo boxes `(n, 4)` normalised yxyx within [0, 1], scores `(n,)` and class ids
        `(n,)`, best first.
    """
    found = []
    for encodings, logits in zip(box_encodings, class_logits, strict=True):
        boxes = box_coder.decode(encodings, anchors, scales=suppression.scales)
        scores = 1 / (1 + np.exp(-logits))
        index, labels = multiclass_nms(
            boxes,
            scores,
            score_threshold=suppression.score_threshold,
            iou_threshold=suppression.iou_threshold,
            max_per_class=suppression.max_per_class,
            max_total=suppression.max_total,
        )
        found.append((clip(boxes[index], 1, 1), scores[index, labels], labels))
    return found
