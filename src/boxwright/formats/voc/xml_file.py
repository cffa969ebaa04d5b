"""Read one Pascal VOC XML file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from boxwright.formats.annotations import LARGEST, BadEntryError, Broken, Labeled, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import with_slashes
from boxwright.formats.shapes import ROTATED, turned
from boxwright.formats.xml_file import read_tree
from boxwright.structures.dataset import DIFFICULT, OCCLUDED, TRUNCATED

TAG = "annotation"  # of the root
SIDES = ("xmin", "ymin", "xmax", "ymax")
INDENTS = re.compile(r"\A\s*\n\s*|\s*\n\s*\Z")  # of a name on a line of its own
FLAGS = {"difficult": DIFFICULT, "truncated": TRUNCATED, "occluded": OCCLUDED}
ROTATION = "rotation"  # in CVAT's attributes of objects, in degrees


@dataclass
class Seen:
    """What files have beside plain boxes.

    Attributes:
        shapes: kind -> number of shapes whose bounding boxes are read.
        parts: name -> number of parts of objects, such as heads, which are not read.
    """

    shapes: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)


def read_annotation(root: str, where: str, seen: Seen) -> Labeled | Broken | None:
    """Read the XML file `where` below `root`; None if it is not an annotation.

    It is broken if it is damaged (BW110) or declares entities (BW111).
    """
    return annotation_in(read_tree(root, where), where, seen)


def annotation_in(tree: Element | Broken, where: str, seen: Seen) -> Labeled | Broken | None:
    """The annotation in the XML of the file `where`; None if it is not one."""
    if isinstance(tree, Broken):
        return tree
    try:
        return _annotation(tree, where, seen) if tree.tag == TAG else None
    except BadEntryError as error:
        return Broken("BW110", where, str(error))


def _annotation(root: Element, where: str, seen: Seen) -> Labeled:
    labeled = Labeled(where, alone=True, verified=_is_set(root.get("verified")))
    folder = path = ""
    for part in root:
        if part.tag == "object":
            _add_object(part, labeled, seen)
        elif part.tag == "filename":
            name = (part.text or "").strip()
            if labeled.image not in {"", name}:
                raise BadEntryError(f"names two images, '{labeled.image}' and '{name}'")
            labeled.image = name
        elif part.tag == "size":
            labeled.size = _size(part)
        elif part.tag == "folder":
            folder = (part.text or "").strip()
        elif part.tag == "path":
            path = with_slashes((part.text or "").strip())
        elif part.tag == "bndbox" or _has_boxes(part):
            raise BadEntryError(f"has boxes in <{part.tag}>, where only <object> can have them")
    if "/" not in path:  # some tools write only the file name there
        path = f"{folder}/{labeled.image}" if folder else ""
    labeled.hint = path
    return labeled


def _add_object(part: Element, labeled: Labeled, seen: Seen) -> None:
    """Add the boxes of an object, several of one class or as many as it has names, and then those
    of the objects in it."""
    place = len(labeled.names) + 1
    names: list[str] = []
    boxes: list[Element] = []
    others: list[Element] = []
    flag = 0
    for child in part:
        tag = child.tag
        if tag == "name":
            names.append(INDENTS.sub("", child.text or ""))
        elif tag == "bndbox":
            boxes.append(child)
        elif tag in FLAGS and _is_set(child.text):
            flag |= FLAGS[tag]
        elif len(child):
            others.append(child)
    if not names or not all(name.strip() for name in names):
        raise BadEntryError(f"object {place} has no class name")
    if len(names) not in {1, len(boxes)}:
        found = f"{len(names)} names and {len(boxes)} boxes"
        raise BadEntryError(f"object {place} ({names[0].strip()}) has {found}")
    rotation = _rotation(others) if others else 0.0
    seen.shapes[ROTATED] += len(boxes or [part]) if rotation else 0
    for i, box in enumerate(boxes or [part]):
        name = names[i if len(names) > 1 else 0]
        try:
            labeled.boxes += turned(_sides(box), rotation)
        except BadEntryError as error:
            raise BadEntryError(f"object {place + i} ({name.strip()}): {error}") from error
        labeled.names.append(name)
        labeled.flags.append(flag)
    _add_others(others, labeled, seen)


def _add_others(others: Sequence[Element], labeled: Labeled, seen: Seen) -> None:
    """Add the objects in an object, and count its parts."""
    place = len(labeled.names)
    for other in others:
        if other.tag == "object":
            _add_object(other, labeled, seen)
        elif other.tag == "part":
            seen.parts[(other.findtext("name") or "").strip()] += 1
        elif _has_boxes(other):
            raise BadEntryError(f"object {place} has boxes in <{other.tag}>")


def _has_boxes(part: Element) -> bool:
    return len(part) > 0 and next(part.iter("bndbox"), None) is not None


def _rotation(parts: Sequence[Element]) -> float:
    """The degrees by which CVAT has turned an object."""
    attributes = (one for part in parts if part.tag == "attributes" for one in part)
    stated = (one.findtext("value") for one in attributes if one.findtext("name") == ROTATION)
    return number(next(stated, None)) or 0.0


def _sides(box: Element) -> list[float]:
    found = {field.tag: field.text for field in box}
    if len(found) < len(box):
        sides = {(field.tag, field.text) for field in box if field.tag in SIDES}
        if len(sides) > len(dict(sides)):
            raise BadEntryError("a side is stated twice in one box")
    values = []
    for side in SIDES:
        text = found.get(side)
        try:
            value = float(text)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            cleaned = number(text)
            value = LARGEST if cleaned is None else cleaned
        if not -LARGEST < value < LARGEST:  # False for NaN
            stated = "is missing" if text is None else f"is '{text.strip()[:40]}', not a coordinate"
            raise BadEntryError(f"{side} {stated}")
        values.append(value)
    return values


def _is_set(text: str | None) -> bool:
    return text is not None and text.strip().lower() in {"1", "true", "yes"}


def _size(part: Element) -> Size | None:
    """The stated image size; 0 x 0 if it is missing or invalid, as some tools write it."""
    return size_of(part.findtext("width"), part.findtext("height"))
