"""The images of a task, and the one that each of its regions is on.

A task has its images in fields of its data, one in each or a list of them. A region names the tag
that it was drawn on (`to_name`), and its place in a list (`item_index`). Only the labeling
configuration says which field a tag shows. Without it, a tag shows the field with its name, or the
only field of images.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from boxwright.formats.around import around
from boxwright.formats.folder import Folder, split_path, with_slashes
from boxwright.formats.json_file import Object
from boxwright.formats.names import UPLOADED
from boxwright.images.kinds import names_image

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://+")
USUAL = re.compile(r"image|img|photo|picture|pic|[^a-z0-9]")  # not telling in names of tags
NUMBER = re.compile(r"\d+$")
CODE = re.compile(r"\{\{.*?\}\}")  # in the names of tags that are repeated for a list
HEAD = 4096  # bytes of an XML file that are searched for the root
ROOT = b"<View"  # of a labeling configuration


class Slot(NamedTuple):
    """Where a task has an image: a field, and the place in its list if it has one."""

    field: str
    item: int | None = None

    def __str__(self) -> str:
        return self.field if self.item is None else f"{self.field}[{self.item}]"


class Target(NamedTuple):
    """What a region says about its image: the names of its tag and control, the place in a list."""

    tag: str = ""
    control: str = ""
    item: int | None = None


class UnclearError(Exception):
    """It is unknown which image a region is on; the message is the reason."""


@dataclass
class Views:
    """What each tag shows.

    Attributes:
        shown: tag -> its place in the data, from the configuration or from equal names.
        repeated: tag, with 0 for its number -> the list that it is repeated for.
        tags: control -> tag, from the configuration.
        single: at most one tag has regions, so that it may show a field of any name.
    """

    shown: dict[str, Slot] = field(default_factory=dict)
    repeated: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    single: bool = True

    @classmethod
    def configured(cls, folder: Folder) -> Views:
        """The content of the labeling configurations in or around the folder."""
        views = cls()
        for path in around(folder, ".xml"):
            views._read(folder.root / path)
        return views

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                content = file.read(HEAD)
                if ROOT not in content:
                    return
                tree = fromstring(content + file.read())
        except (OSError, ValueError, ParseError, DefusedXmlException):
            return  # no configuration
        for tag in tree.iter():
            name, shown = tag.get("name", ""), tag.get("value") or tag.get("valueList") or ""
            if name and tag.get("toName"):
                self.tags.setdefault(name, tag.get("toName", ""))
            elif name and shown.startswith("$"):
                place = re.sub(r"\[.*?\]", "", shown[1:])
                stated = re.search(r"\[(\d+)\]", shown)
                if CODE.search(name):
                    self.repeated.setdefault(CODE.sub("0", name), place)
                else:
                    index = int(stated.group(1)) if stated else None
                    self.shown.setdefault(name, Slot(place, index))

    def guess(self, tags: Collection[str], fields: Collection[str]) -> None:
        """Add the tags that have the name of a field, or nearly so if no other has."""
        self.single = len(tags) < 2
        known = {slot.field for slot in self.shown.values()}
        for tag in tags:
            if tag in fields:
                self.shown.setdefault(tag, Slot(tag))
        left = [tag for tag in tags if not self.place_of(Target(tag))]
        free = set(fields).difference(known, tags)
        for tag in left:
            similar = [name for name in free if _key(name) == _key(tag)]
            if len(similar) == 1 and sum(_key(other) == _key(tag) for other in left) == 1:
                self.shown[tag] = Slot(similar[0])
            elif len(fields) == 1 and _first_of_tag(tag) in tags:  # numbers from 0 are indices
                self.repeated[_first_of_tag(tag)] = next(iter(fields))

    def place_of(self, target: Target) -> Slot | None:
        """The place that a region is on, with its index if that is known; None if it is not."""
        tag = target.tag or self.tags.get(target.control, "")
        if tag in self.shown:
            place, index = self.shown[tag]
            return Slot(place, target.item if index is None else index)
        number = NUMBER.search(tag)
        if number and _first_of_tag(tag) in self.repeated:
            return Slot(self.repeated[_first_of_tag(tag)], int(number.group()))
        return None


def images_in(fields: Object) -> dict[Slot, str]:
    """Each image of a task, with its path: uploaded, served, or anywhere on the web.

    A field that only repeats the file name of an image in another field is no image of its own.
    """
    slots = {
        slot: unquote(path)
        for name, value in fields.items()
        for slot, text in _texts(value, name, None)
        if names_image(split_path(path := _path_in_url(text))[1])
    }
    placed = {_file_name(path) for path in slots.values() if "/" in path}
    return {
        slot: path
        for slot, path in slots.items()
        if "/" in path or slot.field == "image" or _file_name(path) not in placed
    }


def urls_without_image(fields: Object) -> set[str]:
    """The fields of a task that may show something, but do not name an image file."""
    return {
        name
        for name, value in fields.items()
        for _, text in _texts(value, name, None)
        if "/" in text and not names_image(split_path(_path_in_url(text))[1])
    }


def slot_of(target: Target, slots: Mapping[Slot, str], views: Views) -> Slot:
    """The image that a region is on. Raises UnclearError with the reason if it is unclear."""
    fields = list(dict.fromkeys(slot.field for slot in slots))
    place = views.place_of(target)
    if place is None and (len(fields) > 1 or not views.single):
        said = f"to_name is '{target.tag}'" if target.tag else "it does not name its image tag"
        raise UnclearError(f"its task has images in {', '.join(fields)}, and {said}")
    name, index = place or Slot(fields[0], target.item)
    found = [slot for slot in slots if slot.field == name or slot.field.startswith(f"{name}.")]
    if not found:
        raise UnclearError(f"to_name is '{target.tag}', but its task has no image in '{name}'")
    if len(found) == 1 and (index is None or found[0].item is None):
        return found[0]
    chosen = [slot for slot in found if slot.item == index]
    if len(chosen) != 1:
        said = "there is no item_index" if index is None else f"the item_index is {index}"
        raise UnclearError(f"its task has {len(found)} images in '{name}', and {said}")
    return chosen[0]


def _texts(value: object, name: str, index: int | None) -> Iterator[tuple[Slot, str]]:
    """The texts in a field, its lists and its objects."""
    if isinstance(value, str):
        yield Slot(name, index), value
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _texts(one, name, i if index is None else index)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, f"{name}.{key}", index)


def _path_in_url(url: str) -> str:
    path, _, query = with_slashes(url).partition("?")
    for part in query.split("&"):
        if part.startswith("d="):
            path = part[2:]
    return SCHEME.sub("", path).lstrip("/")


def _file_name(path: str) -> str:
    return UPLOADED.sub("", split_path(path)[1].lower())


def _first_of_tag(tag: str) -> str:
    return NUMBER.sub("0", tag)


def _key(name: str) -> str:
    """What distinguishes a tag or field: `left` for `left_image` and `imgLeft`."""
    return USUAL.sub("", name.lower())
