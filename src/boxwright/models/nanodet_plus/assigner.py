"""The assignment of cells to labeled boxes by what the network predicts.

Source: the dynamic soft label assigner of NanoDet-Plus (Lyu 2021), after SimOTA (Ge et al. 2021,
"YOLOX", section 2.1) and OTA (Ge et al. 2021, "Optimal Transport Assignment").
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from boxwright.backend import framework
from boxwright.backend.boxes import iou_of_pairs
from boxwright.models.model import IGNORED_REGION
from boxwright.models.nanodet_plus.generalized_focal import quality_focal
from boxwright.models.nanodet_plus.objective import Objective
from boxwright.models.nanodet_plus.spec import STRIDES, map_sides, priors

ops: Any = framework.keras().ops

NEVER = 1e8  # the cost of a cell that cannot answer for an object
# Cells between an object's center and the edge of its window. Farther cells cost so much that they
# are hardly ever chosen, and leaving them out makes the assignment several times as fast.
REACH = 4
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
    input_size: int,
    objective: Objective,
    verified: Any = None,
) -> Targets:
    """Choose the cells of each object: those with the lowest cost, among cells inside of its box
    and within `REACH` cells of its center on each map.

    The cost of a cell is high if its predicted box overlaps the object little, if it does not
    predict the class, and far from the center. An object gets as many cells as the best overlaps
    sum up to, at least one. Of several objects, a cell answers for the one with the lowest cost.

    Args:
        predicted: `(B, A, 4)` predicted boxes, yxyx in pixels.
        logits: `(B, A, C)` of the classes.
        boxes: `(B, G, 4)` labeled boxes, yxyx in pixels, padded to `G >= 1` rows.
        labels: `(B, G)` 0-based class ids; PADDING and IGNORED_REGION as in `Truth`.
        weights: `(B, G)`; a box without weight takes cells from the background, as any other.
        input_size: side of the input in pixels.
        objective: the settings of the costs.
        verified: `(B, C)`, see `Truth`: what is predicted for other classes costs nothing.
    """
    images, cells = predicted.shape[:2]
    near = _windows(boxes, input_size)  # (B, G, K)
    of_batch = near + ops.reshape(ops.arange(images, dtype="int32") * cells, (-1, 1, 1))
    middle = (boxes[..., None, :2] + boxes[..., None, 2:]) / 2
    cell = ops.take(ops.convert_to_tensor(priors(input_size)), near, axis=0)  # (B, G, K, 3)
    away = ops.sqrt(ops.sum(ops.square(middle - cell[..., :2]), axis=-1))  # pixels
    objects = ops.cast(labels >= 0, "float32")[..., None]
    candidates = _candidates(_inside(boxes, cell[..., :2]), away) * objects
    overlap = iou_of_pairs(boxes[:, :, None], _taken(predicted, of_batch))
    cost = (
        -ops.log(overlap + EPSILON) * objective.iou_cost
        + _class_cost(logits, labels, overlap, of_batch, verified)
        + 10.0 ** (away / cell[..., 2] - objective.center_radius)
    )
    cost = ops.where(candidates > 0, cost, NEVER)
    chosen = _chosen(cost, overlap * candidates, objective.max_cells)
    row = _row_of_lowest_cost(ops.where(chosen, cost, NEVER), of_batch, images * cells)
    row = ops.reshape(row, (images, cells))
    answers, row = ops.cast(row >= 0, "float32"), ops.maximum(row, 0)
    own = ops.take_along_axis(boxes, row[..., None], axis=1)
    return Targets(
        row=row,
        quality=iou_of_pairs(own, predicted) * answers,
        positive=ops.take_along_axis(weights, row, axis=1) * answers,
        negative=(1 - answers) * (1 - _ignored(boxes, labels, input_size)),
    )


def _windows(boxes: Any, input_size: int) -> Any:
    """`(B, G, K)` int32: the cells around each box's center, map by map, in the order of
    `priors`."""
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    parts, first = [], 0
    for side, stride in zip(map_sides(input_size), STRIDES, strict=True):
        width = min(2 * REACH + 1, side)
        corner = ops.cast(ops.round(middle / stride), "int32") - REACH
        corner = ops.clip(corner, 0, side - width)
        within = np.arange(width, dtype=np.int32)
        own = (within[:, None] * side + within).reshape(-1)
        parts.append(first + corner[..., :1] * side + corner[..., 1:] + own)
        first += side * side
    return ops.concatenate(parts, axis=-1)


def _taken(values: Any, cells: Any) -> Any:
    """Rows of `(B, A, n)` at cells `(B, G, K)` counted over the batch: `(B, G, K, n)`."""
    return ops.take(ops.reshape(values, (-1, values.shape[-1])), cells, axis=0)


def _inside(boxes: Any, positions: Any) -> Any:
    """`(B, G, K)`: 1 for positions strictly inside of a box."""
    after = positions - boxes[..., None, :2]
    before = boxes[..., None, 2:] - positions
    return ops.cast(ops.min(ops.minimum(after, before), axis=-1) > 0, "float32")


def _candidates(inside: Any, away: Any) -> Any:
    """The cells inside of each box; for a box between all cells, the nearest one."""
    nearest = ops.one_hot(ops.argmin(away, axis=-1), away.shape[-1], dtype="float32")
    none = 1 - ops.max(inside, axis=-1, keepdims=True)
    return ops.maximum(inside, nearest * none)


def _class_cost(logits: Any, labels: Any, overlap: Any, cells: Any, verified: Any) -> Any:
    """`(B, G, K)`: the quality focal loss of each cell if it answered for each object."""
    absences = quality_focal(logits, ops.zeros_like(logits))
    if verified is not None:
        absences = absences * verified[:, None]
    all_absent = ops.sum(absences, axis=-1, keepdims=True)
    column = cells * logits.shape[-1] + ops.maximum(labels, 0)[..., None]
    own = ops.take(ops.reshape(logits, (-1,)), column, axis=0)
    absent = quality_focal(own, ops.zeros_like(own))
    return _taken(all_absent, cells)[..., 0] - absent + quality_focal(own, overlap)


def _chosen(cost: Any, overlap: Any, max_cells: int) -> Any:
    """`(B, G, K)` bool: the cells with the lowest costs, as many as the largest overlaps sum up
    to."""
    max_cells = min(max_cells, cost.shape[-1])
    largest, _ = ops.top_k(overlap, max_cells)
    count = ops.clip(ops.cast(ops.sum(largest, axis=-1), "int32"), 1, max_cells)
    lowest, _ = ops.top_k(-cost, max_cells)
    limit = -ops.take_along_axis(lowest, count[..., None] - 1, axis=-1)
    return ops.logical_and(cost <= limit, cost < NEVER)


def _row_of_lowest_cost(cost: Any, cells: Any, count: int) -> Any:
    """`(count,)` int32: for each cell the row in `(B, G, K)` of the object that it costs least,
    the first of equals; -1 for a cell that no object has chosen."""
    flat = ops.reshape(cells, (-1,))
    lowest = -ops.segment_max(ops.reshape(-cost, (-1,)), flat, num_segments=count)
    best = ops.logical_and(cost < NEVER, cost <= ops.take(lowest, cells, axis=0))
    rows = cost.shape[1]
    turn = ops.cast(ops.arange(rows, 0, -1), "int32")[:, None]  # the first row has the highest
    highest = ops.segment_max(
        ops.reshape(ops.where(best, turn, 0), (-1,)), flat, num_segments=count
    )
    return ops.where(highest > 0, rows - highest, -1)


def _ignored(boxes: Any, labels: Any, input_size: int) -> Any:
    """`(B, A)`: 1 for cells inside of ignored regions."""
    ignored = ops.cast(labels == IGNORED_REGION, "float32")[..., None]
    parts = []
    for side, stride in zip(map_sides(input_size), STRIDES, strict=True):
        positions = np.arange(side, dtype=np.float32) * stride
        y, x = (
            ops.cast(
                ops.logical_and(
                    positions > boxes[..., axis, None], positions < boxes[..., axis + 2, None]
                ),
                "float32",
            )
            for axis in (0, 1)
        )
        regions = ops.einsum("bgy,bgx->byx", y * ignored, x)
        parts.append(ops.reshape(regions, (-1, side * side)))
    return ops.minimum(ops.concatenate(parts, axis=1), 1.0)
