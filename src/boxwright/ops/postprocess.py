"""Postprocessing of boxes and scores to detections, image by image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.boxes import clip
from boxwright.ops.nms import multiclass_nms

RawDetections = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class NmsConfig:
    """Settings of the NMS.

    Attributes:
        score_threshold: scores must exceed it.
        iou_threshold: a box is dropped if its IoU with a better one of its class exceeds this.
        max_per_class, max_total: largest number of boxes per class and per image.
    """

    score_threshold: float = 1e-8
    iou_threshold: float = 0.6
    max_per_class: int = 100
    max_total: int = 100


def postprocess(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], nms_config: NmsConfig
) -> list[RawDetections]:
    """Apply NMS and clip the boxes.

    Args:
        boxes: `(B, A, 4)` normalized yxyx.
        scores: `(B, A, C)`.
        nms_config: settings of the NMS.

    Returns:
        For each image, boxes `(n, 4)` normalized yxyx within [0, 1], scores `(n,)` and class ids
        `(n,)`, best first.
    """
    found = []
    for own_boxes, own_scores in zip(boxes, scores, strict=True):
        index, labels = multiclass_nms(
            own_boxes,
            own_scores,
            score_threshold=nms_config.score_threshold,
            iou_threshold=nms_config.iou_threshold,
            max_per_class=nms_config.max_per_class,
            max_total=nms_config.max_total,
        )
        found.append((clip(own_boxes[index], 1, 1), own_scores[index, labels], labels))
    return found
