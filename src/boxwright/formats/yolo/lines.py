"""Read one YOLO label file: a class number and a box or shape, in fractions, on each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats import kitti
from boxwright.formats.annotations import BadEntryError, Broken, Labeled, number, numbers
from boxwright.formats.tables import first_words, words
from boxwright.io.text import read_text
from boxwright.structures.findings import counted

NAMELESS = "class "  # start of the name of a class without one
VISIBILITIES = frozenset({0, 1, 2})  # of keypoints: not labeled, hidden, visible
CORNER = 2  # coordinates of a shape that are 0 or 1 in a corner of the image


@dataclass(frozen=True)
class Naming:
    """The class names of a label file.

    Attributes:
        origin: the file with the names; empty if there is none.
        names: class id -> name; empty if the file cannot be read.
        keypoints: True if keypoints follow each box.
        used: the class ids that were read with these names.
        needed: the label files that cannot be used because the file with the names cannot be read.
    """

    origin: str = ""
    names: Mapping[int, str] | None = None
    keypoints: bool = False
    used: set[int] = field(default_factory=set, compare=False)
    needed: set[str] = field(default_factory=set, compare=False)


def is_label(path: Path) -> bool | None:
    """True if the first line of a text file is a label; None if the file is empty."""
    words = first_words(path)
    if not words:
        return False if words is None else None
    values = [number(word) for word in words[:5]]
    if len(values) < 5 or None in values or kitti.is_line(words):
        return False
    return float(values[0] or 0).is_integer()


def read_label(root: str, labeled: Labeled, naming: Naming) -> Broken | int:
    """Read the boxes of the file `labeled.path` below `root` into `labeled`.

    Returns:
        The number of boxes that were shapes, or the reason if the file cannot be used.
    """
    try:
        return add_lines(read_text(f"{root}/{labeled.path}"), labeled, naming)
    except DataError as error:
        return Broken.of(error, labeled.path)


def add_lines(content: str, labeled: Labeled, naming: Naming) -> Broken | int:
    """Read the boxes in the text of a label file into `labeled`; returns what `read_label` does."""
    path, shapes = labeled.path, 0
    unnamed: Broken | None = None
    for line, text in enumerate(content.splitlines(), start=1):
        cells = words(text)
        if not cells:
            continue
        try:
            label = _class_id(cells[0])
            box, is_shape = _box(cells[1:], naming)
        except BadEntryError as error:
            return Broken("BW110", f"{path}:{line}", str(error))
        naming.used.add(label)
        name = f"{NAMELESS}{label}" if naming.names is None else naming.names.get(label)
        if name is not None:
            labeled.add(name, box)
        elif not unnamed:
            unnamed = Broken("BW163", f"{path}:{line}", _nameless(label, naming))
        shapes += is_shape
    return unnamed or shapes


def _class_id(cell: str) -> int:
    value = number(cell)
    if value is None or not value.is_integer() or value < 0:
        raise BadEntryError(f"'{cell[:40]}' is not a class number")
    return int(value)


def _nameless(label: int, naming: Naming) -> str:
    count = counted(len(naming.names or ()), "class", "classes")
    return f"class {label} is not one of the {count} of {naming.origin}"


def _box(cells: Sequence[str], naming: Naming) -> tuple[tuple[float, float, float, float], bool]:
    """xyxy, and True if it is the bounding box of a shape."""
    values = numbers(cells)
    count = len(values)
    if count < 4:
        raise BadEntryError(f"has {counted(count, 'number')} after the class, not 4")
    if naming.keypoints or begins_with_box(cells):
        x, y, width, height = values[:4]
        if width < 0 or height < 0:
            raise BadEntryError(f"has a box of negative size, {width:g} x {height:g}")
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2), False
    points = values[: count // 2 * 2]  # an odd number of values ends with a confidence
    across, down = points[::2], points[1::2]
    return (min(across), min(down), max(across), max(down)), True


def begins_with_box(cells: Sequence[str]) -> bool:
    """True unless the numbers after the class are the corners of a shape."""
    return len(cells) <= 5 or _is_tracked(cells) or _has_keypoints(numbers(cells))


def _is_tracked(cells: Sequence[str]) -> bool:
    """True if a confidence and a track id follow the box; otherwise it is a triangle."""
    return len(cells) == 6 and cells[5].isdecimal() and int(cells[5][:9]) > 1


def _has_keypoints(values: Sequence[float]) -> bool:
    """True if keypoints with their visibilities follow the box.

    No shape has a coordinate of 2. Where keypoints have visibilities, two coordinates of a shape in
    a corner of the image may be 0 or 1. If more are, then others are not those of points in the
    box, or of points at 0, 0 that are not labeled.
    """
    x, y, width, height, *points = values
    visibilities = points[2::3]
    if len(points) % 3 or not VISIBILITIES.issuperset(visibilities):
        return False
    return max(visibilities) > 1 or (
        len(visibilities) != CORNER
        and all(
            (abs(across - x) <= width / 2 and abs(down - y) <= height / 2)
            if visibility
            else across == down == 0
            for across, down, visibility in zip(
                points[::3], points[1::3], visibilities, strict=True
            )
        )
    )
