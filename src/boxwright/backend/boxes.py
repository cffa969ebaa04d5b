"""Areas and overlaps of boxes in `keras.ops`, as `ops.boxes` in NumPy.

Boxes are `(..., 4)`, two corners each: xyxy or yxyx, in any unit, not inverted.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops


def areas(boxes: Any) -> Any:
    """`(...)` areas of boxes `(..., 4)`, also for TensorFlow tensors."""
    top, left, bottom, right = _sides(boxes)
    return (bottom - top) * (right - left)


def intersections(first: Any, second: Any) -> Any:
    """Intersection areas of pairs of boxes, `(...)`; `(..., 4)` and `(..., 4)` broadcast."""
    top, left, bottom, right = _sides(first)
    other_top, other_left, other_bottom, other_right = _sides(second)
    height = ops.minimum(bottom, other_bottom) - ops.maximum(top, other_top)
    width = ops.minimum(right, other_right) - ops.maximum(left, other_left)
    return ops.maximum(height, 0.0) * ops.maximum(width, 0.0)


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
    top, left, bottom, right = _sides(first)
    other_top, other_left, other_bottom, other_right = _sides(second)
    height = ops.maximum(bottom, other_bottom) - ops.minimum(top, other_top)
    width = ops.maximum(right, other_right) - ops.minimum(left, other_left)
    hull = height * width
    union = areas(first) + areas(second) - intersections(first, second)
    outside = (hull - union) / ops.where(hull > 0, hull, 1.0)
    return iou_of_pairs(first, second) - outside


def _sides(boxes: Any) -> list[Any]:
    """The four columns; the gradient of one unstack is cheaper than that of several slices."""
    sides: list[Any] = ops.unstack(boxes, 4, axis=-1)
    return sides
