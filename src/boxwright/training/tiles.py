"""Labeled images cut into tiles, as a detector of large images sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.augment.transforms import CropAroundObject
from boxwright.inference.tiling import SMALLEST, Region, Tiling, size_of
from boxwright.ops.boxes import Boxes, areas, as_boxes, intersections
from boxwright.structures.dataset import Dataset


class _Tile(NamedTuple):
    """A tile: its image, its place, which boxes of the dataset are in it and which are ignored
    there, and its other ignored regions."""

    image: int
    region: Region
    rows: NDArray[np.int64]
    doubtful: NDArray[np.int64]
    ignored: Boxes


def cut(dataset: Dataset, tiling: Tiling | None, input_size: int, seed: int = 0) -> Dataset:
    """The tiles of each image that is cut, and each image as a whole; itself without a tiling.

    Boxes are clipped to their tile by the rule of random crops: below 0.4 of its area a box is an
    ignored region, below 0.1 it is dropped. In a whole image that is cut, objects too small for the
    network are ignored. Of the tiles without objects only as many stay as there are with objects.

    Args:
        dataset: labeled images.
        tiling: how they are cut.
        input_size: side of the network's input, pixels.
        seed: of the choice of tiles without objects.
    """
    if tiling is None:
        return dataset
    wholes: list[_Tile] = []
    tiles: list[_Tile] = []
    empty: list[_Tile] = []
    for image in range(len(dataset)):
        whole, *parts = _tiles(dataset, image, tiling, input_size)
        wholes.append(whole)
        for tile in parts:
            (tiles if len(tile.rows) + len(tile.doubtful) else empty).append(tile)
    shuffled = np.random.default_rng(seed).permutation(len(empty))
    some = [empty[number] for number in shuffled[: len(tiles)]]
    ordered = sorted([*wholes, *tiles, *some], key=lambda tile: tile.image)  # each decoded once
    return _as_dataset(dataset, ordered)


def _tiles(dataset: Dataset, image: int, tiling: Tiling, input_size: int) -> Iterator[_Tile]:
    width, height = dataset.sizes[image].tolist()
    own = dataset.rows(image)
    rows = np.arange(own.start, own.stop)
    regions = tiling.regions(width, height)
    sides = np.sqrt(areas(dataset.boxes[rows]) / (width * height)) * input_size
    is_small = (sides < SMALLEST) & bool(regions)
    ignored = dataset.ignored_in(image)
    yield _Tile(image, (0, 0, width, height), rows[~is_small], rows[is_small], ignored)
    area = areas(dataset.boxes[rows])
    for region in regions:
        inside = intersections(dataset.boxes[rows], np.array(region, np.float32))
        visible = np.divide(inside, area, out=np.zeros_like(inside), where=inside > 0)
        kept = visible >= CropAroundObject.ignore_below
        doubtful = (visible >= CropAroundObject.min_visibility) & ~kept
        also = ignored[intersections(ignored, np.array(region, np.float32)) > 0]
        yield _Tile(image, region, rows[kept], rows[doubtful], also)


def _as_dataset(dataset: Dataset, tiles: list[_Tile]) -> Dataset:
    regions = np.array([tile.region for tile in tiles], np.int32).reshape(-1, 4)
    rows = np.concatenate([np.zeros(0, np.int64), *(tile.rows for tile in tiles)])
    counts = [len(tile.rows) for tile in tiles]
    also = [np.concatenate([dataset.boxes[tile.doubtful], tile.ignored]) for tile in tiles]
    ignoring = np.repeat(np.arange(len(tiles)), [len(each) for each in also])
    return replace(
        dataset.select(np.array([tile.image for tile in tiles], np.int64)),
        sizes=np.array([size_of(tile.region) for tile in tiles], np.int32).reshape(-1, 2),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        boxes=_moved(dataset.boxes[rows], regions[np.repeat(np.arange(len(tiles)), counts)]),
        labels=dataset.labels[rows],
        flags=dataset.flags[rows],
        ignored=_moved(np.concatenate([as_boxes(()), *also]), regions[ignoring]),
        image_of_ignored=ignoring,
        regions=regions,
    )


def _moved(boxes: Boxes, regions: NDArray[np.int32]) -> Boxes:
    """Boxes clipped to regions, one each, and in pixels of these."""
    edges = regions.astype(np.float32)
    clipped = boxes.clip(np.tile(edges[:, :2], 2), np.tile(edges[:, 2:], 2))
    return as_boxes(clipped - np.tile(edges[:, :2], 2))
