"""Lists of class names that lie around annotations without names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken
from boxwright.formats.around import around, is_above
from boxwright.formats.folder import Folder, split_path, stem
from boxwright.formats.tables import rows
from boxwright.formats.yolo.lines import is_label
from boxwright.formats.yolo.yaml_file import NAME_KEYS, Description, descriptions_elsewhere
from boxwright.io.text import read_text
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import read_label_map

NAMED = re.compile(r"(predefined_|obj_|_)?(class|label|name)(es|s)?([_-]?(names?|list))?")
TEXT = ".txt"
LISTS = (".names", ".labels")  # whatever their names are
NOTES = "notes.json"  # of Label Studio's YOLO export
JSON, TABLES, LABEL_MAPS = ".json", (".csv", ".tsv"), (".pbtxt", ".pbtext")
ITEM = re.compile(rb"\bitem\s*[:{]")  # in a label map of any encoding
OTHER = re.compile(  # starts another text of protocol buffers, such as a graph
    rb"\A[\xef\xbb\xbf\xfe\xff]*(?:\s|#[^\r\n]*[\r\n])*(?!item\b)\w+\s*[:{<]"
)
HEAD = 1 << 16  # bytes at the start of a file that show if it may be a label map
HEADERS = frozenset({"name", "names", "class", "classes", "class_name", "classname", "label"})
KEYS = (*NAME_KEYS, "labels")  # of the names in a JSON object
NUMBERED = re.compile(r"([0-9]{1,6})\s*[\s:;,=]\s*(\S.*)")  # a line with its number
IGNORED = "__ignore__"  # regions that are neither objects nor background, in LabelMe
NOT_CLASSES = frozenset({IGNORED, "_background_"})  # lines of LabelMe's lists
COMMENTS = ("# ", "//")  # starts of a line that is no name
MAX_BYTES = 1 << 20  # bytes of a list of names
MAX_CLASSES = 100_000


class Listed(NamedTuple):
    """The class names in the lines of a text.

    Attributes:
        names: class number from 0 -> name.
        first: the number, 0 or 1, that the first line begins with; None if they are not numbered.
        has_gaps: the lines begin with numbers, but some are left out. They are part of the names.
    """

    names: dict[int, str]
    first: int | None = None
    has_gaps: bool = False


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
    names: Mapping[int, str] = attribute(default_factory=dict, repr=False)
    shifted: bool = False
    problem: Broken | None = None

    def fits(self, numbers: set[int]) -> bool:
        """True if it names all these classes. Numbers without a 0 may count from 1 too."""
        return numbers <= self.names.keys() and (0 in numbers or not self.shifted)


def is_list_name(path: str) -> bool:
    """True if a list of class names is usually called so, whatever its suffix."""
    return NAMED.fullmatch(stem(split_path(path)[1]).lower()) is not None


def name_lists(folder: Folder) -> Iterator[NameList]:
    """The lists in or around the folder: texts, notes.json, JSON, tables, label maps, YAML."""
    root = folder.root
    texts = [
        path
        for path in around(folder, TEXT, *LISTS)
        if path.lower().endswith(LISTS) or (is_list_name(path) and not is_label(root / path))
    ]
    jsons = around(folder, JSON)
    notes = [path for path in jsons if split_path(path)[1].lower() == NOTES]
    kinds: tuple[tuple[Iterable[str], Callable[[Path], Listed]], ...] = (
        (texts, names_of_list),
        (notes, lambda path: _in_json(path, "categories")),
        (filter(is_list_name, jsons), lambda path: _in_json(path, *KEYS)),
        (filter(is_list_name, around(folder, *TABLES)), _in_table),
        (label_maps(root, around(folder, *LABEL_MAPS)), _in_label_map),
    )
    for paths, names_in in kinds:
        for path in sorted(paths, key=lambda path: (is_above(path), path.count("/"))):
            one = _read(root, path, names_in)
            if one.names or one.problem:
                yield one
    for found in descriptions_elsewhere(folder):
        if isinstance(found, Description):
            if found.names:
                yield NameList(found.path, found.names)
        else:
            yield NameList(found.where, problem=found)


def label_maps(root: Path, paths: Iterable[str]) -> list[str]:
    """Those of the files that do not begin with a field of something else, as graphs do."""
    return [path for path in paths if not _is_other(root / path)]


def unused_names(folder: Folder, used: set[str]) -> Iterator[Finding | Broken]:
    """The lists that may name the classes of annotations that give only numbers (BW158)."""
    if not used or not all(name.isdecimal() for name in used):
        return
    for one in name_lists(folder):
        if one.problem:
            numbers = "the annotations have only numbers for their classes"
            yield one.problem._replace(message=f"{one.problem.message}; {numbers}")
        elif used.isdisjoint(one.names.values()):
            named = f"names {counted(len(one.names), 'class', 'classes')}"
            message = f"{named}; those of the annotations are only numbers"
            yield Finding("BW158", one.path, message, "not used")


def names_of_list(path: Path) -> Listed:
    """The class names in the lines of a list.

    Raises:
        DataError: BW160 the file is not text; BW110 its lines may not be in the order of the class
            numbers: they begin with numbers that leave some out, or with a comment.
    """
    listed = listed_in(read_text(path))
    reason, lines = "", ""
    if listed.has_gaps:
        reason = "its lines begin with numbers, of which some are missing"
        lines = ", and an empty line for each number from 0 on that has none"
    elif listed.first is None and listed.names.get(0, "").startswith(COMMENTS):
        reason = f"its first line, {listed.names[0][:40]!r}, is a comment, and would be class 0"
    if reason:
        raise DataError("BW110", f"{reason}; write only the names{lines}.", where=path)
    return listed


def listed_in(text: str) -> Listed:
    """The class names in the lines of a text, without the numbers that the lines begin with.

    The lines are numbered if all begin with increasing numbers, nearly without gaps, and differ
    without them: unlike 1 euro, 2 euro, and unlike 2 door, 4 wheel.
    """
    lines = names_in_lines(text)
    numbered = [match for line in lines.values() if (match := NUMBERED.fullmatch(line))]
    names = {int(match[1]): match[2] for match in numbered}
    first, last = min(names, default=0), max(names, default=0)
    is_numbered = (
        len({*names.values()}) == len(lines) > 1
        and [*names] == sorted(names)
        and first <= 1
        and last < 2 * len(lines)
    )
    if not is_numbered:
        return Listed(lines)
    if last - first >= len(lines):
        return Listed(lines, has_gaps=True)
    return Listed({number - first: name for number, name in names.items()}, first)


def names_in_lines(text: str) -> dict[int, str]:
    """Line from 0 -> the text in it; none if there are too many for a list of classes."""
    names = {i: name for i, line in enumerate(text.splitlines()) if (name := line.strip())}
    return names if len(names) <= MAX_CLASSES else {}


def _read(root: Path, path: str, names_in: Callable[[Path], Listed]) -> NameList:
    """The names in a file; none if it is not what its name says."""
    try:
        too_long = (root / path).stat().st_size > MAX_BYTES
        listed = Listed({}) if too_long else names_in(root / path)
        return NameList(path, listed.names, listed.first == 1)
    except DataError as error:
        return NameList(path, problem=Broken.of(error, path))
    except (OSError, ValueError, RecursionError):
        reason = "has the name of a list of class names, but cannot be read"
        return NameList(path, problem=Broken("BW110", path, reason))


def _in_json(path: Path, *keys: str) -> Listed:
    """The names in a list of them or of objects, or in an object with numbers: keys or values."""
    content: Any = json.loads(read_text(path))
    if isinstance(content, dict):
        content = next((content[key] for key in keys if key in content), content)
    if isinstance(content, dict):
        pairs = list(content.items())
    else:
        pairs = list(enumerate(content)) if isinstance(content, list) else []
    return _named(
        (value.get("id"), value.get("name")) if isinstance(value, dict) else (key, value)
        for key, value in pairs
    )


def _in_table(path: Path) -> Listed:
    """The names in a table: a column of them, or one beside a column of numbers."""
    table = [row for _, row in islice(rows(path), MAX_CLASSES)]
    if all(len(row) == 1 for row in table):
        names = [name for (name,) in table]
        return Listed(dict(enumerate(names[1:] if {*names[:1]} & HEADERS else names)))
    pairs = [(row[0], row[1]) for row in table if len(row) == 2]
    has_header = not _named(pairs).names
    return _named(pairs[has_header:]) if len(pairs) == len(table) else Listed({})


def _is_other(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return OTHER.match(file.read(HEAD).replace(b"\0", b"")) is not None
    except OSError:
        return False  # reading it raises the error


def _in_label_map(path: Path) -> Listed:
    if not ITEM.search(path.read_bytes().replace(b"\0", b"")):
        return Listed({})
    return Listed({number - 1: name for number, name in read_label_map(path).items()}, first=1)


def _named(pairs: Iterable[Sequence[object]]) -> Listed:
    """Number -> name from pairs in either order; empty if one has no number or no name."""
    names: dict[int, str] = {}
    for pair in pairs:
        first, second = pair if _number(pair[0]) is not None else pair[::-1]
        number = _number(first)
        if number is None or not isinstance(second, str) or not second.strip():
            return Listed({})
        names[number] = second
    return Listed(names)


def _number(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch("[0-9]{1,6}", value) else None
    return value if type(value) is int else None
