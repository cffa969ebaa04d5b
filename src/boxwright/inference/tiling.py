"""Tiles: parts of a large image, each detected at the network's input size."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.artifact import Artifact
from boxwright.ops.boxes import areas
from boxwright.ops.merging import merge
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

OVERLAP = 0.2  # of a tile with the next one, as a fraction of its side
EDGE = 0.01  # of a tile's side: a box that comes closer to an edge is cut by it
SMALLEST = 8.0  # pixels of the network's input: smaller objects are hardly found
SIZES = "sizes"  # key of a detector's provenance: what `sizes_of` returns
Region = tuple[int, int, int, int]  # xyxy, pixels


@dataclass(frozen=True)
class Tiling:
    """How an image is cut into tiles.

    Attributes:
        height, width: pixels of a tile.
        overlap: fraction of a side that neighbors share at least, below 0.9. Objects that are
            smaller are whole in some tile.
        from_ratio: an image is cut if it does not fit into a tile, and if its longer or its shorter
            side is more than so many times that of a tile.
    """

    height: int
    width: int
    overlap: float = OVERLAP
    from_ratio: float = 0.0

    @classmethod
    def parse(cls, text: str, overlap: float = OVERLAP) -> Tiling:
        """`640` for squares, or `480x640` for height and width. Raises ValueError."""
        sides = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
        if not sides or not int(sides[1]) or sides[2] == "0":
            raise ValueError(f"{text!r} is neither a side in pixels nor HxW, such as 480x640.")
        return cls(int(sides[1]), int(sides[2] or sides[1]), overlap)

    @classmethod
    def trained(cls, artifact: Artifact) -> Tiling | None:
        """The tiles that a detector has learned from; None if it has learned from whole images."""
        recipe = artifact.provenance.get("recipe")
        match recipe.get("tile") if isinstance(recipe, dict) else None:
            case [int() as height, int() as width] if min(height, width) > 0:
                return cls(height, width)
        return None

    @classmethod
    def auto(cls, artifact: Artifact, overlap: float = OVERLAP) -> Tiling | None:
        """Tiles as large as the images of the training, for images in which the smallest tenth of
        its objects would be too small for the network; None if the detector does not know the sizes
        of its training.

        An image of up to twice the size of the training's is never cut, upright or turned.
        """
        match artifact.provenance.get(SIZES):
            case {
                "images": [float() as width, float() as height],
                "boxes": [float() as box, float(), float()],
            } if width > 0 < height:
                enough = box * artifact.preprocessing.size / SMALLEST / min(width, height)
                return cls(round(height), round(width), overlap, max(2.0, enough))
        return None

    def regions(self, width: int, height: int) -> list[Region]:
        """The tiles of an image; none if it is not too large."""
        if width <= self.width and height <= self.height:
            return []
        ratios = np.divide(sorted((width, height)), sorted((self.width, self.height)))
        if ratios.max() <= self.from_ratio:
            return []
        across = _starts(width, self.width, self.overlap)
        down = _starts(height, self.height, self.overlap)
        return [
            (left, top, min(left + self.width, width), min(top + self.height, height))
            for top in down
            for left in across
        ]


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Where the tiles begin along a side, at equal distances."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - overlap))) + 1
    starts: NDArray[np.float64] = np.linspace(0, length - side, count).round()
    return [int(start) for start in starts]


def sizes_of(dataset: Dataset) -> dict[str, list[float]]:
    """What `Tiling.auto` needs to know of a training: the median width and height of its images,
    and the 10 %, 50 % and 90 % quantiles of the sides of its boxes, as square roots of areas; all
    in pixels. Empty without boxes."""
    if not len(dataset.boxes):
        return {}
    sides = np.quantile(np.sqrt(areas(dataset.boxes)), (0.1, 0.5, 0.9))
    median = np.median(dataset.sizes, axis=0)
    return {"images": median.round(1).tolist(), "boxes": sides.round(1).tolist()}


def size_of(region: Region) -> tuple[int, int]:
    """Width and height of a tile."""
    left, top, right, bottom = region
    return right - left, bottom - top


def merged(whole: Detections, regions: Sequence[Region], parts: Sequence[Detections]) -> Detections:
    """The detections in an image and in its tiles, each object once.

    Args:
        whole: those in the whole image, whose size it states.
        regions: the tiles.
        parts: the detections in each, in its own pixels.
    """
    limits = np.array(whole.image_size)
    boxes, is_cut = [whole.boxes], [np.zeros(len(whole), np.bool_)]
    for region, found in zip(regions, parts, strict=True):
        first, last = np.array(region[:2]), np.array(region[2:])
        moved = found.boxes + np.tile(first, 2).astype(np.float32)
        slack = EDGE * (last - first)
        begins = (moved[:, :2] < first + slack) & (first > 0)
        ends = (moved[:, 2:] > last - slack) & (last < limits)
        boxes.append(moved)
        is_cut.append((begins | ends).any(axis=1))
    together = Detections(
        np.concatenate(boxes),
        np.concatenate([whole.scores, *(found.scores for found in parts)]),
        np.concatenate([whole.labels, *(found.labels for found in parts)]),
        whole.classes,
        whole.image_size,
    )
    cut = np.concatenate(is_cut)
    return together[merge(together.boxes, together.scores, together.labels, cut)]
