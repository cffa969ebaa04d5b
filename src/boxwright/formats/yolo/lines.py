"""Read one YOLO label file: a class number and a box or shape, in fractions, on each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats import kitti
from boxwright.formats.annotations import BadEntryError, Broken, Labeled, number, numbers
from boxwright.formats.tables import first_words, words
from boxwright.formats.yolo.keypoints import has_keypoints, has_visibilities, is_unclear
from boxwright.io.text import read_text
from boxwright.structures.findings import counted

NAMELESS = "class "  # start of the name of a class without one
ENOUGH = 500  # more shapes than lines that may have keypoints: the rest is of shapes too
LONGEST_BOX = 7  # words of a line: class, box, confidence and track id
UNCLEAR = (
    "may be a shape, or a box and keypoints with confidences; for these write kpt_shape into "
    "data.yaml, and for shapes task: segment"
)


@dataclass
class LongLines:
    """What the lines of shapes in all label files show together: some may have keypoints.

    Attributes:
        lengths: numbers on lines that are longer than those of boxes.
        shapes: how many of these lines can only be shapes.
        confident: how many are probably boxes and keypoints.
        doubtful: how many may be either.
        unclear: label file -> its first line that may be either.
    """

    lengths: set[int] = field(default_factory=set)
    shapes: int = 0
    confident: int = 0
    doubtful: int = 0
    unclear: dict[str, Broken] = field(default_factory=dict)

    def add(self, shape: Sequence[float], where: str) -> None:
        """Count a line of a shape, as long as it matters."""
        may_be_keypoints = self.confident + self.doubtful
        if not self._of_one_length or self.shapes > may_be_keypoints + ENOUGH:
            return
        if has_keypoints(shape):
            self.confident += 1
        elif is_unclear(shape):
            self.doubtful += 1
            self.unclear.setdefault(where.rpartition(":")[0], Broken("BW110", where, UNCLEAR))
        else:
            self.shapes += 1

    @property
    def have_keypoints(self) -> bool:
        """True if all have as many numbers, and most are probably keypoints."""
        return self._of_one_length and self.confident > self.shapes + self.doubtful

    @property
    def are_unclear(self) -> bool:
        """True if all have as many numbers, and most may be keypoints."""
        return self._of_one_length and self.confident + self.doubtful > self.shapes

    @property
    def _of_one_length(self) -> bool:
        return len(self.lengths) == 1


@dataclass(frozen=True)
class Naming:
    """The class names of a label file.

    Attributes:
        origin: the file with the names; empty if there is none.
        names: class id -> name; empty if the file cannot be read.
        keypoints: True if keypoints follow each box.
        shapes: True if there are none, and long lines are shapes.
        used: the class ids that were read with these names.
        needed: the label files that cannot be used because the file with the names cannot be read.
        long: the long lines that were read, with whatever names.
    """

    origin: str = ""
    names: Mapping[int, str] | None = None
    keypoints: bool = False
    shapes: bool = False
    used: set[int] = field(default_factory=set, compare=False)
    needed: set[str] = field(default_factory=set, compare=False)
    long: LongLines = field(default_factory=LongLines, compare=False)


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
            box, shape = _box(cells[1:], naming)
        except BadEntryError as error:
            return Broken("BW110", f"{path}:{line}", str(error))
        if shape or len(cells) > LONGEST_BOX:
            naming.long.lengths.add(len(cells))
        if shape:
            naming.long.add(shape, f"{path}:{line}")
        naming.used.add(label)
        name = f"{NAMELESS}{label}" if naming.names is None else naming.names.get(label)
        if name is not None:
            labeled.add(name, box)
        elif not unnamed:
            unnamed = Broken("BW163", f"{path}:{line}", _nameless(label, naming))
        shapes += bool(shape)
    return unnamed or shapes


def _class_id(cell: str) -> int:
    value = number(cell)
    if value is None or not value.is_integer() or value < 0:
        raise BadEntryError(f"'{cell[:40]}' is not a class number")
    return int(value)


def _nameless(label: int, naming: Naming) -> str:
    count = counted(len(naming.names or ()), "class", "classes")
    return f"class {label} is not one of the {count} of {naming.origin}"


def _box(cells: Sequence[str], naming: Naming) -> tuple[tuple[float, ...], Sequence[float]]:
    """xyxy, and the numbers of the shape if it is the bounding box of one."""
    values = numbers(cells)
    count = len(values)
    if count < 4:
        raise BadEntryError(f"has {counted(count, 'number')} after the class, not 4")
    if naming.keypoints or begins_with_box(cells):
        x, y, width, height = values[:4]
        if width < 0 or height < 0:
            raise BadEntryError(f"has a box of negative size, {width:g} x {height:g}")
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2), ()
    points = values[: count // 2 * 2]  # an odd number of values ends with a confidence
    across, down = points[::2], points[1::2]
    return (min(across), min(down), max(across), max(down)), values


def begins_with_box(cells: Sequence[str]) -> bool:
    """True unless the numbers after the class are the corners of a shape."""
    return len(cells) <= 5 or _is_tracked(cells) or has_visibilities(numbers(cells))


def _is_tracked(cells: Sequence[str]) -> bool:
    """True if a confidence and a track id follow the box; otherwise it is a triangle."""
    return len(cells) == 6 and cells[5].isdecimal() and int(cells[5][:9]) > 1
