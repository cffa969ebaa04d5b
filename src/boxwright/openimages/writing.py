"""Write what is known about downloaded images in the official files, with the official values."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.openimages.format import DESCRIPTIONS, HEADER
from boxwright.formats.openimages.image_labels import IMAGE_LABELS, LABEL_HEADER
from boxwright.formats.tables import first_rows, rows, write_rows
from boxwright.io.faults import translating_os_errors
from boxwright.openimages.index import Index
from boxwright.openimages.kinds import FLAGS, ID_LENGTH, Words
from boxwright.openimages.sources import image_list_name

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


def write_boxes(
    folder: Path, split: str, index: Index, codes: Iterable[str], where: Mapping[str, int]
) -> tuple[set[int], int]:
    """Write the boxes of these classes in the images of a split that are in the folder.

    Boxes whose flags have other values than `where` become groups, which training and evaluation
    ignore: left out, they would be background.

    Returns:
        The ids of the images with such boxes, and the number of boxes.
    """
    chosen, images = _here(folder, split, index, codes)
    sides, flags = index.boxes(chosen)
    flags[~index.fits(chosen, where), FLAGS.index("IsGroupOf")] = 1
    labels = [index.codes[label] for label in index.labels[chosen]]
    parts = (images.tolist(), index.sources(chosen), labels, sides.tolist(), flags.tolist())
    lines = (
        (f"{image:016x}", source, label, 1, *(f"{side:.6f}" for side in box), *flag)
        for image, source, label, box, flag in zip(*parts, strict=True)
    )
    write_rows(folder / f"{split}-annotations-bbox.csv", [HEADER, *lines])
    return set(images.tolist()), len(chosen)


def write_labels(folder: Path, split: str, index: Index, codes: Iterable[str]) -> set[int]:
    """Write which of these classes people looked for in the images of a split that are in the
    folder, and whether they are there.

    Returns:
        The ids of the images that lack one.
    """
    chosen, images = _here(folder, split, index, codes)
    labels = [index.codes[label] for label in index.labels[chosen]]
    seen = index.confidences(chosen)
    parts = (images.tolist(), index.sources(chosen), labels, seen.tolist())
    lines = (
        (f"{image:016x}", source, label, f"{confidence:g}")
        for image, source, label, confidence in zip(*parts, strict=True)
    )
    write_rows(folder / f"{split}-{IMAGE_LABELS}", [LABEL_HEADER, *lines])
    return set(images[seen == 0].tolist())


def write_image_list(folder: Path, split: str, source: Path) -> None:
    """Write the rows of a list of images, with author and license, of those in the folder.

    Args:
        folder: the folder.
        split: the split.
        source: the official list.

    Raises:
        DataError: BW160 it cannot be read.
    """
    here = {f"{image:016x}".encode() for image in images_here(folder, split).tolist()}
    with translating_os_errors(source), source.open("rb") as file:
        header = file.readline()
        kept = [header, *(line for line in file if line[:ID_LENGTH] in here)]
    lines = csv.reader(line.decode("utf-8-sig", "replace") for line in kept)
    cells = ([cell.strip() for cell in line] for line in lines)
    write_rows(folder / image_list_name(split), cells)


def _here(
    folder: Path, split: str, index: Index, codes: Iterable[str]
) -> tuple[NDArray[np.int64], Words]:
    """The rows of these classes in images that are in the folder, and the ids of the images."""
    candidates = index.rows_of(codes)
    images = index.images_of(candidates)
    here = np.isin(images, images_here(folder, split))
    return candidates[here], images[here]
