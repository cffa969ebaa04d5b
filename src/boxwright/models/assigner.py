"""The target assigner: which anchor answers for which labelled box.

Source: the Object Detection API's `argmax_matcher` (threshold 0.5 both ways, every box forces its
best anchor) and `target_assigner`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boxwright.boxes import coder
from boxwright.models import framework

ops: Any = framework.keras().ops

BACKGROUND = -1
IOU_THRESHOLD = 0.5


class Targets(NamedTuple):
    """What the heads should have said. `A` anchors, `B` photos, `C` classes.

    `match (B, A)` int32: row of the labelled box, or BACKGROUND.
    `class_targets (B, A, C)`: one-hot; zeros for background.
    `class_weights (B, A)`, `box_weights (B, A)`: how much each anchor counts.
    `box_targets (B, A, 4)`: encodings; zeros for background.
    """

    match: Any
    class_targets: Any
    class_weights: Any
    box_targets: Any
    box_weights: Any


def match(boxes: Any, present: Any, forcing: Any, anchors: Any) -> Any:
    """For each anchor the row of its labelled box, or BACKGROUND: `(B, A)` int32.

    An anchor takes the box it overlaps most if their IoU reaches IOU_THRESHOLD. Then every
    forcing box takes the anchor it overlaps most, whatever the IoU; of two boxes that want the
    same anchor, and of two equal overlaps, the lower index wins.

    Args:
        boxes: `(B, G, 4)` normalised yxyx, padded to `G` rows.
        present: `(B, G)` bool, false on padding.
        forcing: `(B, G)` bool, true for the boxes that must have an anchor.
        anchors: `(A, 4)` normalised yxyx.
    """
    overlap = ops.where(present[..., None], _iou(boxes, anchors), -1.0)  # (B, G, A)
    best_box = ops.cast(ops.argmax(overlap, axis=1), "int32")
    matched = ops.where(ops.max(overlap, axis=1) >= IOU_THRESHOLD, best_box, BACKGROUND)
    rows = ops.arange(boxes.shape[1], dtype="int32")
    forced = ops.one_hot(ops.argmax(overlap, axis=2), anchors.shape[0], dtype="bool")
    forced = ops.logical_and(forced, forcing[..., None])
    first = ops.min(ops.where(forced, rows[None, :, None], boxes.shape[1]), axis=1)
    return ops.where(first < boxes.shape[1], first, matched)


def assign(boxes: Any, labels: Any, weights: Any, anchors: Any, num_classes: int) -> Targets:
    """Targets for a batch.

    Args:
        boxes: `(B, G, 4)` normalised yxyx, padded to `G >= 1` rows.
        labels: `(B, G)` int, 0-based class ids; negative on padding.
        weights: `(B, G)` float: how much each box counts, usually 1; a box of weight 0 keeps
            its anchors from being background but forces none.
        anchors: `(A, 4)` normalised yxyx.
        num_classes: `C`.
    """
    present = labels >= 0
    matched = match(boxes, present, ops.logical_and(present, weights > 0), anchors)
    positive = ops.cast(matched >= 0, "float32")
    row = ops.maximum(matched, 0)
    weight = ops.take_along_axis(weights, row, axis=1)
    label = ops.take_along_axis(labels, row, axis=1)
    box = ops.take_along_axis(boxes, row[..., None], axis=1)
    return Targets(
        match=matched,
        class_targets=ops.one_hot(label, num_classes, dtype="float32") * positive[..., None],
        class_weights=ops.where(matched >= 0, weight, 1.0),
        box_targets=coder.encode(box, anchors, xp=ops) * positive[..., None],
        box_weights=weight * positive,
    )


def _iou(boxes: Any, anchors: Any) -> Any:
    """IoU of `(B, G, 4)` boxes with `(A, 4)` anchors: `(B, G, A)`."""
    corner = ops.maximum(boxes[:, :, None, :2], anchors[:, :2])
    far_corner = ops.minimum(boxes[:, :, None, 2:], anchors[:, 2:])
    sides = ops.maximum(far_corner - corner, 0.0)
    intersection = sides[..., 0] * sides[..., 1]
    union = _area(boxes)[..., None] + _area(anchors) - intersection
    return ops.where(intersection > 0, intersection / ops.where(union > 0, union, 1.0), 0.0)


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
