"""Outputs of YOLO in the layouts that Ultralytics, YOLOX and others export.

- `(1, 4 + C, N)`, or transposed: center and size of each box, and its class scores (versions 8 and
  later, and 5u; RT-DETR without grid).
- `(1, N, 5 + C)`: the same with an objectness before the class scores (versions 3, 5, 6 and 7,
  YOLOX).
- `(1, K, 6)`: corners, score and class, after suppression.

Boxes are in pixels of the input or in fractions of it. Their values tell which, because the cells
cover the whole input: so do the centers of their boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.heads.grids import Grid, grid_of
from boxwright.inference.heads.head import Arrays, Facts, Head, as_scores, suppressed, yxyx
from boxwright.models.model import Candidates
from boxwright.ops.boxes import clip
from boxwright.ops.postprocess import NmsConfig, RawDetections

NMS = NmsConfig(score_threshold=0.001, iou_threshold=0.7, max_per_class=300, max_total=300)
THRESHOLD = 0.25
MAX_QUERIES = 1000  # rows of a head without grid
FRACTIONS = 2.0  # larger centers are pixels
ON_GRID = 0.9  # correlation of centers with the cells, of boxes that are decoded
MASKS = 32  # coefficients of a mask after the class scores
CENTERED = "center x, center y, width, height, in pixels of the input or fractions of it"
CORNERS = "xmin, ymin, xmax, ymax, in pixels of the input or fractions of it"


def recognize(facts: Facts) -> Head | None:
    """The head with an output of one of the layouts."""
    heads = (
        head
        for place, tensor in facts.of_rank(3)
        if (head := _dense(facts, place, tensor.shape) or _queries(facts, place, tensor.shape))
    )
    return next(heads, None)


@dataclass(frozen=True)
class Layout:
    """Rows of boxes in an output.

    Attributes:
        place: index of the output.
        count: number of rows `N`.
        side: side of the input, pixels.
        classes: number of classes `C`.
        objectness: True if it precedes the class scores.
        grid: the cells that the rows belong to; None for queries.
    """

    place: int
    count: int
    side: int
    classes: int
    objectness: bool = False
    grid: Grid | None = None


def _dense(facts: Facts, place: int, shape: tuple[int, ...]) -> Head | None:
    rows_first, count, columns = True, *shape[1:]
    grid = grid_of(count, facts.side)
    if grid is None or columns > count:
        rows_first, columns, count = False, *shape[1:]
        grid = grid_of(count, facts.side)
    if grid is None or columns < 5:
        return None
    objectness = grid.per_cell == 3 or (rows_first and facts.classes == columns - 5)
    first = 5 if objectness else 4
    masks = any(MASKS in each.shape for _, each in facts.of_rank(4))
    found = columns - first - (MASKS if masks else 0)
    classes = min(facts.named or found, found)  # keypoints and angles follow
    if classes < 1:
        return None
    layout = Layout(place, count, facts.side, classes, objectness, grid)
    if objectness and grid.per_cell == 1 and facts.outputs[place].name == "output":
        return replace(_head("YOLOX", layout), std=(1.0,), bgr=True)
    whose = "with objectness, as of versions 5 and 7" if objectness else "as of version 8 and later"
    return _head(f"YOLO, {whose}", layout)


def _queries(facts: Facts, place: int, shape: tuple[int, ...]) -> Head | None:
    _, count, columns = shape
    if not 0 < count <= MAX_QUERIES:
        return None
    if columns == 6:
        return Head(
            "YOLO with suppression inside",
            f"{CORNERS}; then score and class",
            facts.classes or 0,
            partial(_finished, place=place, side=facts.side),
            mean=(0.0,),
            std=(255.0,),
            letterbox=True,
            threshold=THRESHOLD,
            ids="from 0",
        )
    if facts.classes is None or columns != 4 + facts.classes:
        return None
    return _head("RT-DETR of Ultralytics", Layout(place, count, facts.side, facts.classes))


def _head(family: str, layout: Layout) -> Head:
    return Head(
        family,
        CENTERED,
        layout.classes,
        suppressed(partial(_decode, layout=layout), NMS),
        mean=(0.0,),
        std=(255.0,),
        letterbox=True,
        threshold=THRESHOLD,
        ids=f"number {5 if layout.objectness else 4} of a box is the score of the first class",
    )


def _decode(outputs: Arrays, layout: Layout) -> Candidates:
    rows = outputs[layout.place]
    if rows.shape[1] != layout.count:
        rows = rows.transpose(0, 2, 1)
    first = 5 if layout.objectness else 4
    scores = as_scores(rows[..., first : first + layout.classes])
    if layout.objectness:
        scores = scores * as_scores(rows[..., 4:5])
    boxes = rows[..., :4]
    if layout.objectness and layout.grid and layout.grid.per_cell == 1:
        boxes = np.stack([_placed(each, layout.grid, layout.side) for each in boxes])
    x, y, width, height = np.moveaxis(boxes / _unit(boxes[..., :2], layout.side), -1, 0)
    return Candidates(yxyx(y, x, height, width), scores)


def _placed(boxes: NDArray[np.float32], grid: Grid, side: int) -> NDArray[np.float32]:
    """Boxes `(N, 4)` in pixels: YOLOX leaves offsets from the cells and logarithms of sizes."""
    cells = grid.cells(side)
    place = cells.columns * cells.strides
    spread = boxes[:, 0].std() * place.std()
    together = float(((boxes[:, 0] - boxes[:, 0].mean()) * (place - place.mean())).mean())
    if together >= ON_GRID * spread:
        return boxes
    centers = boxes[:, :2] + np.stack([cells.columns, cells.rows], axis=1)
    decoded = np.concatenate([centers, np.exp(boxes[:, 2:])], axis=1)
    placed: NDArray[np.float32] = decoded * cells.strides[:, None]
    return placed


def _finished(outputs: Arrays, place: int, side: int) -> list[RawDetections]:
    found = []
    for rows in outputs[place]:
        rows = rows[rows[:, 4] > NMS.score_threshold]
        rows = rows[np.argsort(-rows[:, 4], kind="stable")]
        corners = rows[:, [1, 0, 3, 2]] / _unit(rows[:, :4], side)
        found.append((clip(corners, 1, 1), rows[:, 4], rows[:, 5].round().astype(np.int64)))
    return found


def _unit(positions: NDArray[np.float32], side: int) -> np.float32:
    """What 1 is in these coordinates: the input's side in pixels, or 1 if they are fractions."""
    return np.float32(side if positions.size and positions.max() > FRACTIONS else 1)
