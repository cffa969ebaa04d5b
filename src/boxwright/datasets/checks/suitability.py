"""Checks if a network of a given input size can learn the dataset."""

from __future__ import annotations

import math

import numpy as np

from boxwright.datasets.checks.locations import image_finding, images_of
from boxwright.datasets.stats import (
    REACHED,
    SMALLEST,
    Fractions,
    Reach,
    overlap_at,
    share,
    sides_in_square,
)
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted, part_of

SIZES = (192, 224, 300, 320, 384, 448, 512, 640)  # input sizes that may be proposed
FEW_SMALL = 0.05  # of the boxes may be too small
FEW_UNREACHED = 0.1  # of the boxes may be impossible to learn
SAMPLED = 20_000  # boxes that suffice to choose an input size
MIN_IMAGES = 50


def too_small(dataset: Dataset, input_size: int) -> list[Finding]:
    """Too many boxes that are too small for the network, and the input size that helps (BW132)."""
    sides = np.sqrt(sides_in_square(dataset).prod(axis=1))
    small = sides * input_size < SMALLEST
    if share(small) <= FEW_SMALL:
        return []
    larger = [size for size in SIZES if size > input_size]
    enough = next((size for size in larger if share(sides * size < SMALLEST) <= FEW_SMALL), None)
    if enough:
        proposal = f"at {enough} pixels {_percent(sides * enough < SMALLEST)} are"
    else:
        limit = float(np.quantile(sides, FEW_SMALL)) * input_size
        tiles = math.ceil(SMALLEST / limit) if limit > 0 else len(SIZES)
        proposal = f"no larger input helps enough; cut the images into {tiles} x {tiles} tiles"
    message = (
        f"{_percent(small)} of the boxes are below {SMALLEST:g} pixels at input size "
        f"{input_size}: {proposal}"
    )
    return image_finding("BW132", images_of(dataset, np.flatnonzero(small)), message)


def unreached(
    dataset: Dataset, input_size: int, reach: Reach | None, overlaps: Fractions | None
) -> list[Finding]:
    """Too many boxes that the network cannot learn, and the nearest input size that helps (BW133).
    Without `reach` there are no findings."""
    if reach is None or overlaps is None:
        return []
    missed = overlaps < REACHED
    if share(missed) <= FEW_UNREACHED:
        return []
    proposal = "no other input size halves that"
    some = slice(None, None, 1 + len(missed) // SAMPLED)
    others = {*SIZES} - {input_size}
    for size in sorted(others, key=lambda size: (abs(size - input_size), size)):
        still = share(overlap_at(dataset, size, reach, some) < REACHED)
        if still <= share(missed) / 2:
            proposal = f"at {size} pixels it is {still:.0%}"
            break
    message = (
        f"{_percent(missed)} of the boxes {reach.missed} at input size {input_size}: {proposal}"
    )
    return image_finding("BW133", images_of(dataset, np.flatnonzero(missed)), message)


def few_images(dataset: Dataset) -> list[Finding]:
    """Too few labeled images for a reliable score (BW138)."""
    if len(dataset) >= MIN_IMAGES:
        return []
    only = f"only {counted(len(dataset), 'labeled image')}" if len(dataset) else "no usable image"
    return [Finding("BW138", "all images", f"the dataset has {only}")]


def none_for_testing(dataset: Dataset) -> list[Finding]:
    """A dataset with a split but no test images (BW122)."""
    sets = {Split(int(split)) for split in np.unique(dataset.splits)} - {Split.UNASSIGNED}
    if not sets or Split.TEST in sets:
        return []
    names = " and ".join(split.name.lower() for split in sorted(sets))
    return [Finding("BW122", "all images", f"there is no test split, only {names}")]


def showing_nothing(dataset: Dataset) -> list[Finding]:
    """Labeled images without boxes (BW149)."""
    images = [dataset.names[i] for i in np.flatnonzero(np.diff(dataset.offsets) == 0)]
    return image_finding(
        "BW149", images, f"{part_of(len(images), len(dataset), 'image', 'has', 'have')} no box"
    )


def _percent(which: np.ndarray) -> str:
    return f"{share(which):.0%}"
