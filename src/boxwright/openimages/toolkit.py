"""The folders of the OIDv4 ToolKit, filled by its rules.

`train/Apple/0a1b....jpg` has its boxes in `train/Apple/Label/0a1b....txt`, one a line: the class,
then xmin, ymin, xmax and ymax in pixels. An image of two classes is in the folders of both, with
the boxes of one each, unless the classes share a folder: `train/Apple_Orange`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from boxwright.images.decoding import read_header
from boxwright.io.files import write_text, writing
from boxwright.openimages.fetching import Failure, Image, Told, fetch_images
from boxwright.openimages.index import Index
from boxwright.openimages.kinds import Words
from boxwright.openimages.selection import rejected, shuffled
from boxwright.openimages.writing import images_here

LABELS = "Label"
ID = re.compile(r"[0-9a-f]{16}")
SEPARATORS = re.compile(r"[/\\:]|^\.+")  # what would lead out of the folder


class ClassFolder(NamedTuple):
    """A folder of images.

    Attributes:
        split: of the images.
        name: such as `Apple`, or `Apple_Orange` for two classes together.
        codes: the classes whose boxes are written.
        images: the images that were chosen for it.
    """

    split: str
    name: str
    codes: tuple[str, ...]
    images: tuple[Image, ...]

    def below(self, root: Path) -> Path:
        return root / self.split / self.name


def class_folders(
    split: str,
    index: Index,
    names: Mapping[str, str],
    *,
    together: bool = False,
    where: Mapping[str, int] | None = None,
    limit: int | None = None,
) -> list[ClassFolder]:
    """Choose the images of a split.

    Args:
        split: the split.
        index: its boxes, or its labels of images.
        names: the classes, code -> name.
        together: one folder for all classes.
        where: flag -> value. An image is left out if any of its boxes has another value, whatever
            its class.
        limit: images of each class, at most.
    """
    others = rejected(index, where) if where else np.zeros(0, np.uint64)
    chosen = {}
    for code in names:
        images = np.setdiff1d(index.images_of(index.rows_of([code])), others)
        numbers = shuffled(images)[:limit].tolist()
        chosen[code] = [Image(split, f"{number:016x}") for number in numbers]
    groups: list[tuple[str, ...]] = [tuple(names)] if together else [(code,) for code in names]
    return [
        ClassFolder(
            split,
            SEPARATORS.sub("_", "_".join(names[code] for code in codes)),
            codes,
            tuple(dict.fromkeys(image for code in codes for image in chosen[code])),
        )
        for codes in groups
    ]


def missing(folders: Sequence[ClassFolder], root: Path) -> int:
    """The number of images that `fill` would download."""
    return sum(not place.is_file() for place in _first(_targets(folders, root)).values())


def fill(
    folders: Sequence[ClassFolder], root: Path, threads: int, told: Told = lambda *_: None
) -> list[Failure]:
    """Download the images that are missing. An image of several folders is downloaded once.

    Returns:
        The images that failed.

    Raises:
        SystemFaultError: BW902, BW903 a folder cannot be written.
    """
    targets = _targets(folders, root)
    first = _first(targets)
    failures = fetch_images(first, threads, told)
    for image in targets.keys() - {failure.image for failure in failures}:
        for path in targets[image]:
            if not path.is_file():
                with writing(path) as draft:
                    shutil.copyfile(first[image], draft)
    return failures


def _targets(folders: Sequence[ClassFolder], root: Path) -> dict[Image, list[Path]]:
    """Where each image belongs."""
    targets: dict[Image, list[Path]] = {}
    for folder in folders:
        for image in folder.images:
            targets.setdefault(image, []).append(folder.below(root) / f"{image.id}.jpg")
    return targets


def _first(targets: Mapping[Image, Sequence[Path]]) -> dict[Image, Path]:
    """Where each image is, or is downloaded to before it is copied."""
    return {
        image: next((path for path in paths if path.is_file()), paths[0])
        for image, paths in targets.items()
    }


def write_labels(folder: ClassFolder, root: Path, index: Index, names: Mapping[str, str]) -> int:
    """Write the boxes of all images in a folder again, also of earlier downloads.

    Args:
        folder: the folder.
        root: the folder that contains the splits.
        index: the boxes of the split.
        names: the classes to write, code -> name.

    Returns:
        The number of boxes.
    """
    labels = folder.below(root) / LABELS
    for old in labels.glob("*.txt"):
        if ID.fullmatch(old.stem):
            old.unlink()
    here = images_here(root / folder.split, folder.name)
    boxes = _boxes(index, names, here)
    for image, own in boxes.items():
        header = read_header(folder.below(root) / f"{image}.jpg")
        lines = (f"{box.line(header.width, header.height)}\n" for box in own)
        write_text(labels / f"{image}.txt", "".join(lines))
    return sum(map(len, boxes.values()))


class _Box(NamedTuple):
    """A box, its sides as fractions of the image."""

    name: str
    xmin: float
    xmax: float
    ymin: float
    ymax: float

    def line(self, width: int, height: int) -> str:
        sides = (self.xmin * width, self.ymin * height, self.xmax * width, self.ymax * height)
        return " ".join([self.name, *map(str, sides)])


def _boxes(index: Index, names: Mapping[str, str], here: Words) -> dict[str, list[_Box]]:
    """The boxes of classes in images, by image, class by class."""
    found: dict[str, list[_Box]] = {}
    for code, name in names.items():
        rows = index.rows_of([code])
        images = index.images_of(rows)
        there = np.isin(images, here)
        sides, _ = index.boxes(rows[there])
        for image, box in zip(images[there].tolist(), sides.tolist(), strict=True):
            found.setdefault(f"{image:016x}", []).append(_Box(name, *box))
    return found
