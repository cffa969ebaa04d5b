"""Write the boxes of downloaded images in the official files, with the official values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.openimages.format import DESCRIPTIONS, HEADER
from boxwright.formats.tables import first_rows, rows, write_rows
from boxwright.openimages.index import Index
from boxwright.openimages.rows import SOURCES, Words

FILE = re.compile(r"[0-9a-f]{16}\.jpg")


def images_here(folder: Path, split: str) -> Words:
    """The ids of the images of a split that were downloaded to a folder."""
    place = folder / split
    names = (path.name for path in place.iterdir()) if place.is_dir() else iter(())
    return np.array([int(n[:16], 16) for n in names if FILE.fullmatch(n)], np.uint64)


def codes_here(folder: Path) -> list[str]:
    """The classes of an earlier download to a folder."""
    path = folder / DESCRIPTIONS
    if not path.is_file() or not first_rows(path, 1):
        return []
    return [row[0] for _, row in rows(path) if len(row) == 2]


def is_download(folder: Path) -> bool:
    """True if a folder has an earlier download, which another one can extend."""
    return (folder / DESCRIPTIONS).is_file()


def write_classes(folder: Path, names: Mapping[str, str]) -> None:
    """Write the class descriptions: code -> name."""
    write_rows(folder / DESCRIPTIONS, list(names.items()))


def write_boxes(folder: Path, split: str, index: Index, codes: Iterable[str]) -> tuple[int, int]:
    """Write the boxes of these classes in the images of a split that are in the folder.

    Returns:
        The number of images with such boxes, and of boxes.
    """
    candidates = index.rows_of(codes)
    images = index.images_of(candidates)
    here = np.isin(images, images_here(folder, split))
    chosen, images = candidates[here], images[here]
    write_rows(folder / f"{split}-annotations-bbox.csv", [HEADER, *_lines(index, chosen, images)])
    return len(np.unique(images)), len(chosen)


def _lines(index: Index, chosen: NDArray[np.int64], images: Words) -> Iterator[list[object]]:
    sides, flags, sources = index.boxes(chosen)
    labels = index.labels[chosen].tolist()
    parts = (images.tolist(), sources.tolist(), labels, sides.tolist(), flags.tolist())
    for image, source, label, box, flag in zip(*parts, strict=True):
        yield [
            *(f"{image:016x}", SOURCES[source], index.codes[label], 1),
            *(f"{side:.6f}" for side in box),
            *flag,
        ]
