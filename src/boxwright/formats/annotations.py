"""The result of a format's reader, and the interface of a format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import NamedTuple, Protocol

from boxwright.errors import INVISIBLE, DataError
from boxwright.formats.about import About
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import WHOLE_FILE, Dataset, Split
from boxwright.structures.findings import Finding, counted

LARGEST = 1e7  # a larger coordinate is not a pixel, and float32 cannot represent it exactly


@dataclass(slots=True)
class Labeled:
    """One image as described by its annotation, before the image file is read.

    Attributes:
        path: the annotation file, below the root.
        image: the image name in the annotation; empty if it has none.
        boxes: xyxy as drawn, flat, four numbers per box.
        names: one class name per box.
        flags: one bit set of DIFFICULT, TRUNCATED, CROWD, OCCLUDED per box.
        size: of the image that the boxes were drawn on; None if the annotation has no field for
            it, 0 x 0 if the field is invalid.
        place: position in the file: `:12` for a line, `, record 3`.
        relative: boxes are fractions of the oriented image instead of pixels.
        percent: the format has percentages, which its reader converted to pixels or fractions.
        as_stored: fractions refer to the stored image, as in tools that ignore EXIF.
        alone: the file describes this image only, so that both may have the same stem.
        split: the split stated in the annotation.
        byte_range: start and length of the image's bytes, if they are in the annotation file.
        record: the image name in the annotation, if the reader added folders to `image`.
        hint: a longer path of the image that decides where several images fit `image`.
        anywhere: no two images of the format have the same name, whatever their folders.
        repeated: several records of the file name this image, so that they may mean different ones.
        moved: the reader has found the image, in another folder than the file says.
        ignored: regions that count neither as objects nor as background, flat as `boxes`.
        verified: someone checked the annotation, and said so in the labeling tool.
        verified_classes: the classes that someone looked for in the image, beside those of its
            boxes; None for all.
        others: where other annotations of the image are that have boxes too.
    """

    path: str
    image: str = ""
    boxes: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    size: Size | None = None
    place: str = ""
    relative: bool = False
    percent: bool = False
    as_stored: bool = False
    alone: bool = False
    split: Split = Split.UNASSIGNED
    byte_range: tuple[int, int] = WHOLE_FILE
    record: str = ""
    hint: str = ""
    repeated: bool = False
    anywhere: bool = False
    moved: bool = False
    ignored: list[float] = field(default_factory=list)
    verified: bool = False
    verified_classes: set[str] | None = None
    others: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """File and position of the annotation, for messages."""
        return self.path + self.place

    def add(self, name: str, box: Sequence[float], flags: int = 0) -> None:
        """Append one labeled box, `xmin, ymin, xmax, ymax`."""
        self.boxes.extend(box)
        self.names.append(name)
        self.flags.append(flags)

    def append(self, other: Labeled) -> None:
        """Append all boxes of another annotation of the same image."""
        self.boxes += other.boxes
        self.names += other.names
        self.flags += other.flags
        self.note_other(other)

    def add_missing(self, other: Labeled) -> int:
        """Append the boxes of another annotation that this one lacks; returns their number."""
        there, count = set(self._named_boxes()), 0
        for (name, box), flags in zip(other._named_boxes(), other.flags, strict=True):
            if (name, box) not in there:
                self.add(name, box, flags)
                count += 1
        self.note_other(other)
        return count

    def note_other(self, other: Labeled) -> None:
        """Note that another annotation of the image has boxes too, if it has some."""
        if other.names:
            self.others.append(other.where)

    def lacks(self, other: Labeled) -> int:
        """Number of boxes of another annotation that this one lacks."""
        there = set(self._named_boxes())
        return sum(box not in there for box in other._named_boxes())

    def shares_a_box(self, other: Labeled) -> bool:
        """True if both have a box of the same class and place."""
        return not set(self._named_boxes()).isdisjoint(other._named_boxes())

    def is_copy_of(self, other: Labeled) -> bool:
        """True if both have a box in common, or none has boxes."""
        return self.shares_a_box(other) or not (self.names or other.names)

    def _named_boxes(self) -> Iterator[tuple[str, tuple[float, ...]]]:
        for i, name in enumerate(self.names):
            yield name, tuple(self.boxes[4 * i : 4 * i + 4])


class Broken(NamedTuple):
    """An unusable part of the annotations: code, path below the root, reason."""

    code: str
    where: str
    message: str

    @classmethod
    def of(cls, error: DataError, where: str) -> Broken:
        """The unusable part that an error is about."""
        return cls(error.code, where, error.message.removesuffix("."))

    def needed_by(self, count: int, what: str) -> Broken:
        """The same part, with the number of annotations that are of no use without it."""
        needs = f"{counted(count, what)} cannot be used without it"
        return self._replace(message=f"{self.message}; {needs}")


@dataclass
class Labels:
    """The result of a reader.

    Attributes:
        images: the annotated images, including those annotated as empty.
        classes: the class names in id order, if the format states them; otherwise they come from
            the boxes, in the order of a label map or the alphabet.
        broken: unreadable parts. `load` raises an error for them; `boxwright check` lists them.
        findings: problems that were repaired or skipped.
        duplicates: copies of other images, which are not used.
        assumed: image -> stand-in for its missing annotation, if the format takes such images for
            images without objects.
    """

    images: list[Labeled] = field(default_factory=list)
    classes: Sequence[str] = ()
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    duplicates: set[str] = field(default_factory=set)
    assumed: dict[str, Labeled] = field(default_factory=dict)


class Holds(Flag):
    """Data that a format can store besides images, boxes and class names."""

    DIFFICULT = auto()
    TRUNCATED = auto()
    CROWD = auto()
    OCCLUDED = auto()
    IGNORED_REGIONS = auto()
    VERIFIED = auto()  # images that someone checked
    VERIFIED_CLASSES = auto()  # which classes someone looked for in an image
    SPLITS = auto()
    EMPTY_IMAGES = auto()
    CLASS_ORDER = auto()
    UNUSED_CLASSES = auto()
    FRACTIONS = auto()  # of a pixel


class BadEntryError(Exception):
    """A row, line or object of an annotation is unusable; the message is the reason."""


class Format(Protocol):
    """The interface of each format.

    A reader only collects annotations. `assemble` finds the images and orients, scales and checks
    the boxes, for all formats alike.
    """

    TITLE: str  # name in messages
    HOLDS: Holds
    BY_STEM: bool  # an image and its annotation have the same stem
    ABOUT: About  # its section in the documentation

    def detect(self, folder: Folder) -> bool:
        """True if the folder has files of this format; cheap, False for other formats."""

    def read(self, folder: Folder) -> Labels:
        """All annotations of this format in the folder. Raises DataError only if none is usable."""

    def image_folder(self, split: Split) -> str | None:
        """Folder for written images of a split; None if annotation files contain the images."""

    def write(self, dataset: Dataset, names: Sequence[str], target: Path) -> None:
        """Write the annotations; `names` are the paths of the images below `target`.

        Raises:
            DataError: BW141 the format cannot store a name.
        """

    def write_images(
        self, dataset: Dataset, names: Sequence[str], target: Path, crew: Crew
    ) -> None:
        """Write the images with their annotations, before `write`. Only a format has this whose
        annotation files contain the images.

        Raises:
            DataError: as `write`.
        """


def number(value: object) -> float | None:
    """`value` as a coordinate; None if it is not a number, not finite, or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None if str(value).isascii() else number(_without_invisible(str(value)))
    return result if -LARGEST < result < LARGEST else None


def _without_invisible(value: str) -> str:
    """The value as ASCII without invisible signs; empty if it has others."""
    bare = INVISIBLE.sub("", value)
    return bare if bare.isascii() else ""


def numbers(cells: Iterable[str]) -> list[float]:
    """The coordinates in the cells of a row. Raises BadEntryError if one is invalid."""
    values = []
    for cell in cells:
        value = number(cell)
        if value is None:
            raise BadEntryError(f"'{cell[:40]}' is not a coordinate")
        values.append(value)
    return values


def size_of(width: object, height: object) -> Size:
    """The image size stated in an annotation; an invalid side is 0."""
    return Size(round(number(width) or 0), round(number(height) or 0))
