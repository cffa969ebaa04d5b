"""Read one YOLO label file: a class number and a box or shape, in fractions, on each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.annotations import BadEntryError, Broken, Labeled, number, numbers
from boxwright.formats.tables import first_words, words
from boxwright.io.text import read_text

FAR = 2.0  # far beyond the image's edge; larger values are pixels


@dataclass(frozen=True)
class Naming:
    """The class names of a label file.

    Attributes:
        origin: the file with the names; empty if there is none.
        names: class id -> name.
        keypoints: True if keypoints follow each box.
    """

    origin: str = ""
    names: Mapping[int, str] | None = None
    keypoints: bool = False


def is_label(path: Path) -> bool | None:
    """True if the first line of a text file is a label; None if the file is empty."""
    cells = first_words(path)
    if not cells:
        return False if cells is None else None
    values = [number(cell) for cell in cells[:5]]
    return len(values) == 5 and None not in values and float(values[0] or 0).is_integer()


def read_label(root: str, labeled: Labeled, naming: Naming) -> Broken | int:
    """Read the boxes of the file `labeled.path` below `root` into `labeled`.

    Returns:
        The number of boxes that were shapes, or the reason if the file cannot be used.
    """
    path, shapes = labeled.path, 0
    try:
        lines = read_text(f"{root}/{path}").splitlines()
    except DataError as error:
        return Broken.of(error, path)
    for line, text in enumerate(lines, start=1):
        cells = words(text)
        if not cells:
            continue
        try:
            name = _class_name(cells[0], naming)
            box, is_shape = _box(cells[1:], naming)
        except BadEntryError as error:
            return Broken("BW110", f"{path}:{line}", str(error))
        labeled.add(name, box)
        shapes += is_shape
    return shapes


def _class_name(cell: str, naming: Naming) -> str:
    value = number(cell)
    if value is None or not value.is_integer() or value < 0:
        raise BadEntryError(f"'{cell[:40]}' is not a class number")
    if naming.names is None:
        return f"class {int(value)}"
    name = naming.names.get(int(value))
    if name is None:
        count = len(naming.names)
        raise BadEntryError(
            f"class {int(value)} is not one of the {count} classes of {naming.origin}"
        )
    return name


def _box(cells: Sequence[str], naming: Naming) -> tuple[tuple[float, float, float, float], bool]:
    """xyxy, and True if it is the bounding box of a shape."""
    values = numbers(cells)
    count = len(values)
    if count < 4:
        raise BadEntryError(f"has {count} numbers after the class, not 4")
    if count <= 5 or naming.keypoints or _is_tracked(cells):
        x, y, width, height = _near(values[:4])
        if width < 0 or height < 0:
            raise BadEntryError(f"has a box of negative size, {width:g} x {height:g}")
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2), False
    points = _near(values[: count // 2 * 2])  # an odd number of values ends with a confidence
    across, down = points[::2], points[1::2]
    return (min(across), min(down), max(across), max(down)), True


def _is_tracked(cells: Sequence[str]) -> bool:
    """True if a confidence and a track id follow the box; otherwise it is a triangle."""
    return len(cells) == 6 and cells[5].isdecimal() and int(cells[5][:9]) > 1


def _near(values: list[float]) -> list[float]:
    far = next((value for value in values if abs(value) > FAR), None)
    if far is not None:
        raise BadEntryError(f"{far:g} is not a fraction of the image's side; are these pixels?")
    return values
