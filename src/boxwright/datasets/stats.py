"""Statistics of a dataset: counts, class balance, sizes, and fit to a network's input size.

The network stretches every image to a square. Sizes "at the input" are sizes in that square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset, Split

PRETRAINED_SIZE = 300  # pixels, of the network's input
REACHED = 0.5  # IoU from which a box is learned
SMALLEST = 8.0  # pixels; smaller objects vanish even in the finest feature map

Fractions = NDArray[np.float32]


class Reach(NamedTuple):
    """Which boxes a detector family can learn.

    Attributes:
        overlap: takes boxes `(M, 4)`, xyxy as fractions of the image's sides, and the side of the
            network's input in pixels; returns `(M,)`, the IoU of each with its best anchor.
        missed: predicate for boxes whose IoU is below `REACHED`, used in findings.
    """

    overlap: Callable[[Fractions, int], Fractions]
    missed: str


@dataclass(frozen=True)
class ClassCount:
    """Counts of a class: its boxes, images with such boxes, and boxes per split."""

    name: str
    boxes: int
    images: int
    splits: dict[str, int]


@dataclass(frozen=True)
class Stats:
    """Statistics of a dataset.

    Attributes:
        images, empty_images: number of images, and of images without boxes.
        boxes: number of boxes.
        splits: number of images per split, without empty splits.
        classes: most frequent first.
        image_sides: smallest, median and largest shorter side of an image, pixels.
        box_sides: smallest, median and largest box at the input, as the square root of its area in
            pixels.
        input_size: side of the network's input, pixels.
        too_small: fraction of the boxes smaller than `SMALLEST` at the input.
        reached: fraction of the boxes that the network can learn; None if unknown.
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
        """Boxes of the most frequent class per box of the rarest."""
        counts = [one.boxes for one in self.classes if one.boxes]
        return max(counts) / min(counts) if counts else 1.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "balance": self.balance}


def stats_of(dataset: Dataset, input_size: int, overlaps: Fractions | None = None) -> Stats:
    """Compute the statistics of a repaired dataset; `overlaps` are those of `overlap_at`."""
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
        reached=None if overlaps is None else share(overlaps >= REACHED),
    )


def count_classes(dataset: Dataset) -> list[ClassCount]:
    """The classes, most frequent first."""
    width = len(dataset.classes)
    boxes = np.bincount(dataset.labels, minlength=width)
    image_of_box = dataset.image_of_box
    shown = np.sort(image_of_box * width + dataset.labels)  # faster than NumPy's `unique`
    shown = shown[np.diff(shown, prepend=-1) > 0] % max(1, width)
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
    """The fraction of True; 0 if there are no values."""
    return float(which.mean()) if len(which) else 0.0


def overlap_at(
    dataset: Dataset, input_size: int, reach: Reach, which: slice = slice(None)
) -> Fractions:
    """IoU of each box, or of `which` of them, with its best anchor, `(m,)`; see `Reach`."""
    far_corner = np.tile(dataset.sizes[dataset.image_of_box[which]], 2).astype(np.float32)
    return reach.overlap(dataset.boxes[which] / far_corner, input_size)


def _spread(values: NDArray[Any]) -> NDArray[Any]:
    """Smallest, median and largest; zeros if there are no values."""
    return np.percentile(values, (0, 50, 100), method="lower") if len(values) else np.zeros(3)
