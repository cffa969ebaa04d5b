"""Lists of class names that lie around annotations without names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxwright.errors import DataError
from boxwright.formats.around import around, is_above
from boxwright.formats.folder import Folder, split_path
from boxwright.formats.yolo.lines import is_label
from boxwright.io.text import read_text
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import read_label_map

TEXT = re.compile(r"(predefined_|obj_|_)?(class|label|name)(es|s)?([_-]?(names?|list))?\.txt")
TEXTS = (".txt", ".names", ".labels")
NOTES = "notes.json"  # of Label Studio's YOLO export
LABEL_MAPS = (".pbtxt", ".pbtext")
MAX_BYTES = 1 << 20  # bytes of a list of names
MAX_CLASSES = 100_000


@dataclass(frozen=True)
class NameList:
    """A file with class names.

    Attributes:
        path: the file, relative to the root; it may be one folder up.
        names: class number from 0 -> name.
        shifted: the file counts from 1.
        problem: why it cannot be read; it has no names then.
    """

    path: str
    names: Mapping[int, str] = field(repr=False)
    shifted: bool = False
    problem: str = ""

    def fits(self, numbers: set[int]) -> bool:
        """True if it names all these classes. Numbers without a 0 may count from 1 too."""
        return numbers <= self.names.keys() and (0 in numbers or not self.shifted)


def name_lists(folder: Folder) -> Iterator[NameList]:
    """The lists in or around the folder: first texts, then notes.json, then label maps."""
    texts = [path for path in around(folder, *TEXTS) if _is_text(folder.root / path)]
    notes = [path for path in around(folder, ".json") if split_path(path)[1].lower() == NOTES]
    for paths in (texts, notes, around(folder, *LABEL_MAPS)):
        for path in sorted(paths, key=lambda path: (is_above(path), path.count("/"))):
            if one := _read(folder.root, path):
                yield one


def unused_names(folder: Folder, used: set[str]) -> Iterator[Finding]:
    """The lists that may name the classes of annotations that give only numbers (BW158)."""
    if not used or not all(name.isdecimal() for name in used):
        return
    for one in name_lists(folder):
        if used.isdisjoint(one.names.values()):
            named = f"names {counted(len(one.names), 'class', 'classes')}"
            message = one.problem or f"{named}; those of the annotations are only numbers"
            yield Finding("BW158", one.path, message, "not used")


def _is_text(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(TEXTS[1:]) or (TEXT.fullmatch(name) is not None and not is_label(path))


def _read(root: Path, path: str) -> NameList | None:
    """The names in a file; None if it has none, or is not what its name says."""
    try:
        if path.lower().endswith(LABEL_MAPS):
            names = read_label_map(root / path)
            return NameList(path, {number - 1: name for number, name in names.items()}, True)
        if (root / path).stat().st_size > MAX_BYTES:
            return None
        text = read_text(root / path)
        found = (
            _in_notes(json.loads(text)) if path.lower().endswith(NOTES) else names_in_lines(text)
        )
    except DataError as error:
        return NameList(path, {}, problem=error.message)
    except (OSError, ValueError, RecursionError):
        return None
    return NameList(path, found) if found else None


def names_in_lines(text: str) -> dict[int, str]:
    """Line from 0 -> the class name in it; none if there are too many for a list of classes."""
    names = {i: name for i, line in enumerate(text.splitlines()) if (name := line.strip())}
    return names if len(names) <= MAX_CLASSES else {}


def _in_notes(content: Any) -> dict[int, str]:
    entries = content.get("categories") if isinstance(content, dict) else None
    return {
        one["id"]: one["name"]
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, dict) and type(one.get("id")) is int and isinstance(one.get("name"), str)
    }
