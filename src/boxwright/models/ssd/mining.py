"""Hard example mining: only the anchors with the largest loss are trained.

Source: the Object Detection API's `HardExampleMiner`, after Liu et al. 2016, "SSD: Single Shot
MultiBox Detector", section 2.2.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework
from boxwright.models.model import Suppress
from boxwright.models.ssd.assigner import BACKGROUND

ops: Any = framework.keras().ops


def hard_examples(
    losses: Any,
    boxes: Any,
    match: Any,
    suppress: Suppress,
    *,
    max_anchors: int | None,
    iou_threshold: float,
    negatives_per_positive: float | None,
    min_negatives: int,
) -> Any:
    """The selected anchors: `(B, A)` float, 1 or 0.

    In each image NMS ranks the anchors by loss. Of the remaining background anchors only those with
    the largest loss are kept, in proportion to the number of positive anchors.

    Args:
        losses: `(B, A)`, loss of each anchor.
        boxes: `(B, A, 4)` decoded predictions.
        match: `(B, A)` from the assigner.
        suppress: the engine's NMS.
        max_anchors: largest number of anchors after NMS; None for all.
        iou_threshold: anchors with a larger overlap are dropped.
        negatives_per_positive: number of background anchors per positive one; None for all.
        min_negatives: smallest number of background anchors, if there are that many.
    """
    losses, boxes = ops.stop_gradient(losses), ops.stop_gradient(boxes)
    left = suppress(boxes, losses, max_anchors or losses.shape[1], iou_threshold)
    if negatives_per_positive is None:
        return ops.cast(left, "float32")
    positive = ops.logical_and(left, match >= 0)
    negative = ops.logical_and(left, match == BACKGROUND)
    positives = ops.sum(ops.cast(positive, "float32"), axis=1, keepdims=True)
    allowed = ops.floor(negatives_per_positive * positives)
    allowed = ops.cast(ops.maximum(allowed, min_negatives), "int32")
    worst_first = ops.argsort(-losses, axis=1)
    sorted_negative = ops.take_along_axis(ops.cast(negative, "int32"), worst_first, axis=1)
    ranks = ops.argsort(worst_first, axis=1)  # of each anchor in that order
    worse = ops.take_along_axis(ops.cumsum(sorted_negative, axis=1), ranks, axis=1)
    # An ignored anchor (its overlap is between the two thresholds) counts as negative.
    stays = ops.logical_or(positive, ops.logical_and(left, worse <= allowed))
    return ops.cast(stays, "float32")
