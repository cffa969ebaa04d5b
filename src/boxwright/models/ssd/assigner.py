"""The target assigner: assignment of anchors to labeled boxes.

Source: the Object Detection API's `argmax_matcher` and `target_assigner`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.backend.boxes import iou
from boxwright.models.model import IGNORED_REGION, PADDING
from boxwright.ops import box_coder

ops: Any = framework.keras().ops

BACKGROUND = -1
IGNORED = -2


class Targets(NamedTuple):
    """Targets of the heads. `A` anchors, `B` images, `C` classes.

    `match (B, A)` int32: row of the labeled box, or BACKGROUND, or IGNORED.
    `class_targets (B, A, C)`: one-hot; zeros for background.
    `class_weights (B, A)`, `box_weights (B, A)`: weight of each anchor.
    `box_targets (B, A, 4)`: encodings; zeros for background.
    """

    match: Any
    class_targets: Any
    class_weights: Any
    box_targets: Any
    box_weights: Any


def match(
    boxes: Any,
    present: Any,
    forcing: Any,
    anchors: Any,
    *,
    positive_iou: float = 0.5,
    negative_iou: float = 0.5,
    ignore_between: bool = True,
) -> Any:
    """For each anchor the row of its labeled box, or BACKGROUND or IGNORED: `(B, A)` int32.

    An anchor takes the box it overlaps most if their IoU reaches `positive_iou`. Then every forcing
    box takes the anchor it overlaps most, at any IoU. If two boxes choose the same anchor, or two
    overlaps are equal, the lower index wins.

    Args:
        boxes: `(B, G, 4)` normalized yxyx, padded to `G` rows.
        present: `(B, G)` bool, false on padding.
        forcing: `(B, G)` bool, true for boxes that must get an anchor.
        anchors: `(A, 4)` normalized yxyx.
        positive_iou, negative_iou: lowest IoU of a positive anchor, and IoU below which an anchor
            is background.
        ignore_between: True to ignore anchors between the two; else those below are ignored.
    """
    overlap = ops.where(present[..., None], iou(boxes, anchors), -1.0)  # (B, G, A)
    best_box = ops.cast(ops.argmax(overlap, axis=1), "int32")
    best = ops.max(overlap, axis=1)
    below, between = (BACKGROUND, IGNORED) if ignore_between else (IGNORED, BACKGROUND)
    if negative_iou < positive_iou:
        left = ops.where(best < negative_iou, below, between)
        # Without any box all anchors are background, as in the original.
        left = ops.where(ops.any(present, axis=1, keepdims=True), left, BACKGROUND)
    else:
        left = BACKGROUND
    taken = ops.where(best >= positive_iou, best_box, left)
    rows = ops.arange(boxes.shape[1], dtype="int32")
    forced = ops.one_hot(ops.argmax(overlap, axis=2), anchors.shape[0], dtype="bool")
    forced = ops.logical_and(forced, forcing[..., None])
    first = ops.min(ops.where(forced, rows[None, :, None], boxes.shape[1]), axis=1)
    return ops.where(first < boxes.shape[1], first, taken)


def assign(
    boxes: Any,
    labels: Any,
    weights: Any,
    anchors: Any,
    num_classes: int,
    *,
    positive_iou: float = 0.5,
    negative_iou: float = 0.5,
    ignore_between: bool = True,
    force_match: bool = True,
    scales: box_coder.Scales = box_coder.SCALES,
) -> Targets:
    """Targets for a batch.

    Args:
        boxes: `(B, G, 4)` normalized yxyx, padded to `G >= 1` rows.
        labels: `(B, G)` int, 0-based class ids; PADDING and IGNORED_REGION as in `Truth`.
        weights: `(B, G)` float weights of the boxes, usually 1. A box with weight 0
            excludes its anchors from the background but forces none; an ignored region also
            excludes the anchor that it would force as an object.
        anchors: `(A, 4)` normalized yxyx.
        num_classes: `C`.
        positive_iou, negative_iou, ignore_between: as in `match`.
        force_match: True if a box with a positive weight always takes its best anchor.
        scales: scales of the box coder.
    """
    present = labels != PADDING
    forcing = ops.logical_or(weights > 0, labels == IGNORED_REGION)
    forcing = ops.logical_and(present, forcing) if force_match else ops.zeros_like(present)
    found = match(
        boxes, present, forcing, anchors,
        positive_iou=positive_iou, negative_iou=negative_iou, ignore_between=ignore_between,
    )  # fmt: skip
    positive = ops.cast(found >= 0, "float32")
    row = ops.maximum(found, 0)
    weight = ops.take_along_axis(weights, row, axis=1)
    label = ops.take_along_axis(labels, row, axis=1)
    box = ops.take_along_axis(boxes, row[..., None], axis=1)
    return Targets(
        match=found,
        class_targets=ops.one_hot(label, num_classes, dtype="float32") * positive[..., None],
        class_weights=ops.where(found >= 0, weight, ops.cast(found == BACKGROUND, "float32")),
        box_targets=box_coder.encode(box, anchors, ops, scales) * positive[..., None],
        box_weights=weight * positive,
    )
