"""Simple changes of boxes, such as swapped axes, that a wrong reader or writer makes.

Boxes are `(n, 4)` xyxy as fractions of the image's sides; `aspect` is width by height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.boxes import clip, upright
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

Fractions = NDArray[np.float32]
Change = Callable[[Fractions, NDArray[np.float32]], Fractions]  # of boxes and aspects, `(n, 1)`
MIN_SHIFT, MIN_SIZES, MIN_RATIO = 0.02, 0.12, 1.12  # smaller moves are inaccurate boxes
BINS = {"image": 0.02, "box": 0.1, "ratio": 0.25}  # width of the cells in which pairs vote
REACH = 24  # cells to each side
TINY = 1e-5  # of the image's side
SIMILAR = 0.4  # log of the ratio of two sides of one object


class Move(NamedTuple):
    """A change of boxes.

    Attributes:
        cause: the fault in a few words.
        change: right boxes to wrong ones.
        undo: wrong boxes to right ones.
    """

    cause: str
    change: Change
    undo: Change


def detections_after(move: Move, found: Sequence[Detections], truth: Dataset) -> list[Detections]:
    """Detections in the images of `truth`, moved."""
    return [
        replace(one, boxes=_moved(move.change, one.boxes, size))
        for one, size in zip(found, truth.sizes, strict=True)
    ]


def fractions_of(truth: Dataset) -> Fractions:
    """The labels as fractions, `(M, 4)`."""
    sizes = truth.sizes[truth.image_of_box].astype(np.float32)
    return np.asarray(truth.boxes / np.tile(sizes, 2), np.float32)


def labels_before(move: Move, truth: Dataset) -> Fractions:
    """The labels as fractions, `(M, 4)`, with a move undone."""
    sizes = truth.sizes[truth.image_of_box].astype(np.float32)
    before: Fractions = np.clip(move.undo(fractions_of(truth), sizes[:, :1] / sizes[:, 1:]), 0, 1)
    return before


def _moved(change: Change, boxes: Fractions, size: NDArray[np.int32]) -> Fractions:
    whole = np.tile(size.astype(np.float32), 2)
    aspect = np.full((len(boxes), 1), size[0] / size[1], np.float32)
    moved = change(boxes / whole, aspect)
    return clip(np.asarray(moved * whole, np.float32), float(size[0]), float(size[1]))


# ---- Fixed moves ---------------------------------------------------------------------------------


def _transpose(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return boxes[:, [1, 0, 3, 2]]


def _transpose_pixels(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    inverse = np.float32(1) / aspect
    factors: Fractions = np.hstack([inverse, aspect, inverse, aspect])
    return boxes[:, [1, 0, 3, 2]] * factors


def _flip_x(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)


def _flip_y(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return np.stack([boxes[:, 0], 1 - boxes[:, 3], boxes[:, 2], 1 - boxes[:, 1]], axis=1)


def _turn(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return _flip_x(_flip_y(boxes, aspect), aspect)


def _quarter(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    """A quarter turn, counterclockwise: what was right is on top."""
    return _flip_y(_transpose(boxes, aspect), aspect)


def _back(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return _flip_x(_transpose(boxes, aspect), aspect)


def _size_as_corner(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return upright(np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]))


def _corner_as_size(boxes: Fractions, aspect: NDArray[np.float32]) -> Fractions:
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def shifted_by_sizes(
    boxes: Fractions, aspect: NDArray[np.float32], *, by: tuple[float, float]
) -> Fractions:
    """Boxes shifted by multiples of their own width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + np.tile(sides * np.array(by, np.float32), 2)


def shifted(boxes: Fractions, aspect: NDArray[np.float32], *, by: tuple[float, float]) -> Fractions:
    """Boxes shifted by fractions of the image."""
    return boxes + np.tile(np.array(by, np.float32), 2)


def scaled(boxes: Fractions, aspect: NDArray[np.float32], *, by: tuple[float, float]) -> Fractions:
    """Boxes of an image of another size."""
    return boxes * np.tile(np.array(by, np.float32), 2)


def grown(boxes: Fractions, aspect: NDArray[np.float32], *, by: float) -> Fractions:
    """Boxes that are larger around the same center."""
    center, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.hstack([center - by * half, center + by * half])


def shift_by_sizes(x: float, y: float, cause: str = "") -> Move:
    said = cause or f"boxes are shifted by {x:+.2f} of their width and {y:+.2f} of their height"
    return Move(
        said,
        partial(shifted_by_sizes, by=(x, y)),
        partial(shifted_by_sizes, by=(-x, -y)),
    )


def shift(x: float, y: float) -> Move:
    return Move(
        f"boxes are shifted by {100 * x:+.0f} % of the image's width and {100 * y:+.0f} % of its "
        "height",
        partial(shifted, by=(x, y)),
        partial(shifted, by=(-x, -y)),
    )


def scale(x: float, y: float) -> Move:
    return Move(
        f"boxes are of an image of another size: {x:.2g} times as wide, {y:.2g} times as high",
        partial(scaled, by=(x, y)),
        partial(scaled, by=(1 / x, 1 / y)),
    )


def growth(by: float) -> Move:
    return Move(
        f"boxes have {by:.2f} times the size of the objects",
        partial(grown, by=by),
        partial(grown, by=1 / by),
    )


FIXED = (
    Move("x and y are swapped", _transpose, _transpose),
    Move("x and y are swapped in pixels", _transpose_pixels, _transpose_pixels),
    Move("left and right are swapped", _flip_x, _flip_x),
    Move("top and bottom are swapped", _flip_y, _flip_y),
    Move("boxes are turned by 180 degrees", _turn, _turn),
    Move("boxes are turned by 90 degrees to the left", _quarter, _back),
    Move("boxes are turned by 90 degrees to the right", _back, _quarter),
    Move("width and height were read as the far corner", _size_as_corner, _corner_as_size),
    Move("the far corner was read as width and height", _corner_as_size, _size_as_corner),
    shift_by_sizes(0.5, 0.5, "the center was read as the corner"),
    shift_by_sizes(-0.5, -0.5, "the corner was read as the center"),
)
GRID = (-1, 0, 1)
# Where no detections can vote: shifts in eight directions, and images of other sizes.
TRIED = (
    *(
        kind(size * x, size * y)
        for kind, sizes in ((shift, (0.05, 0.1, 0.2)), (shift_by_sizes, (0.25, 0.5, 1.0)))
        for size in sizes
        for x in GRID
        for y in GRID
        if x or y
    ),
    *(scale(x, y) for x in (0.5, 1.0, 2.0) for y in (0.5, 1.0, 2.0) if (x, y) != (1.0, 1.0)),
)


# ---- Moves that pairs of a detection and a label vote for --------------------------------------


def voted(found: Sequence[Detections], truth: Dataset) -> Iterator[Move]:
    """The shift, in fractions of the image and of the box, the size of the image and that of the
    boxes that most pairs of a detection and a label of an image have."""
    pairs = _pairs(found, truth)
    if not len(pairs):
        return
    box, label = pairs[:, :4], pairs[:, 4:]
    sides, label_sides = box[:, 2:] - box[:, :2], label[:, 2:] - label[:, :2]
    center, label_center = (box[:, 2:] + box[:, :2]) / 2, (label[:, 2:] + label[:, :2]) / 2
    ratios = np.log(np.maximum(label_sides, TINY) / np.maximum(sides, TINY))
    same = (np.abs(ratios) < SIMILAR).all(axis=1)
    offsets = label_center - center
    if (x := _mode(offsets[same], BINS["image"])) is not None and np.abs(x).max() >= MIN_SHIFT:
        yield shift(*x)
    relative = (offsets / np.maximum(sides, TINY))[same]
    if (x := _mode(relative, BINS["box"])) is not None and np.abs(x).max() >= MIN_SIZES:
        yield shift_by_sizes(*x)
    zoom = np.log(np.maximum(label_center, TINY) / np.maximum(center, TINY))
    agreeing = (np.abs(ratios - zoom) < SIMILAR).all(axis=1)
    x = _mode(zoom[agreeing], BINS["ratio"])
    if x is not None and np.abs(x).max() >= np.log(MIN_RATIO):
        yield scale(*np.exp(x).tolist())
    near = (np.abs(offsets) < np.maximum(sides, label_sides) / 4).all(axis=1)
    x = _mode(ratios[near], BINS["ratio"])
    if x is not None and abs(float(np.mean(x))) >= np.log(MIN_RATIO):
        yield growth(float(np.exp(np.mean(x))))


def _pairs(found: Sequence[Detections], truth: Dataset) -> NDArray[np.float32]:
    """`(P, 8)`: every label of an image with each of its best detections, as fractions."""
    pairs = [np.zeros((0, 8), np.float32)]
    for index, one in enumerate(found):
        size = np.tile(truth.sizes[index].astype(np.float32), 2)
        labels = truth.boxes[truth.rows(index)] / size
        boxes = one.boxes[: 2 * len(labels) + 2] / size
        every = np.meshgrid(np.arange(len(boxes)), np.arange(len(labels)), indexing="ij")
        first, second = (grid.ravel() for grid in every)
        pairs.append(np.hstack([boxes[first], labels[second]]))
    return np.concatenate(pairs)


def _mode(values: NDArray[np.float32], width: float) -> tuple[float, float] | None:
    """The densest place of points `(P, 2)`: the median of the points around it."""
    cells = np.floor(values / width + 0.5).astype(np.int64)
    inside = (np.abs(cells) <= REACH).all(axis=1)
    if not inside.any():
        return None
    counts = np.zeros((2 * REACH + 3, 2 * REACH + 3))
    np.add.at(counts, tuple((cells[inside] + REACH + 1).T), 1)
    around = sum(
        np.roll(counts, (x, y), axis=(0, 1)) for x in GRID for y in GRID
    )  # the border is empty
    best = np.array(np.unravel_index(int(np.argmax(around)), counts.shape)) - REACH - 1
    close = inside & (np.abs(cells - best) <= 1).all(axis=1)
    x, y = np.median(values[close], axis=0).tolist()
    return x, y
