"""Read one Pascal VOC XML file."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from boxwright.formats.annotations import LARGEST, BadEntryError, Broken, Labeled, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.xml_file import read_tree
from boxwright.structures.dataset import DIFFICULT, OCCLUDED, TRUNCATED

SIDES = ("xmin", "ymin", "xmax", "ymax")
INDENTS = re.compile(r"\A\s*\n\s*|\s*\n\s*\Z")  # of a name on a line of its own
FLAGS = {"difficult": DIFFICULT, "truncated": TRUNCATED, "occluded": OCCLUDED}


def read_annotation(root: str, where: str) -> Labeled | Broken | None:
    """Read the XML file `where` below `root`; None if it is not an annotation.

    It is broken if it is damaged (BW110) or declares entities (BW111).
    """
    return annotation_in(read_tree(root, where), where)


def annotation_in(tree: Element | Broken, where: str) -> Labeled | Broken | None:
    """The annotation in the XML of the file `where`; None if it is not one."""
    if isinstance(tree, Broken):
        return tree
    try:
        return _annotation(tree, where) if tree.tag == "annotation" else None
    except BadEntryError as error:
        return Broken("BW110", where, str(error))


def _annotation(root: Element, where: str) -> Labeled:
    labeled = Labeled(where, alone=True, verified=_is_set(root.get("verified")))
    folder = path = ""
    for part in root:
        if part.tag == "object":
            _add_object(part, labeled)
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
            path = (part.text or "").strip().replace("\\", "/")
        elif part.tag == "bndbox" or (len(part) and any(True for _ in part.iter("bndbox"))):
            raise BadEntryError(f"has boxes in <{part.tag}>, where only <object> can have them")
    if "/" not in path:  # some tools write only the file name there
        path = f"{folder}/{labeled.image}" if folder else ""
    labeled.hint = path
    return labeled


def _add_object(part: Element, labeled: Labeled) -> None:
    """Add the boxes of an object: several of one class, or as many as it has names."""
    place = len(labeled.names) + 1
    names: list[str] = []
    boxes: list[Element] = []
    flag = 0
    for field in part:
        tag = field.tag
        if tag == "name":
            names.append(INDENTS.sub("", field.text or ""))
        elif tag == "bndbox":
            boxes.append(field)
        elif tag in FLAGS and _is_set(field.text):
            flag |= FLAGS[tag]
    if not names or not all(name.strip() for name in names):
        raise BadEntryError(f"object {place} has no class name")
    if len(names) not in {1, len(boxes)}:
        found = f"{len(names)} names and {len(boxes)} boxes"
        raise BadEntryError(f"object {place} ({names[0].strip()}) has {found}")
    for i, box in enumerate(boxes or [part]):
        name = names[i if len(names) > 1 else 0]
        try:
            labeled.boxes += _sides(box)
        except BadEntryError as error:
            raise BadEntryError(f"object {place + i} ({name.strip()}): {error}") from error
        labeled.names.append(name)
        labeled.flags.append(flag)


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
