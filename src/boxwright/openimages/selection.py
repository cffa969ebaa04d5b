"""Choose images of Open Images by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.openimages.index import Index
from boxwright.openimages.kinds import Words


def choose(
    index: Index,
    codes: Sequence[str],
    *,
    where: Mapping[str, int] | None = None,
    limit: int | None = None,
    per_class: int | None = None,
    seed: int = 0,
) -> Words:
    """The ids of images with a box of one of the classes, in random order.

    The order depends only on the seed and the ids. Hence a larger number contains the images of a
    smaller one, whatever else is chosen.

    Args:
        index: the boxes of a split.
        codes: the classes.
        where: flag -> the value that a box needs, such as `{"IsDepiction": 0}`.
        limit: the number of images, at most.
        per_class: the number of images that are chosen for each class, at most. A class can have
            more, in images that were chosen for others.
        seed: of the order.
    """
    groups = [index.rows_of([code]) for code in codes] if per_class else [index.rows_of(codes)]
    groups = [rows[index.fits(rows, where or {})] for rows in groups]
    chosen = [shuffled(index.images_of(rows), seed)[:per_class] for rows in groups]
    return shuffled(np.concatenate([np.zeros(0, np.uint64), *chosen]), seed)[:limit]


def choose_absent(
    labels: Index, boxes: Index, codes: Sequence[str], count: int, seed: int = 0
) -> Words:
    """The ids of images in which a person looked for one of the classes and did not find it, and
    which have none of the others as far as is known; in random order, as in `choose`.

    Args:
        labels: what people saw in the images of a split.
        boxes: its boxes.
        codes: the classes.
        count: the number of images, at most.
        seed: of the order.
    """
    rows = labels.rows_of(codes)
    seen = labels.confidences(rows) > 0
    images = labels.images_of(rows)
    present = np.concatenate([images[seen], boxes.images_of(boxes.rows_of(codes))])
    return shuffled(np.setdiff1d(images[~seen], present), seed)[:count]


def rejected(index: Index, where: Mapping[str, int]) -> Words:
    """The ids of images with any box, of whatever class, whose flags have other values."""
    rows = np.arange(len(index.labels))
    return np.unique(index.images_of(rows[~index.fits(rows, where)]))


def shuffled(images: Words, seed: int = 0) -> Words:
    """Each image once, in the order of a hash."""
    unique = np.unique(images)
    return unique[np.argsort(_hash(unique, seed), kind="stable")]


def _hash(numbers: Words, seed: int) -> NDArray[np.uint64]:
    """SplitMix64, of Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014:
    another random number for each number, without collisions."""
    start = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    mixed = numbers + start + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(31)
