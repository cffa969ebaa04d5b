"""Outputs of NanoDet and NanoDet-Plus: class scores, then each side as a distribution.

Source: NanoDet's `nanodet_head.py` and `nanodet_plus_head.py` (Lyu, github.com/RangiLyu/nanodet);
distributions after Li et al. 2020, "Generalized Focal Loss".
"""

from __future__ import annotations

from functools import partial

import numpy as np

from boxwright.inference.heads.grids import Grid, grid_of
from boxwright.inference.heads.head import Arrays, Facts, Head, as_scores, suppressed
from boxwright.models.model import Candidates
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig

SIDES, BINS = 4, 8
COCO_CLASSES = 80
PLUS_STRIDES = (8, 16, 32, 64)
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # BGR
NMS = NmsConfig(score_threshold=0.01)


def recognize(facts: Facts) -> Head | None:
    """The head with one output `(1, N, C + 32)` for N cells.

    The same shape may be a YOLO head of more classes. It is NanoDet's with that many class names,
    with four strides, or with COCO's 80 classes.
    """
    tensors = facts.of_rank(3)
    if len(tensors) != 1 or len(facts.outputs) != 1:
        return None
    _, count, columns = tensors[0][1].shape
    grid, classes = grid_of(count, facts.side), columns - SIDES * BINS
    if grid is None or grid.per_cell != 1 or classes < 1:
        return None
    plus = grid.strides == PLUS_STRIDES
    usual = (plus or classes == COCO_CLASSES) if facts.classes is None else False
    if not (usual or facts.classes == classes):
        return None
    return Head(
        "NanoDet-Plus" if plus else "NanoDet",
        "distances to the left, top, right and bottom, as distributions over 8 bins of a stride",
        classes,
        suppressed(partial(_decode, grid=grid, side=facts.side, plus=plus), NMS),
        mean=MEAN,
        std=DEVIATION,
        bgr=True,
        threshold=0.35,
    )


def _decode(outputs: Arrays, grid: Grid, side: int, plus: bool) -> Candidates:
    values = outputs[0]
    scores = as_scores(values[..., : -SIDES * BINS])
    bins = values[..., -SIDES * BINS :].reshape(*values.shape[:2], SIDES, BINS)
    distances = NUMPY.softmax(bins) @ np.arange(BINS, dtype=np.float32)
    cells = grid.cells(side)
    x, y = (cells.columns, cells.rows) if plus else (cells.columns + 0.5, cells.rows + 0.5)
    left, top, right, bottom = np.moveaxis(distances, -1, 0)
    corners = np.stack([y - top, x - left, y + bottom, x + right], axis=-1)
    return Candidates((corners * (cells.strides / side)[:, None]).astype(np.float32), scores)
