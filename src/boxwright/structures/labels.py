"""Class names: label map text (`.pbtxt`), and spellings of the same class.

Boxwright identifies a class by its name; its 0-based id is its index in `Dataset.classes`. Ids in
label maps start at 1, because the Object Detection API reserves 0 for the background.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import DataError
from boxwright.io.files import write_text
from boxwright.io.protobuf_text import Message, TextFormatError, Value, parse, quoted
from boxwright.io.text import decoded

APOSTROPHE = "'"


def spelling_key(name: str) -> str:
    """The name without outer spaces and capitals, equal for all spellings of a class."""
    return name.strip().casefold()


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name most similar to `name`; None if none is similar."""
    by_key = {spelling_key(candidate): candidate for candidate in known}
    match = difflib.get_close_matches(spelling_key(name), by_key, n=1)
    return by_key[match[0]] if match else None


def label_map_text(classes: Sequence[str]) -> str:
    """Text of a label map that gives the classes the ids 1, 2, 3, ... in order."""
    items = (
        f"item {{\n  id: {number}\n  name: {quoted(name, APOSTROPHE)}\n}}\n"
        for number, name in enumerate(classes, start=1)
    )
    return "".join(items)


def write_label_map(path: str | Path, classes: Sequence[str]) -> None:
    """Write `label_map_text` to a file."""
    write_text(path, label_map_text(classes))


class Item(NamedTuple):
    """A class in a label map; the display name defaults to the name."""

    id: int
    name: str
    display_name: str


def read_label_map(path: str | Path) -> dict[int, str]:
    """Read `{id: class name}` from a label map file, in order of id.

    Raises:
        DataError: BW116 the file is not a usable label map; the message has the line and reason.
            BW160 it is not text.
    """
    return parse_label_map(_text_of(Path(path)), path)


def parse_label_map(text: str, where: str | Path = "label map") -> dict[int, str]:
    """Parse label map text to `{id: class name}`, in order of id; display names are preferred.

    Fields other than `id`, `name` and `display_name` are ignored.

    Raises:
        DataError: BW116 with the line and the reason.
    """
    return _shown(parse_items(text, where))


def read_items(path: str | Path) -> list[Item]:
    """The items of a label map file, with both names. Raises as `read_label_map`."""
    return parse_items(_text_of(Path(path)), path)


def parse_items(text: str, where: str | Path) -> list[Item]:
    """The items of label map text. Ids decide: the second id of a name is displayed as `name (2)`.

    Raises as `parse_label_map`.
    """
    try:
        tree = parse(text, "label map")
    except TextFormatError as error:
        raise _unusable(f"{where}:{error.line}", error.reason) from error
    items: list[Item] = []
    names: dict[int, str] = {}
    for field in tree.fields:
        place = f"{where}:{field.line}"
        if not isinstance(field.value, Message):
            raise _unusable(place, f"'{field.name}' is outside of any item")
        if field.name != "item":
            raise _unusable(place, f"'{field.name}' is where an item should be")
        item = _item(field.value, place)
        number, name = item.id, item.display_name
        if names.setdefault(number, name) != name:
            raise _unusable(place, f"id {number} is both '{names[number]}' and '{name}'")
        items.append(item)
    if not items:
        raise _unusable(where, "contains no item")
    return list(_distinct(items))


def _distinct(items: Iterable[Item]) -> Iterator[Item]:
    """The items, in which a name with two ids is displayed as `name` and `name (2)`."""
    ids: dict[str, int] = {}
    for item in items:
        name, number = item.display_name, 1
        while ids.setdefault(name, item.id) != item.id:
            number += 1
            name = f"{item.display_name} ({number})"
        yield item._replace(display_name=name)


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror or error})") from error
    return decoded(content, path)


def _shown(items: Iterable[Item]) -> dict[int, str]:
    return dict(sorted((item.id, item.display_name) for item in items))


def _item(message: Message, place: str) -> Item:
    if message.named("item"):
        raise _unusable(place, "an item is inside of another item")
    said = {each.name: each.value.text for each in message.fields if isinstance(each.value, Value)}
    stated, display_name = said.get("id"), said.get("display_name") or said.get("name")
    if display_name is None:
        raise _unusable(place, "an item has no name")
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", stated or ""):
        raise _unusable(place, f"the id of '{display_name}' is {stated!r}, not a whole number")
    number = int(stated or 0)
    if number == 0:
        raise _unusable(place, f"'{display_name}' has id 0, which is reserved for the background")
    if number < 0:
        raise _unusable(place, f"'{display_name}' has the negative id {stated}")
    return Item(number, said.get("name") or display_name, display_name)


def _unusable(where: str | Path, reason: str) -> DataError:
    return DataError("BW116", f"the label map cannot be used: {reason}.", where=where)
