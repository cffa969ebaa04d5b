"""Names of boxes and images in findings, and boxes that overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.boxes import Boxes, iou_of_pairs
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

Rows = NDArray[np.int64]
Shares = NDArray[np.float32]
Row = int | np.integer
NEIGHBORS = 128  # boxes to the right that a box is compared with; enough for every image


def counted_boxes(number: Row) -> str:
    """`1 box`, `3 boxes`."""
    return f"{number} box" if number == 1 else f"{number} boxes"


def corners(box: NDArray[np.float32]) -> str:
    """A box as text: `(10, 12.5, 40, 60)`."""
    return f"({', '.join(f'{value:g}' for value in box)})"


def box_name(dataset: Dataset, row: Row) -> str:
    """The image of a box and its number there: `a.jpg, box 3`."""
    image = _image_of(dataset, row)
    return f"{dataset.names[image]}, box {row - dataset.offsets[image] + 1}"


def box_finding(dataset: Dataset, row: Row, code: str, problem: str, repair: str = "") -> Finding:
    """A finding about the box in `row`, with its class, its corners and its image's size."""
    image = _image_of(dataset, row)
    width, height = dataset.sizes[image]
    box = dataset.boxes[row]
    name = dataset.classes[dataset.labels[row]]
    return Finding(
        code,
        box_name(dataset, row),
        f"the {name} box {corners(box)} {problem} ({width} x {height})",
        repair,
        (dataset.names[image],),
        tuple(box.tolist()),
        (name,),
    )


def image_finding(
    code: str, names: Sequence[str], message: str, classes: tuple[str, ...] = ()
) -> list[Finding]:
    """One finding for all `names`; no finding without names."""
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [Finding(code, names[0] + more, message, "", tuple(names), classes=classes)]


def images_of(dataset: Dataset, rows: Rows) -> list[str]:
    """The names of the images of the boxes in these rows, each once, in order."""
    return [dataset.names[i] for i in np.unique(dataset.image_of_box[rows])]


def overlaid(
    boxes: Boxes, groups: Rows, min_iou: float, labels: NDArray[np.int32] | None = None
) -> tuple[Rows, Rows, Shares]:
    """Rows whose box overlaps that of an earlier row by `min_iou` or more.

    Boxes are compared with their next neighbors from left to right, which avoids a matrix of all
    pairs.

    Args:
        boxes: `(M, 4)`.
        groups: `(M,)` ids; boxes of different groups are not compared.
        min_iou: intersection over union.
        labels: `(M,)`; if given, boxes of the same label are not compared either.

    Returns:
        The rows, in order; for each the earlier row that it overlaps most; and their IoU.
    """
    largest = np.zeros(len(boxes), np.float32)
    partner = np.zeros(len(boxes), np.int64)
    order = np.lexsort((boxes[:, 0], groups))
    # The left sides of two boxes with this IoU differ by at most the slack.
    slack = (1 / min_iou - 1) * (boxes[:, 2] - boxes[:, 0])
    at = np.arange(len(boxes))
    for step in range(1, NEIGHBORS + 1):
        at = at[at + step < len(boxes)]
        first, second = order[at], order[at + step]
        near = groups[first] == groups[second]
        near &= boxes[second, 0] - boxes[first, 0] <= slack[first]
        at, first, second = at[near], first[near], second[near]
        if not len(at):
            break
        overlap = iou_of_pairs(boxes[first], boxes[second])
        earlier, later = np.minimum(first, second), np.maximum(first, second)
        better = (overlap >= min_iou) & (overlap > largest[later])
        if labels is not None:
            better &= labels[first] != labels[second]
        chosen = np.flatnonzero(better)
        chosen = chosen[np.argsort(overlap[chosen], kind="stable")]  # the last one counts
        largest[later[chosen]] = overlap[chosen]
        partner[later[chosen]] = earlier[chosen]
    rows = np.flatnonzero(largest)
    return rows, partner[rows], largest[rows]


def _image_of(dataset: Dataset, row: Row) -> int:
    return int(np.searchsorted(dataset.offsets, row, side="right")) - 1
