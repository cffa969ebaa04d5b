"""Edit a Pascal VOC file in place.

The file is well-formed, because the reader has parsed it. So a scan for tags finds the ranges of
its elements, and an edit replaces only the text of those that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from boxwright.formats.annotations import Labeled
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import Edit, EditedBox, encoded, refilled, usable
from boxwright.formats.voc.format import annotation_text, object_text
from boxwright.formats.voc.xml_file import FLAGS, ROTATION, SIDES, Seen, annotation_in
from boxwright.formats.xml_file import SUFFIX, decimal, raw_text, text, tree_of
from boxwright.structures.dataset import Dataset, LabeledImage

TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|<(?P<end>/?)(?P<name>[^\s/>!?]+)(?:\"[^\"]*\"|'[^']*'|[^>\"'])*?(?P<empty>/?)>",
    re.DOTALL,
)
VERIFIED = re.compile(r"\s+verified\s*=\s*(\"[^\"]*\"|'[^']*')")


@dataclass
class _Element:
    """The range of an element in the text, and that of its content."""

    tag: str
    start: int
    inside: int
    until: int = 0
    end: int = 0
    children: list[_Element] = field(default_factory=list)

    def named(self, *tags: str) -> list[_Element]:
        return [child for child in self.children if child.tag in tags]


class Editor:
    """The editor of Pascal VOC."""

    suffix = SUFFIX
    by_stem = False
    classes: ClassList | None = None

    def mirrored(self, image: str) -> str:
        return ""

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path, alone=True)
        return usable(annotation_in(tree_of(content, path), path, Seen()), path)

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        if content is None:
            return encoded(_new(edit))
        raw = raw_text(content, path)
        root = _root(raw.text)
        old = raw.text
        boxes = list(_boxes(root))
        indent = _Indent.of(old, root)
        before = self.labeled(content, path)
        new = [_object(old, before, boxes, box, indent) for box in edit.boxes]
        inner = "".join(refilled(_pieces(old, root), new))
        if root.until == root.end:  # <annotation/>
            opening = old[root.start : root.inside].removesuffix("/>") + ">"
            closing = "\n</annotation>"
        else:
            opening, closing = old[root.start : root.inside], old[root.until : root.end]
        if before.verified != edit.verified:
            opening = _with_verified(opening, verified=edit.verified)
        whole = old[: root.start] + opening + inner + closing + old[root.end :]
        return raw.bytes_of(whole, "xmlcharrefreplace")


@dataclass(frozen=True)
class _Indent:
    """The space before a child of the root, and what each level adds to it."""

    lead: str
    step: str

    @classmethod
    def of(cls, old: str, root: _Element) -> _Indent:
        child = next(iter(root.named("object") or root.children), None)
        if child is None:
            return cls("\n  ", "  ")
        lead = _space_before(old, child.start)
        below = _space_before(old, child.children[0].start) if child.children else ""
        step = below.removeprefix(lead) if "\n" in below else lead.rpartition("\n")[2]
        return cls(lead, step)

    def apply(self, lines: str) -> str:
        """Text that is indented by two spaces a level, as it is indented here."""
        parts = []
        for line in lines.splitlines():
            bare = line.lstrip(" ")
            parts.append(self.lead + self.step * ((len(line) - len(bare)) // 2 - 1) + bare)
        return "".join(parts)


def _root(old: str) -> _Element:
    open_: list[_Element] = []
    for match in TAG.finditer(old):
        if match["name"] is None:
            continue
        if match["end"]:
            closed = open_.pop()
            closed.until, closed.end = match.span()
            if not open_:
                return closed
            continue
        one = _Element(match["name"], match.start(), match.end(), match.end(), match.end())
        if open_:
            open_[-1].children.append(one)
        if not match["empty"]:
            open_.append(one)
        elif not open_:
            return one
    raise AssertionError("the reader has parsed it")


def _boxes(part: _Element) -> Iterator[tuple[_Element, int]]:
    """The objects in an element, and the number of each of their boxes, as the reader has them."""
    for one in part.named("object"):
        for i in range(max(1, len(one.named("bndbox")))):
            yield one, i
        yield from _boxes(one)


def _pieces(old: str, root: _Element) -> Iterator[tuple[str, bool]]:
    """The content of the root; an object has the space before it."""
    at = root.inside
    for one in root.named("object"):
        start = one.start - len(_space_before(old, one.start))
        yield old[at:start], False
        yield old[start : one.end], True
        at = one.end
    rest = old[at : root.until]
    if root.named("object"):
        yield rest, False
        return
    bare = rest.rstrip()
    yield bare, False
    yield "", True  # new objects follow the last child
    yield rest[len(bare) :], False


def _object(
    old: str,
    before: Labeled,
    boxes: Sequence[tuple[_Element, int]],
    box: EditedBox,
    indent: _Indent,
) -> str:
    """The text of an object after the edit, with the space before it."""
    if box.origin is None:
        sides = np.asarray(box.sides, np.float32)
        return indent.apply(object_text(box.name, list(sides), box.flags))
    part, number = boxes[box.origin]
    space = _space_before(old, part.start)
    changes: list[tuple[int, int, str]] = list(_alone(old, part, number))
    names = part.named("name")
    if box.name != before.names[box.origin]:
        one = names[number if len(names) > 1 else 0]
        changes.append(_filled(old, one, text(box.name)))
    changes += _flagged(old, part, before.flags[box.origin], box.flags)
    if box.sides is not None:
        holder = (part.named("bndbox") or [part])[number]
        values = np.asarray(box.sides, np.float32)
        for side, value in zip(SIDES, values, strict=True):
            changes += [_filled(old, one, decimal(value)) for one in holder.named(side)]
        changes += _unturned(old, part)
    return space + _replaced(old, part, changes)


def _alone(old: str, part: _Element, number: int) -> Iterator[tuple[int, int, str]]:
    """Leave out the other boxes of an object with several, their names, and objects in it."""
    many = part.named("bndbox")
    names = part.named("name")
    others = [one for i, one in enumerate(many) if i != number] + part.named("object")
    if len(names) > 1:
        others += [one for i, one in enumerate(names) if i != number]
    for one in others:
        yield one.start - len(_space_before(old, one.start)), one.end, ""


def _unturned(old: str, part: _Element) -> Iterator[tuple[int, int, str]]:
    for attributes in part.named("attributes"):
        for one in attributes.children:
            names = {old[name.inside : name.until] for name in one.named("name")}
            if ROTATION in names:
                yield from (_filled(old, value, "0") for value in one.named("value"))


def _flagged(old: str, part: _Element, before: int, after: int) -> Iterator[tuple[int, int, str]]:
    for tag, bit in FLAGS.items():
        if not (before ^ after) & bit:
            continue
        value = str(int(bool(after & bit)))
        there = part.named(tag)
        for one in there:
            yield _filled(old, one, value)
        if not there:
            name = part.named("name")[-1]
            space = _space_before(old, name.start)
            yield name.end, name.end, f"{space}<{tag}>{value}</{tag}>"


def _filled(old: str, one: _Element, value: str) -> tuple[int, int, str]:
    """The change that gives an element another content."""
    if one.until == one.end:  # <name/>
        return one.start, one.end, f"<{one.tag}>{value}</{one.tag}>"
    return one.inside, one.until, value


def _replaced(old: str, part: _Element, changes: Sequence[tuple[int, int, str]]) -> str:
    pieces, at = [], part.start
    for start, end, value in sorted(changes):
        pieces += [old[at:start], value]
        at = end
    return "".join([*pieces, old[at : part.end]])


def _with_verified(opening: str, *, verified: bool) -> str:
    """The tag of the root with LabelImg's `verified`, or without."""
    bare = VERIFIED.sub("", opening)
    return bare[:-1] + ' verified="yes">' if verified else bare


def _space_before(old: str, at: int) -> str:
    start = at
    while start and old[start - 1] in " \t\r\n":
        start -= 1
    return old[start:at]


def _new(edit: Edit) -> str:
    """The text of a new file."""
    boxes = np.array([box.sides for box in edit.boxes], np.float32).reshape(-1, 4)
    image = LabeledImage(
        edit.image,
        *edit.size,
        boxes,
        [box.name for box in edit.boxes],
        [box.flags for box in edit.boxes],
        verified=edit.verified,
    )
    return annotation_text(Dataset.of(Path(), [image]), 0, edit.image)
