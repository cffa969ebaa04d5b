"""Areas and overlaps of boxes in `keras.ops`, as `ops.boxes` in NumPy.

Boxes are `(..., 4)`, two corners each: xyxy or yxyx, in any unit, not inverted.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops


def areas(boxes: Any) -> Any:
    """`(...)` areas of boxes `(..., 4)`, also for TensorFlow tensors."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def intersections(first: Any, second: Any) -> Any:
    """Intersection areas of pairs of boxes, `(...)`; `(..., 4)` and `(..., 4)` broadcast."""
    corner = ops.maximum(first[..., :2], second[..., :2])
    far_corner = ops.minimum(first[..., 2:], second[..., 2:])
    sides = ops.maximum(far_corner - corner, 0.0)
    return sides[..., 0] * sides[..., 1]


def iou(first: Any, second: Any) -> Any:
    """Intersection over union of every pair: `(..., n, 4)` and `(m, 4)` give `(..., n, m)`."""
    return iou_of_pairs(first[..., None, :], second)


def iou_of_pairs(first: Any, second: Any) -> Any:
    """Elementwise intersection over union, `(...)`; `(..., 4)` and `(..., 4)` broadcast.

    Two boxes without area have an IoU of 0.
    """
    shared = intersections(first, second)
    union = areas(first) + areas(second) - shared
    return ops.where(shared > 0, shared / ops.where(union > 0, union, 1.0), 0.0)


def giou_of_pairs(first: Any, second: Any) -> Any:
    """Elementwise generalized IoU, from -1 to 1, `(...)`; `(..., 4)` and `(..., 4)` broadcast
    (Rezatofighi et al. 2019, "Generalized Intersection over Union", algorithm 1)."""
    corner = ops.minimum(first[..., :2], second[..., :2])
    far_corner = ops.maximum(first[..., 2:], second[..., 2:])
    hull = areas(ops.concatenate([corner, far_corner], axis=-1))
    union = areas(first) + areas(second) - intersections(first, second)
    outside = (hull - union) / ops.where(hull > 0, hull, 1.0)
    return iou_of_pairs(first, second) - outside
