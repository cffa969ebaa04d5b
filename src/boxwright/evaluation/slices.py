"""Parts of the images, to see where a detector is weak: by brightness, folder, or a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.near_duplicates import HASHED, groups
from boxwright.datasets.near_duplicates.hashes import thumbnails
from boxwright.errors import DataError, EvaluationError
from boxwright.evaluation.bootstrap import Measured
from boxwright.formats.folder import with_slashes
from boxwright.formats.tables import rows
from boxwright.structures.dataset import Dataset

MAX_VALUES = 20  # of a column or folders; more would be a list of images
SIZES = ("small", "medium", "large")
LEAK = "split leak"


@dataclass(frozen=True)
class Subset:
    """Numbers of a part of the images, or of the objects of one size.

    Attributes:
        by: `size`, `brightness`, `folder`, `split leak`, or a column of the user's file.
        name: the part, such as `small`.
        images, boxes: how many it has.
        ap50: COCO AP50 of the part.
        recall: part of its truth boxes found at the threshold.
        precision: of its detections; undefined by size, because a false alarm has no true size.
    """

    by: str
    name: str
    images: int
    boxes: int
    ap50: Measured
    recall: Measured
    precision: Measured | None

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "name": self.name,
            "images": self.images,
            "boxes": self.boxes,
            "AP50": self.ap50.to_json(),
            "recall": self.recall.to_json(),
            "precision": self.precision.to_json() if self.precision else None,
        }


@dataclass(frozen=True, eq=False)
class Seen:
    """What the pixels say about images.

    Attributes:
        groups: `(N,)` ids of near-duplicate groups, from 0.
        brightness: `(N,)` mean gray level from 0 to 255; NaN for an image that cannot be decoded.
        leaked: `(N,)` True for near-duplicates of training images; None if they were not compared.
    """

    groups: NDArray[np.int64]
    brightness: NDArray[np.float64]
    leaked: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, images: Dataset, training: Dataset | None = None) -> Seen:
        """Decode all images, and compare them with `training` images if there are any. Those that
        cannot be decoded are groups of their own."""
        known, hashes = _hashes(images)
        brightness = np.full(len(images), np.nan)
        brightness[known] = thumbnails(hashes).mean(axis=(1, 2))
        _, others = _hashes(training) if training else (known, hashes[:0])
        found = groups(np.concatenate([hashes, others]))
        together = np.arange(len(images)) + len(images) + len(others)
        together[known] = found[: len(known)]
        leaked = np.isin(together, found[len(known) :]) if training else None
        return cls(np.unique(together, return_inverse=True)[1], brightness, leaked)


def _hashes(images: Dataset) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Indices of the images that can be decoded, and their hashes."""
    try:
        decoded, hashes = hash_images(images)
    except DataError:
        return np.zeros(0, np.int64), np.zeros((0, HASHED), np.uint8)
    key = list(zip(images.names, map(tuple, images.byte_ranges.tolist()), strict=True))
    kept = set(zip(decoded.names, map(tuple, decoded.byte_ranges.tolist()), strict=True))
    return np.flatnonzero([one in kept for one in key]), hashes


Parts = Mapping[tuple[str, str], NDArray[np.bool_]]  # by and name: `(N,)` True for its images


def by_brightness(brightness: NDArray[np.float64]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """The darkest, middle and brightest third; nothing if fewer than three differ."""
    known = brightness[~np.isnan(brightness)]
    if len(np.unique(known)) < 3:
        return {}
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    return {
        ("brightness", f"dark, gray level up to {low:.0f}"): brightness <= low,
        ("brightness", "medium"): (brightness > low) & (brightness <= high),
        ("brightness", f"bright, gray level over {high:.0f}"): brightness > high,
    }


def by_leak(leaked: NDArray[np.bool_]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """The near-duplicates of training images, and all others; nothing without any."""
    if not leaked.any():
        return {}
    return {(LEAK, "near-duplicates of training images"): leaked, (LEAK, "all others"): ~leaked}


def by_folder(images: Sequence[str]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """The images of each folder, if there are 2 to MAX_VALUES folders."""
    return _by_value("folder", [PurePosixPath(name).parent.as_posix() for name in images])


def by_table(images: Sequence[str], path: Path) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """The images of each value of each column of a CSV file whose first column names images, by
    path, file name or stem.

    Raises:
        EvaluationError: BW603 it cannot be read, or names none of the images.
    """
    try:
        table = [row for _, row in rows(path)]
    except DataError as error:
        raise _unusable(path, f"it cannot be read as CSV ({error.__cause__})") from error
    if not table or len(table[0]) < 2:
        raise _unusable(path, "it has fewer than two columns")
    values = {with_slashes(row[0]): row for row in table[1:] if row}
    found: dict[tuple[str, str], NDArray[np.bool_]] = {}
    named = [next((values[key] for key in _keys(name) if key in values), None) for name in images]
    if not any(named):
        raise _unusable(path, f"it names none of the images, such as {images[0]}")
    for column, title in enumerate(table[0][1:], start=1):
        cells = [row[column] if row and len(row) > column else "" for row in named]
        found |= _by_value(title, cells)
    return found


def seen_in(hashes: NDArray[np.uint8]) -> Seen:
    """What the hashes `(N, HASHED)` of images say about them."""
    return Seen(groups(hashes), thumbnails(hashes).mean(axis=(1, 2)))


def _keys(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    return name, path.name, path.stem


def _by_value(by: str, cells: Sequence[str]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    values = sorted({cell for cell in cells if cell})
    if not 2 <= len(values) <= MAX_VALUES:
        return {}
    return {(by, value): np.array([cell == value for cell in cells]) for value in values}


def _unusable(path: Path, reason: str) -> EvaluationError:
    return EvaluationError("BW603", f"the images cannot be divided: {reason}.", where=path)
