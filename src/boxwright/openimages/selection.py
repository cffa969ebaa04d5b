"""Choose images of Open Images by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.openimages.index import Index
from boxwright.openimages.rows import Words


def choose(
    index: Index,
    codes: Sequence[str],
    *,
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
        limit: the number of images, at most.
        per_class: the number of images that are chosen for each class, at most. A class can have
            more, in images that were chosen for others.
        seed: of the order.
    """
    groups = [index.rows_of([code]) for code in codes] if per_class else [index.rows_of(codes)]
    chosen = [_shuffled(index.images_of(rows), seed)[:per_class] for rows in groups]
    return _shuffled(np.concatenate([np.zeros(0, np.uint64), *chosen]), seed)[:limit]


def _shuffled(images: Words, seed: int) -> Words:
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
