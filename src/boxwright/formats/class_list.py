"""Edit the file that lists the class names of a folder: lines of text, or a data.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from boxwright.errors import DataError
from boxwright.formats.name_lists import COMMENTS, NUMBERED, Listed, listed_in, names_in_lines
from boxwright.formats.yolo.yaml_file import (
    NAME_KEYS,
    SUFFIXES,
    Description,
    names_are_keys,
    read_description,
)
from boxwright.io.files import Signature, signature, write_bytes
from boxwright.io.text import RawText, read_text

PLAIN = re.compile(r"[^\W\d][\w .()/+-]*", re.ASCII)  # needs no quotes in YAML
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class ClassList:
    """The class names in a file, and its edits. Numbers never change: label files use them.

    Attributes:
        path: the file, which need not exist.
        names: class number -> name.
        numbered: label files have the numbers, and not the names.

    Args:
        passed_over: signature of the file if the names are not from it. It counts as soon as it is
            another one.
    """

    def __init__(
        self,
        path: Path,
        names: Mapping[int, str],
        *,
        numbered: bool = False,
        passed_over: Signature = None,
    ) -> None:
        self.path, self.names, self.numbered = path, dict(names), numbered
        self._seen = passed_over  # else the file is read again: its names may be older
        self._from_zero = False

    def refresh(self) -> None:
        """Read the names again if another program has changed the file."""
        now = signature(self.path)
        if now == self._seen:
            return
        self._seen, self._from_zero = now, False
        if self._is_yaml:
            described = read_description(self.path.parent, self.path.name)
            if isinstance(described, Description):
                self.names = described.names
        else:
            self.names = self._listed(read_text(self.path)).names

    def add(self, name: str) -> int:
        """Append a class; returns its number. Raises DataError: BW141; SystemFaultError."""
        number = self.listed(name)
        if number is not None:
            return number
        number = max(self.names, default=-1) + 1
        self._write(lambda raw: self._with(raw, number, name))
        self.names[number] = name
        return number

    def listed(self, name: str) -> int | None:
        """The number of a class; None if it is not in the list."""
        self.refresh()
        return next((number for number, one in self.names.items() if one == name), None)

    def relist(self, old: str, new: str | None) -> None:
        """Give a class another name. A name that the list has too, or None, takes its place: then
        it is removed, unless label files have the numbers. Raises as `add`."""
        while (number := self.listed(old)) is not None:
            if new is not None and new not in self.names.values():
                self._write(lambda raw: self._renamed(raw, number, new))
                self.names[number] = new
            elif self.numbered:
                return
            else:
                self._relist(lambda lines: lines.pop(number))

    def restore(self, name: str, number: int) -> None:
        """Put a class that was removed back to its number. Raises as `add`."""
        if self.listed(name) is None:
            self._relist(lambda lines: lines.insert(number, name))

    def check(self, name: str) -> None:
        """Raise DataError BW141 if the list cannot have a name."""
        if not self._is_yaml:
            self._line_of(read_text(self.path) if self.path.exists() else "", "", 0, name)

    def count_from_zero(self) -> None:
        """Number the lines of a list from 0 on, as the label files do. They show it only as long as
        they have class 0, which an edit may take away. Raises as `add`."""
        self.refresh()
        if self._from_zero:
            return
        is_text = self.numbered and not self._is_yaml and self.path.exists()
        if is_text and self._listed(read_text(self.path)).first == 1:
            self._write(_from_zero)
        self._from_zero = True

    @property
    def _is_yaml(self) -> bool:
        return self.path.suffix.lower() in SUFFIXES

    def _write(self, change: Callable[[RawText], str]) -> None:
        if self.path.exists():
            raw = RawText.of(self.path.read_bytes(), self.path)
        else:
            lines = (
                self.names.get(number, "") for number in range(1 + max(self.names, default=-1))
            )
            raw = RawText("".join(f"{line}\n" for line in lines))
        write_bytes(self.path, raw.bytes_of(change(raw)))
        self._seen = signature(self.path)

    def _listed(self, text: str) -> Listed:
        """The names in a list. Its lines may be numbered where label files have the numbers."""
        return listed_in(text) if self.numbered else Listed(names_in_lines(text))

    def _relist(self, change: Callable[[list[str]], object]) -> None:
        """Change the lines of a list whose numbers nothing uses."""

        def changed(raw: RawText) -> str:
            lines = raw.text.splitlines()
            change(lines)
            return "".join(f"{line}{raw.line_end}" for line in lines)

        self._write(changed)
        self.names = names_in_lines(read_text(self.path))

    def _line_of(self, text: str, other: str, number: int, name: str) -> str:
        """The line of a class in a list with this text, written as another line of it."""
        line, first = _line(name), self._listed(text).first
        if first is None:
            if self.numbered and line.startswith(COMMENTS):  # the list would not be read
                raise DataError("BW141", f"the class name {name!r} begins as a comment does.")
            return line
        if listed_in(f"0 {line}\n1 -").names[0] != line:
            message = f"the class name {name!r} cannot be a line of a list with numbers."
            raise DataError("BW141", message)
        return _numbered(other, number + first, line)

    def _with(self, raw: RawText, number: int, name: str) -> str:
        if not self._is_yaml:
            lines = raw.text.splitlines()
            while lines and not lines[-1].strip():
                lines.pop()
            line = self._line_of(raw.text, lines[-1] if lines else "", number, name)
            if self._listed(raw.text).first is None:
                lines += [""] * (number - len(lines))
            return raw.line_end.join([*lines, line, ""])
        return _yaml_with(raw, number, name)

    def _renamed(self, raw: RawText, number: int, name: str) -> str:
        if not self._is_yaml:
            lines = raw.text.splitlines(keepends=True)
            at = number
            if self._listed(raw.text).first is not None:
                at = [i for i, each in enumerate(lines) if each.strip()][number]
            end = lines[at][len(lines[at].rstrip("\r\n")) :]
            lines[at] = self._line_of(raw.text, lines[at], number, name) + end
            return "".join(lines)
        names = _names(yaml.compose(raw.text, yaml.BaseLoader))
        if isinstance(names, yaml.SequenceNode):
            node = names.value[number]
        else:
            node = next(name for stated, name in _by_number(names) if int(stated.value) == number)
        start, end = node.start_mark.index, node.end_mark.index
        return raw.text[:start] + _scalar(name) + raw.text[end:]


def _yaml_with(raw: RawText, number: int, name: str) -> str:
    """The text of a data.yaml with one more name, and `nc` counted on."""
    text = raw.text
    root = yaml.compose(text, yaml.BaseLoader)
    names, count = _names(root), _value(root, "nc")
    entry = _scalar(name)
    is_list = isinstance(names, yaml.SequenceNode)
    if not is_list:
        entry = f"{entry}: {number}" if _names_are_keys(names) else f"{number}: {entry}"
    changes = []
    if names.flow_style or not names.value:
        at = names.end_mark.index
        closing = "]" if is_list else "}"
        if text[at - 1 : at] == closing:
            before = text[names.start_mark.index + 1 : at - 1].rstrip()
            comma = "" if not before or before.endswith(",") else ", "
            changes.append((at - 1, at - 1, comma + entry))
        else:  # names: without a value
            changes.append((at, at, f" [{_scalar(name)}]"))
    else:
        last = names.value[-1] if is_list else names.value[-1][1]
        column = names.start_mark.column
        mark = "- " if is_list else ""
        at = last.end_mark.index
        line_end = text.find("\n", at)
        at = len(text) if line_end < 0 else line_end - text[:line_end].endswith("\r")
        changes.append((at, at, f"{raw.line_end}{' ' * column}{mark}{entry}"))
    if count is not None and count.value.isdecimal():
        changes.append((count.start_mark.index, count.end_mark.index, str(number + 1)))
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _names(root: Any) -> Any:
    """The node of the class names: the list or mapping that is read, or a `names` without value."""
    nodes = [_value(root, key) for key in NAME_KEYS]
    return next((node for node in nodes if isinstance(node, yaml.CollectionNode)), nodes[0])


def _by_number(names: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """The nodes of class number and name of each class in a mapping, which may be from names."""
    if _names_are_keys(names):
        return [(number, name) for name, number in names.value]
    return list(names.value)


def _names_are_keys(names: yaml.MappingNode) -> bool:
    return names_are_keys([(key.value, value.value) for key, value in names.value])


def _value(root: Any, key: str) -> Any:
    """The node of a key of the document's mapping; None if it has no such key."""
    return next((value for name, value in root.value if name.value == key), None)


def _scalar(name: str) -> str:
    """A name as YAML on one line."""
    if PLAIN.fullmatch(name) and name == name.strip() and name.lower() not in WORDS:
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())


def _numbered(other: str, number: int, name: str = "") -> str:
    """A line of a numbered list, as another line of it is written; by default with its name."""
    match = NUMBERED.search(other)
    if match is None:
        return name
    width = len(match[1]) if match[1].startswith("0") else 0
    between = other[match.end(1) : match.start(2)]
    rest = name or other[match.start(2) :]
    return f"{other[: match.start(1)]}{number:0{width}}{between}{rest}"


def _from_zero(raw: RawText) -> str:
    """A list whose lines are numbered from 1, numbered from 0."""
    lines = raw.text.splitlines(keepends=True)
    numbers = count()
    return "".join(_numbered(line, next(numbers)) if line.strip() else line for line in lines)


def _line(name: str) -> str:
    if len(name.splitlines()) != 1 or name != name.strip() or not names_in_lines(name):
        raise DataError("BW141", f"the class name {name!r} cannot be a line of a list.")
    return name
