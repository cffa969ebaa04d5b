"""Class names: label map text (`.pbtxt`), and spellings that mean the same class.

Inside Boxwright a class is its name, and its 0-based id is its place in `Dataset.classes`. Label
maps count from 1, because the Object Detection API keeps 0 for the background.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import DataError
from boxwright.files import write_text

Fields = dict[str, "str | Fields"]
DEEPEST = 20  # messages in messages; label maps have two
TYPOGRAPHIC = "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"  # as word processors make of ' and "
Token = tuple[str, str, int]  # kind ("text", "word", "sign" or "end"), what it says, its line

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
      | "(?P<double>(?:[^"\\\n]|\\.)*)"
      | '(?P<single>(?:[^'\\\n]|\\.)*)'
      | (?P<word>[\w.+-]+)
      | (?P<sign>[{}<>:,;\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f"}


def spelling_key(name: str) -> str:
    """What all spellings of one class have in common: no outer blanks, no capitals."""
    return name.strip().casefold()


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`, if any is like it at all."""
    by_key = {spelling_key(candidate): candidate for candidate in known}
    match = difflib.get_close_matches(spelling_key(name), by_key, n=1)
    return by_key[match[0]] if match else None


def label_map_text(classes: Sequence[str]) -> str:
    """A label map that gives the classes, in order, the ids 1, 2, 3, ..."""
    items = (
        f"item {{\n  id: {number}\n  name: '{_escaped(name)}'\n}}\n"
        for number, name in enumerate(classes, start=1)
    )
    return "".join(items)


def write_label_map(path: str | Path, classes: Sequence[str]) -> None:
    """Write `label_map_text` to a file."""
    write_text(path, label_map_text(classes))


def read_label_map(path: str | Path) -> dict[int, str]:
    """The ids and class names of a label map file, in order of id.

    Raises:
        DataError: BW116 the file is not a label map that can be used; says where and why.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read ({error})") from error
    return parse_label_map(text, where=path)


def parse_label_map(text: str, where: str | Path = "label map") -> dict[int, str]:
    """Label map text to `{id: class name}`, in order of id. A display name goes before a name.

    Fields other than `id`, `name` and `display_name` are passed over.

    Raises:
        DataError: BW116 with the line and the reason.
    """
    parser = _TextFormat(list(_tokens(text, where)), where)
    names: dict[int, str] = {}
    ids: dict[str, int] = {}
    for key, item, line in parser.messages():
        place = f"{where}:{line}"
        if key != "item":
            raise _unusable(place, f"'{key}' stands where an item should")
        number, name = _id_and_name(item, place)
        if number in names and names[number] != name:
            raise _unusable(place, f"id {number} is both '{names[number]}' and '{name}'")
        if ids.setdefault(name, number) != number:
            raise _unusable(place, f"class '{name}' has two ids")
        names[number] = name
    if not names:
        raise _unusable(where, "holds no item")
    return dict(sorted(names.items()))


def _id_and_name(item: Fields, place: str) -> tuple[int, str]:
    stated, name = item.get("id"), item.get("display_name") or item.get("name")
    if not isinstance(name, str):
        raise _unusable(place, "an item has no name")
    if not (isinstance(stated, str) and re.fullmatch(r"[+-]?[0-9]{1,10}", stated)):
        raise _unusable(place, f"the id of '{name}' is {stated!r}, not a whole number")
    if int(stated) == 0:
        raise _unusable(place, f"'{name}' has id 0, which is reserved for the background")
    if int(stated) < 0:
        raise _unusable(place, f"'{name}' has the negative id {stated}")
    return int(stated), name


def _unusable(where: str | Path, reason: str) -> DataError:
    return DataError(
        "BW116",
        f"the label map cannot be used: {reason}.",
        where=where,
        remedy="Write each class as item { id: 1 name: 'cat' }, with ids from 1 on.",
    )


@dataclass
class _TextFormat:
    """As much of protocol buffers' text format as label maps use."""

    tokens: list[Token]
    where: str | Path
    at: int = 0

    def messages(self) -> Iterator[tuple[str, Fields, int]]:
        """The file's outermost messages: their name, fields and line."""
        while self.tokens[self.at][0] != "end":
            key, line = self._key()
            for value in self._listed() if self._skip("[") else (self._value(0),):
                if isinstance(value, str):
                    raise _unusable(f"{self.where}:{line}", f"'{key}' stands outside of any item")
                yield key, value, line
            self._skip(",", ";")

    def _listed(self) -> Iterator[str | Fields]:
        """Messages in square brackets: `item: [{...}, {...}]`."""
        while not self._skip("]"):
            kind, text, line = self.tokens[self.at]
            if kind != "end" and text not in {"{", "<"}:
                reason = f"{text!r} follows a square bracket: an item stands in {{ and }}"
                raise _unusable(f"{self.where}:{line}", reason)
            yield self._value(0)
            self._skip(",", ";")

    def _key(self) -> tuple[str, int]:
        kind, key, line = self._next()
        if kind != "word":
            raise _unusable(f"{self.where}:{line}", f"a field's name is missing before {key!r}")
        self._skip(":")
        return key, line

    def _value(self, depth: int) -> str | Fields:
        kind, text, line = self._next()
        if kind == "sign" and text in "{<":
            if depth == DEEPEST:
                raise _unusable(f"{self.where}:{line}", f"it nests more than {DEEPEST} deep")
            return self._fields("}" if text == "{" else ">", depth + 1)
        if kind == "sign" and text == "[":
            while self._next()[:2] != ("sign", "]"):
                pass
            return ""
        if kind not in {"word", "text"}:
            raise _unusable(f"{self.where}:{line}", f"a value is missing before {text!r}")
        while kind == "text" and self.tokens[self.at][0] == "text":
            text += self._next()[1]  # neighbouring strings are one string
        return text

    def _fields(self, closing: str, depth: int) -> Fields:
        fields: Fields = {}
        while self.tokens[self.at][:2] != ("sign", closing):
            key, _ = self._key()
            fields[key] = self._value(depth)
            self._skip(",", ";")
        self.at += 1
        return fields

    def _next(self) -> Token:
        token = self.tokens[self.at]
        if token[0] == "end":
            raise _unusable(f"{self.where}:{token[2]}", "it ends in the middle of an item")
        self.at += 1
        return token

    def _skip(self, *signs: str) -> bool:
        kind, text, _ = self.tokens[self.at]
        found = kind == "sign" and text in signs
        self.at += found
        return found


def _tokens(text: str, where: str | Path) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            reason = f"{text[at : at + 10]!r} is not label map text"
            if text[at] in TYPOGRAPHIC:
                reason = f"{text[at]} is a typographic quotation mark; write ' or \""
            raise _unusable(f"{where}:{line}", reason)
        kind, said = match.lastgroup or "", match.group(match.lastgroup or 0)
        if kind in {"double", "single"}:
            yield "text", _unescaped(said), line
        elif kind != "skip":
            yield kind, said, line
        line += match.group().count("\n")
        at = match.end()
    yield "end", "", line


def _escaped(name: str) -> str:
    plain = name.replace("\\", "\\\\").replace("'", "\\'")
    return re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\{ord(match.group()):03o}", plain)


def _unescaped(said: str) -> str:
    """C escapes; they stand for bytes, so that UTF-8 may be written as octal numbers."""

    def byte(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, sign = match.groups()
        if octal or hexadecimal:
            return bytes([int(octal, 8) & 255 if octal else int(hexadecimal, 16)])
        return _ESCAPED.get(sign, sign)

    if "\\" not in said:
        return said
    return _ESCAPE.sub(byte, said.encode()).decode(errors="replace")
