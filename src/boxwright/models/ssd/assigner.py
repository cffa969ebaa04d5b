"""The target assigner: which anchor answers for which labelled box.

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
    """What the heads should have said. `A` anchors, `B` photos, `C` classes.

    `match (B, A)` int32: row of the labelled box, or BACKGROUND, or IGNORED.
    `class_targets (B, A, C)`: one-hot; zeros for background.
    `class_weights (B, A)`, `box_weights (B, A)`: how much each anchor counts.
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
    """For each anchor the row of its labelled box, or BACKGROUND or IGNORED: `(B, A)` int32.

    An anchor takes the box it overlaps most if their IoU reaches `positive_iou`. Then every forcing
    box takes the anchor it overlaps most, whatever the IoU; of two boxes that want the same
    anchor, and of two equal overlaps, the lower index wins.

    Args:
        boxes: `(B, G, 4)` normalised yxyx, padded to `G` rows.
        present: `(B, G)` bool, false on padding.
        forcing: `(B, G)` bool, true for the boxes that must have an anchor.
        anchors: `(A, 4)` normalised yxyx.
        positive_iou, negative_iou: IoU from which an anchor takes a box, and below which it is
            background.
        ignore_between: whether those between are ignored; else those below are.
    """
    overlap = ops.where(present[..., None], iou(boxes, anchors), -1.0)  # (B, G, A)
    best_box = ops.cast(ops.argmax(overlap, axis=1), "int32")
    best = ops.max(overlap, axis=1)
    below, between = (BACKGROUND, IGNORED) if ignore_between else (IGNORED, BACKGROUND)
    if negative_iou < positive_iou:
        left = ops.where(best < negative_iou, below, between)
        # Without a single box the original has nothing to compare and all is background.
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
        boxes: `(B, G, 4)` normalised yxyx, padded to `G >= 1` rows.
        labels: `(B, G)` int, 0-based class ids; PADDING and IGNORED_REGION as in `Truth`.
        weights: `(B, G)` float: how much each box counts, usually 1; a box of weight 0 keeps
            its anchors from being background but forces none, unless it is an ignored
            region: that keeps all anchors from being background which would answer for an object
            in its place.
        anchors: `(A, 4)` normalised yxyx.
        num_classes: `C`.
        positive_iou, negative_iou, ignore_between: of `match`.
        force_match: whether a box of some weight takes its best anchor in any case.
        scales: the box coder's.
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
