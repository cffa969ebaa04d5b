"""The assignment of cells to labeled boxes by what the network predicts.

Source: the dynamic soft label assigner of NanoDet-Plus (Lyu 2021), after SimOTA (Ge et al. 2021,
"YOLOX", section 2.1) and OTA (Ge et al. 2021, "Optimal Transport Assignment").
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.backend.boxes import iou_of_pairs
from boxwright.models.model import IGNORED_REGION
from boxwright.models.nanodet_plus.generalized_focal import quality_focal
from boxwright.models.nanodet_plus.objective import Objective

ops: Any = framework.keras().ops

NEVER = 1e8  # the cost of a cell that cannot answer for an object
FARTHEST = 10.0  # strides; the cost grows up to this distance from the center
EPSILON = 1e-7


class Targets(NamedTuple):
    """Targets of the cells. `A` cells, `B` images.

    `row (B, A)` int32: the labeled box that the cell answers for, 0 for background.
    `quality (B, A)`: IoU of the predicted box with it; 0 for background.
    `positive (B, A)`: weight of the labeled box; 0 for background.
    `negative (B, A)`: weight as background: 1, or 0 for positive cells and in ignored regions.
    """

    row: Any
    quality: Any
    positive: Any
    negative: Any


def assign(
    predicted: Any,
    logits: Any,
    boxes: Any,
    labels: Any,
    weights: Any,
    priors: Any,
    objective: Objective,
) -> Targets:
    """Choose the cells of each object: those with the lowest cost, among cells inside of its box.

    The cost of a cell is high if its predicted box overlaps the object little, if it does not
    predict the class, and far from the center. An object gets as many cells as the best overlaps
    sum up to, at least one. Of several objects, a cell answers for the one with the lowest cost.

    Args:
        predicted: `(B, A, 4)` predicted boxes, yxyx in pixels.
        logits: `(B, A, C)` of the classes.
        boxes: `(B, G, 4)` labeled boxes, yxyx in pixels, padded to `G >= 1` rows.
        labels: `(B, G)` 0-based class ids; PADDING and IGNORED_REGION as in `Truth`.
        weights: `(B, G)`; a box without weight takes cells from the background, as any other.
        priors: `(A, 3)` y, x and stride of the cells.
        objective: the settings of the costs.
    """
    positions, strides = priors[:, :2], priors[:, 2]
    inside = _inside(boxes, positions)  # (B, G, A)
    middle = (boxes[..., None, :2] + boxes[..., None, 2:]) / 2
    away = ops.sqrt(ops.sum(ops.square(middle - positions), axis=-1))  # (B, G, A) pixels
    objects = ops.cast(labels >= 0, "float32")[..., None]
    candidates = _candidates(inside, away) * objects
    overlap = iou_of_pairs(boxes[:, :, None], predicted[:, None])
    cost = (
        -ops.log(overlap + EPSILON) * objective.iou_cost
        + _class_cost(logits, labels, overlap)
        + 10.0 ** (ops.minimum(away / strides, FARTHEST) - objective.center_radius)
    )
    cost = ops.where(candidates > 0, cost, NEVER)
    chosen = _chosen(cost, overlap * candidates, objective.max_cells)
    cost = ops.where(chosen, cost, NEVER)
    row = ops.cast(ops.argmin(cost, axis=1), "int32")
    answers = ops.cast(ops.min(cost, axis=1) < NEVER, "float32")
    quality = ops.take_along_axis(overlap, row[:, None], axis=1)[:, 0] * answers
    weight = ops.take_along_axis(weights, row, axis=1)
    ignored = ops.cast(labels == IGNORED_REGION, "float32")[..., None] * inside
    return Targets(
        row=row,
        quality=quality,
        positive=weight * answers,
        negative=(1 - answers) * (1 - ops.max(ignored, axis=1)),
    )


def _inside(boxes: Any, positions: Any) -> Any:
    """`(B, G, A)`: 1 for positions strictly inside of a box."""
    after = positions - boxes[..., None, :2]
    before = boxes[..., None, 2:] - positions
    return ops.cast(ops.min(ops.minimum(after, before), axis=-1) > 0, "float32")


def _candidates(inside: Any, away: Any) -> Any:
    """The cells inside of each box; for a box between all cells, the nearest one."""
    nearest = ops.one_hot(ops.argmin(away, axis=-1), away.shape[-1], dtype="float32")
    none = 1 - ops.max(inside, axis=-1, keepdims=True)
    return ops.maximum(inside, nearest * none)


def _class_cost(logits: Any, labels: Any, overlap: Any) -> Any:
    """`(B, G, A)`: the quality focal loss of each cell if it answered for each object."""
    kinds = ops.one_hot(labels, logits.shape[-1], dtype="float32")  # zeros for padding
    own = ops.einsum("bgc,bac->bga", kinds, logits)
    all_absent = ops.sum(quality_focal(logits, ops.zeros_like(logits)), axis=-1)
    absent = quality_focal(own, ops.zeros_like(own))
    return all_absent[:, None] - absent + quality_focal(own, overlap)


def _chosen(cost: Any, overlap: Any, max_cells: int) -> Any:
    """`(B, G, A)` bool: the cells with the lowest costs, as many as the largest overlaps sum up
    to."""
    max_cells = min(max_cells, cost.shape[-1])
    largest, _ = ops.top_k(overlap, max_cells)
    count = ops.clip(ops.cast(ops.sum(largest, axis=-1), "int32"), 1, max_cells)
    lowest, _ = ops.top_k(-cost, max_cells)
    limit = -ops.take_along_axis(lowest, count[..., None] - 1, axis=-1)
    return ops.logical_and(cost <= limit, cost < NEVER)
