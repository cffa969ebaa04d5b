"""What a format's reader hands over, and what every format can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import NamedTuple, Protocol

from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import WHOLE_FILE, Dataset, Split
from boxwright.structures.findings import Finding

LARGEST = 1e7  # beyond this a coordinate is no pixel, and float32 no longer counts them


@dataclass(slots=True)
class Labeled:
    """One image as its annotation describes it, before the image itself is looked at.

    Attributes:
        path: the annotation file, below the root.
        image: what the annotation calls its image; empty if it does not.
        boxes: xyxy as they were drawn, flat, four numbers each.
        names: one class name per box.
        flags: one bit set of DIFFICULT, TRUNCATED, CROWD per box.
        size: of the image that the boxes were drawn on; None if the annotation has no place for
            it, 0 x 0 if it has and says nothing sensible there.
        place: where in the file: `:12` for a line, `, record 3`.
        relative: whether boxes are fractions of the oriented image instead of pixels.
        as_stored: whether fractions are of the image as it is stored, by tools that ignore EXIF.
        alone: whether the file is about this one image, so that the image may bear its name.
        split: what the annotation says the image is for.
        byte_range: start and length of the image's bytes, if they are in the annotation file.
    """

    path: str
    image: str = ""
    boxes: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    size: Size | None = None
    place: str = ""
    relative: bool = False
    as_stored: bool = False
    alone: bool = False
    split: Split = Split.UNASSIGNED
    byte_range: tuple[int, int] = WHOLE_FILE

    @property
    def where(self) -> str:
        """The annotation's file and place in it, for a person."""
        return self.path + self.place

    def add(self, name: str, box: Sequence[float], flags: int = 0) -> None:
        """Append one labeled box, `xmin, ymin, xmax, ymax`."""
        self.boxes.extend(box)
        self.names.append(name)
        self.flags.append(flags)

    def add_missing(self, other: Labeled) -> None:
        """Append the boxes of another annotation of the image that are not here yet."""
        there = set(self._named_boxes())
        for (name, box), flags in zip(other._named_boxes(), other.flags, strict=True):
            if (name, box) not in there:
                self.add(name, box, flags)

    def _named_boxes(self) -> Iterator[tuple[str, tuple[float, ...]]]:
        for i, name in enumerate(self.names):
            yield name, tuple(self.boxes[4 * i : 4 * i + 4])


class Broken(NamedTuple):
    """A part of the annotations that cannot be used: code, place below the root, reason."""

    code: str
    where: str
    message: str


@dataclass
class Labels:
    """All that a reader found.

    Attributes:
        images: the images that have annotations, also those whose annotation is that they show
            nothing.
        classes: the class names in id order, if the format states them; else they are found in
            the boxes, and ordered by a label map or the alphabet.
        broken: what could not be read. Training on the rest is refused; the check lists it.
        findings: what was odd, and was put right or passed over.
        duplicates: images that are the same as another one, and are not used beside it.
    """

    images: list[Labeled] = field(default_factory=list)
    classes: Sequence[str] = ()
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    duplicates: set[str] = field(default_factory=set)


class Holds(Flag):
    """What a format has a place for, beside images, boxes and class names."""

    DIFFICULT = auto()
    TRUNCATED = auto()
    CROWD = auto()
    SPLITS = auto()
    EMPTY_IMAGES = auto()
    CLASS_ORDER = auto()
    UNUSED_CLASSES = auto()
    FRACTIONS = auto()  # of a pixel


class BadEntryError(Exception):
    """A row, line or object of an annotation cannot be used; says why."""


class Format(Protocol):
    """What each module of this package offers.

    A reader only collects: it does not look for images, turn or scale boxes, or put them right,
    since `assemble` does that for all formats alike.
    """

    TITLE: str  # as a person calls it
    HOLDS: Holds
    BY_STEM: bool  # whether an image and its annotation find each other by the same stem

    def detect(self, folder: Folder) -> bool:
        """Whether files of this format are there; cheap, and false for all other formats' files."""

    def read(self, folder: Folder) -> Labels:
        """All annotations of this format in the folder. Raises DataError only if none is usable."""

    def image_folder(self, split: Split) -> str | None:
        """Where images of a split go when written; None if they go into the files themselves."""

    def write(self, dataset: Dataset, names: Sequence[str], target: Path) -> None:
        """Write the annotations; `names` are where the images lie, or are to lie, below `target`.

        Raises:
            DataError: BW141 the format cannot hold a name.
        """


def number(value: object) -> float | None:
    """`value` as a coordinate; None if it is not a number, not finite, or absurdly large."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if -LARGEST < result < LARGEST else None


def numbers(cells: Iterable[str]) -> list[float]:
    """The coordinates in the cells of a row. Raises BadEntryError if one is none."""
    values = []
    for cell in cells:
        value = number(cell)
        if value is None:
            raise BadEntryError(f"'{cell[:40]}' is not a coordinate")
        values.append(value)
    return values


def size_of(width: object, height: object) -> Size:
    """The image's size as an annotation states it; a side that is no number is 0."""
    return Size(round(number(width) or 0), round(number(height) or 0))
