"""A data set in numbers: counts, balance, sizes, and what a network of some input size makes of it.

The network squashes every photo into a square, so sizes "at the input" are those in that square.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.ops.anchors import AnchorSpec, grid_anchors, map_sides
from boxwright.ops.boxes import iou_of_pairs
from boxwright.structures.dataset import Dataset, Split

PRETRAINED_SIZE = 300  # pixels; anchors keep the size in pixels that they have there
REACHED = 0.5  # overlap with an anchor from which a box is learnt of it
SMALLEST = 8.0  # pixels; what is smaller leaves no trace in the finest map

Fractions = NDArray[np.float32]


@dataclass(frozen=True)
class ClassCount:
    """How often a class is there: boxes, photos that show it, and boxes per split."""

    name: str
    boxes: int
    photos: int
    splits: dict[str, int]


@dataclass(frozen=True)
class Stats:
    """What a data set holds.

    Attributes:
        photos, empty_photos: all photos, and those without any box.
        boxes: all boxes.
        splits: split -> photos; only splits that have some.
        classes: commonest first.
        photo_sides: pixels of the smallest, the median and the largest photo, each by its
            shorter side.
        box_sides: the smallest, the median and the largest box at the input, each by the square
            root of its area.
        input_size: side of the network's input that the numbers below are for.
        too_small: share of the boxes that are less than `SMALLEST` pixels there.
        reached: share of the boxes that overlap an anchor by half.
    """

    photos: int
    empty_photos: int
    boxes: int
    splits: dict[str, int]
    classes: list[ClassCount]
    photo_sides: tuple[int, int, int]
    box_sides: tuple[float, float, float]
    input_size: int
    too_small: float
    reached: float

    @property
    def balance(self) -> float:
        """How many times commoner the commonest class is than the rarest."""
        counts = [one.boxes for one in self.classes if one.boxes]
        return max(counts) / min(counts) if counts else 1.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "balance": self.balance}


def stats_of(dataset: Dataset, input_size: int) -> Stats:
    """Count a repaired data set."""
    at_input = sides_in_square(dataset)
    sides = np.sqrt(at_input.prod(axis=1)) * input_size
    return Stats(
        photos=len(dataset),
        empty_photos=int((np.diff(dataset.offsets) == 0).sum()),
        boxes=len(dataset.boxes),
        splits={
            split.name.lower(): int((dataset.splits == split).sum())
            for split in Split
            if (dataset.splits == split).any()
        },
        classes=count_classes(dataset),
        photo_sides=tuple(_spread(dataset.sizes.min(axis=1)).astype(int).tolist()),
        box_sides=tuple(_spread(sides.astype(np.float64)).round(1).tolist()),
        input_size=input_size,
        too_small=share(sides < SMALLEST),
        reached=share(anchor_overlap(dataset, input_size) >= REACHED),
    )


def count_classes(dataset: Dataset) -> list[ClassCount]:
    """The classes, commonest first."""
    width = len(dataset.classes)
    boxes = np.bincount(dataset.labels, minlength=width)
    photo_of_box = dataset.photo_of_box
    shown = np.unique(photo_of_box * width + dataset.labels) % max(1, width)
    photos = np.bincount(shown, minlength=width)
    splits = [split for split in Split if (dataset.splits == split).any()]
    of_box = dataset.splits[photo_of_box]
    per_split = {
        split.name.lower(): np.bincount(dataset.labels[of_box == split], minlength=width)
        for split in splits
    }
    return [
        ClassCount(
            dataset.classes[label],
            int(boxes[label]),
            int(photos[label]),
            {name: int(counts[label]) for name, counts in per_split.items()},
        )
        for label in np.argsort(-boxes, kind="stable")
    ]


def sides_in_square(dataset: Dataset) -> Fractions:
    """`(M, 2)` width and height of the boxes as fractions of the photo's."""
    photo_sides = dataset.sizes[dataset.photo_of_box].astype(np.float32)
    sides: Fractions = (dataset.boxes[:, 2:] - dataset.boxes[:, :2]) / photo_sides
    return sides


def share(which: NDArray[np.bool_]) -> float:
    """The share of True, 0 of nothing."""
    return float(which.mean()) if len(which) else 0.0


def anchor_overlap(dataset: Dataset, input_size: int) -> Fractions:
    """`(M,)` intersection over union of each box with the anchor that fits it best.

    Of the anchors of one shape the one whose centre is nearest overlaps a box most, so only that
    one is looked at.
    """
    spec = AnchorSpec(scale_factor=PRETRAINED_SIZE / input_size)
    grids = map_sides(input_size)
    anchors = grid_anchors(spec, input_size)
    far_corner = np.tile(dataset.sizes[dataset.photo_of_box], 2).astype(np.float32)
    boxes = dataset.boxes / far_corner
    centres = (boxes[:, 2:] + boxes[:, :2]) / 2
    best = np.zeros(len(boxes), np.float32)
    start = 0
    for side, count in zip(grids, spec.per_location(len(grids)), strict=True):
        nearest = (np.clip(np.floor(centres * side), 0, side - 1) + 0.5) / side
        for ymin, xmin, ymax, xmax in anchors[start : start + count]:
            half = np.array([xmax - xmin, ymax - ymin], np.float32) / 2
            anchor = np.concatenate([nearest - half, nearest + half], axis=1)
            best = np.maximum(best, iou_of_pairs(boxes, anchor))
        start += side * side * count
    return best.astype(np.float32)


def _spread(values: NDArray[Any]) -> NDArray[Any]:
    """Smallest, median and largest; zeros of nothing."""
    return np.percentile(values, (0, 50, 100), method="lower") if len(values) else np.zeros(3)
