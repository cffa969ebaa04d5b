"""Edit a YOLO label file in place: a line for each box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import Edit, EditedBox, refilled, usable
from boxwright.formats.folder import Folder
from boxwright.formats.label_paths import label_path
from boxwright.formats.name_lists import name_lists
from boxwright.formats.ownership import Ownership
from boxwright.formats.tables import first_words, words
from boxwright.formats.yolo.format import FOLDERS, SAMPLED, names_of
from boxwright.formats.yolo.lines import (
    LONGEST_BOX,
    NAMELESS,
    Naming,
    add_lines,
    begins_with_box,
)
from boxwright.io.files import signature
from boxwright.io.text import RawText

SUFFIX = ".txt"
NEW_LIST = "classes.txt"  # as LabelImg writes it
BOX = 4  # numbers


class Editor:
    """The editor of YOLO. All label files have the class numbers of one list.

    Attributes:
        classes: the list; it is a new `classes.txt` if the folder has no usual one.
    """

    suffix = SUFFIX
    by_stem = True

    def __init__(self, classes: ClassList, *, keypoints: bool = False) -> None:
        self.classes: ClassList | None = classes
        self._list = classes
        self._keypoints = keypoints

    @classmethod
    def of(cls, folder: Folder, own: Ownership) -> Editor:
        """The editor of a folder with these annotations.

        Raises:
            DataError: BW179 the label files do not share one list of classes.
        """
        usual = folder.root / NEW_LIST
        unread = signature(usual)  # before anything is read: another program may write meanwhile
        lists, _ = names_of(folder)
        pairs = {image: one.path for image, one in own.paired.items()} or {"": ""}
        found = {naming.origin: naming for naming in (lists.of(*pair) for pair in pairs.items())}
        if len(found) > 1:
            message = "its label files have different lists of classes."
            raise DataError("BW179", message, where=folder.root)
        naming = next(iter(found.values()))
        if naming.names is None:
            names = _names_elsewhere(folder, own)
            classes = ClassList(usual, names, numbered=True, passed_over=unread)
        else:
            path = folder.root / naming.origin
            passed_over = None if naming.names else signature(path)  # it cannot be read
            classes = ClassList(path, naming.names, numbered=True, passed_over=passed_over)
        return cls(classes, keypoints=naming.keypoints or _have_keypoints(folder, own))

    def mirrored(self, image: str) -> str:
        return label_path(image, *FOLDERS)

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        self._list.refresh()
        labeled = Labeled(path, alone=True, relative=True)
        naming = Naming(self._list.path.name, self._list.names, self._keypoints)
        outcome = add_lines(RawText.of(content or b"", path).text, labeled, naming)
        return usable(labeled if isinstance(outcome, int) else outcome, path)

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        self._list.count_from_zero()
        raw = RawText.of(content or b"", path)
        lines = raw.text.splitlines(keepends=True)
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += raw.line_end
        old = [line for line in lines if words(line)]
        numbers = self._numbers([box.name for box in edit.boxes])
        new = [
            _line(number, box, old, raw.line_end, self._keypoints)
            for number, box in zip(numbers, edit.boxes, strict=True)
        ]
        pieces = ((line, bool(words(line))) for line in lines)
        return raw.bytes_of("".join(refilled(pieces, new)))

    def _numbers(self, names: Sequence[str]) -> list[int]:
        known = {name: number for number, name in reversed(self._list.names.items())}
        for name in names:
            if name not in known:
                known[name] = self._list.add(name)
        return [known[name] for name in names]


def _have_keypoints(folder: Folder, own: Ownership) -> bool:
    """True if lines are longer than those of boxes, and the reader has found no shapes (BW143)."""
    if any(one.code == "BW143" for one in own.labels.findings):
        return False
    paths = sorted(one.path for one in own.paired.values() if one.path)
    sample = paths[:: 1 + len(paths) // SAMPLED]
    return any(len(first_words(folder.root / path) or ()) > LONGEST_BOX for path in sample)


def _names_elsewhere(folder: Folder, own: Ownership) -> Mapping[int, str]:
    """The names of classes that no usual list names, as the reader calls them."""
    used = {
        one.where for one in own.labels.findings if one.code == "BW158" and one.repair != "not used"
    }
    if used:
        return next(one.names for one in name_lists(folder) if one.path in used)
    named = {name for one in own.labels.images for name in one.names}
    return {int(name.removeprefix(NAMELESS)): name for name in named}


def _line(number: int, box: EditedBox, old: Sequence[str], line_end: str, keypoints: bool) -> str:
    line = "" if box.origin is None else old[box.origin]
    cells = words(line)
    if box.sides is None:
        if float(cells[0]) == number:
            return line
        start = line.index(cells[0])
        return line[:start] + str(number) + line[start + len(cells[0]) :]
    xmin, ymin, xmax, ymax = box.sides
    values = ((xmin + xmax) / 2, (ymin + ymax) / 2, abs(xmax - xmin), abs(ymax - ymin))
    texts = [np.format_float_positional(value, precision=10, trim="-") for value in values]
    rest = cells[1 + BOX :] if keypoints or begins_with_box(cells[1:]) else []
    end = line[len(line.rstrip("\r\n")) :] or line_end
    return " ".join([str(number), *texts, *rest]) + end
