"""A dataset in numbers: counts, balance, sizes, and what a network of some input size makes of it.

The network squashes every image into a square, so sizes "at the input" are those in that square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset, Split

PRETRAINED_SIZE = 300  # pixels, of the network's input
REACHED = 0.5  # overlap from which a box is learned
SMALLEST = 8.0  # pixels; what is smaller leaves no trace in the finest map

Fractions = NDArray[np.float32]


class Reach(NamedTuple):
    """Which boxes a detector family can learn.

    Attributes:
        overlap: of boxes `(M, 4)` xyxy in parts of the image's sides, and the side of the network's
            input in pixels: `(M,)` the IoU of each with the best of what the network starts from.
        missed: what boxes do whose IoU is below `REACHED`.
    """

    overlap: Callable[[Fractions, int], Fractions]
    missed: str


@dataclass(frozen=True)
class ClassCount:
    """How often a class is there: boxes, images that show it, and boxes per split."""

    name: str
    boxes: int
    images: int
    splits: dict[str, int]


@dataclass(frozen=True)
class Stats:
    """What a dataset holds.

    Attributes:
        images, empty_images: all images, and those without any box.
        boxes: all boxes.
        splits: split -> images; only splits that have some.
        classes: commonest first.
        image_sides: pixels of the smallest, the median and the largest image, each by its
            shorter side.
        box_sides: the smallest, the median and the largest box at the input, each by the square
            root of its area.
        input_size: side of the network's input that the numbers below are for.
        too_small: share of the boxes that are less than `SMALLEST` pixels there.
        reached: share of the boxes that the network can learn; None where that is not known.
    """

    images: int
    empty_images: int
    boxes: int
    splits: dict[str, int]
    classes: list[ClassCount]
    image_sides: tuple[int, int, int]
    box_sides: tuple[float, float, float]
    input_size: int
    too_small: float
    reached: float | None

    @property
    def balance(self) -> float:
        """How many times commoner the commonest class is than the rarest."""
        counts = [one.boxes for one in self.classes if one.boxes]
        return max(counts) / min(counts) if counts else 1.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "balance": self.balance}


def stats_of(dataset: Dataset, input_size: int, reach: Reach | None = None) -> Stats:
    """Count a repaired dataset."""
    at_input = sides_in_square(dataset)
    sides = np.sqrt(at_input.prod(axis=1)) * input_size
    return Stats(
        images=len(dataset),
        empty_images=int((np.diff(dataset.offsets) == 0).sum()),
        boxes=len(dataset.boxes),
        splits={
            split.name.lower(): int((dataset.splits == split).sum())
            for split in Split
            if (dataset.splits == split).any()
        },
        classes=count_classes(dataset),
        image_sides=tuple(_spread(dataset.sizes.min(axis=1)).astype(int).tolist()),
        box_sides=tuple(_spread(sides.astype(np.float64)).round(1).tolist()),
        input_size=input_size,
        too_small=share(sides < SMALLEST),
        reached=share(overlap_at(dataset, input_size, reach) >= REACHED) if reach else None,
    )


def count_classes(dataset: Dataset) -> list[ClassCount]:
    """The classes, commonest first."""
    width = len(dataset.classes)
    boxes = np.bincount(dataset.labels, minlength=width)
    image_of_box = dataset.image_of_box
    shown = np.unique(image_of_box * width + dataset.labels) % max(1, width)
    images = np.bincount(shown, minlength=width)
    splits = [split for split in Split if (dataset.splits == split).any()]
    of_box = dataset.splits[image_of_box]
    per_split = {
        split.name.lower(): np.bincount(dataset.labels[of_box == split], minlength=width)
        for split in splits
    }
    return [
        ClassCount(
            dataset.classes[label],
            int(boxes[label]),
            int(images[label]),
            {name: int(counts[label]) for name, counts in per_split.items()},
        )
        for label in np.argsort(-boxes, kind="stable")
    ]


def sides_in_square(dataset: Dataset) -> Fractions:
    """`(M, 2)` width and height of the boxes as fractions of the image's."""
    image_sides = dataset.sizes[dataset.image_of_box].astype(np.float32)
    sides: Fractions = (dataset.boxes[:, 2:] - dataset.boxes[:, :2]) / image_sides
    return sides


def share(which: NDArray[np.bool_]) -> float:
    """The share of True, 0 of nothing."""
    return float(which.mean()) if len(which) else 0.0


def overlap_at(dataset: Dataset, input_size: int, reach: Reach) -> Fractions:
    """`(M,)` how well what a network starts from fits each box, at best; see `Reach`."""
    far_corner = np.tile(dataset.sizes[dataset.image_of_box], 2).astype(np.float32)
    return reach.overlap(dataset.boxes / far_corner, input_size)


def _spread(values: NDArray[Any]) -> NDArray[Any]:
    """Smallest, median and largest; zeros of nothing."""
    return np.percentile(values, (0, 50, 100), method="lower") if len(values) else np.zeros(3)
