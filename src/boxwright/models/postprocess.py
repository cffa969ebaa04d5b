"""From a network's raw outputs to boxes, scores and labels, one photo at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.boxes import coder
from boxwright.boxes.nms import multiclass_nms
from boxwright.data.geometry import clip

SCORE_THRESHOLD = 1e-8
IOU_THRESHOLD = 0.6
MAX_DETECTIONS = 100

Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


def box_scales(model: Any) -> coder.Scales:
    """The box coder's of a model of `ssd.build`'s interface: the usual ones if it names none."""
    scales: coder.Scales = getattr(model, "box_scales", coder.SCALES)
    return scales


def postprocess(
    box_encodings: NDArray[np.float32],
    class_logits: NDArray[np.float32],
    anchors: NDArray[np.float32],
    *,
    score_threshold: float = SCORE_THRESHOLD,
    iou_threshold: float = IOU_THRESHOLD,
    max_per_class: int = MAX_DETECTIONS,
    max_total: int = MAX_DETECTIONS,
    scales: coder.Scales = coder.SCALES,
) -> list[Found]:
    """Decode, score and suppress.

    Args:
        box_encodings: `(B, A, 4)`.
        class_logits: `(B, A, C)`.
        anchors: `(A, 4)` normalised yxyx.
        scales: the box coder's.

    Returns:
        For each photo boxes `(n, 4)` normalised yxyx within [0, 1], scores `(n,)` and class ids
        `(n,)`, best first.
    """
    found = []
    for encodings, logits in zip(box_encodings, class_logits, strict=True):
        boxes = coder.decode(encodings, anchors, scales=scales)
        scores = 1 / (1 + np.exp(-logits))
        index, labels = multiclass_nms(
            boxes,
            scores,
            score_threshold=score_threshold,
            iou_threshold=iou_threshold,
            max_per_class=max_per_class,
            max_total=max_total,
        )
        found.append((clip(boxes[index], 1, 1), scores[index, labels], labels))
    return found
