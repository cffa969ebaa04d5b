"""Read one Pascal VOC XML file."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from boxwright.formats.annotations import LARGEST, BadEntryError, Broken, Labeled, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.xml_file import read_tree
from boxwright.structures.dataset import DIFFICULT, TRUNCATED

SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_annotation(root: str, where: str) -> Labeled | Broken | None:
    """Read the XML file `where` below `root`; None if it is not an annotation.

    It is broken if it is damaged (BW110) or declares entities (BW111).
    """
    tree = read_tree(root, where)
    if isinstance(tree, Broken):
        return tree
    try:
        return _annotation(tree, where) if tree.tag == "annotation" else None
    except BadEntryError as error:
        return Broken("BW110", where, str(error))


def _annotation(root: Element, where: str) -> Labeled:
    labeled = Labeled(where, alone=True)
    for part in root:
        if part.tag == "object":
            _add_object(part, labeled)
        elif part.tag == "filename":
            labeled.image = (part.text or "").strip()
        elif part.tag == "size":
            labeled.size = _size(part)
    return labeled


def _add_object(part: Element, labeled: Labeled) -> None:
    place = len(labeled.names) + 1
    name, flag = None, 0
    sides: dict[str, str | None] = {}
    for field in part:
        tag = field.tag
        if tag == "name":
            name = field.text
        elif tag == "bndbox":
            sides = {side.tag: side.text for side in field}
        elif tag == "difficult" and _is_set(field.text):
            flag |= DIFFICULT
        elif tag == "truncated" and _is_set(field.text):
            flag |= TRUNCATED
    if name is None or not name.strip():
        raise BadEntryError(f"object {place} has no class name")
    for side in SIDES:
        text = sides.get(side)
        try:
            value = float(text)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            cleaned = number(text)
            value = LARGEST if cleaned is None else cleaned
        if not -LARGEST < value < LARGEST:  # False for NaN
            stated = "is missing" if text is None else f"is '{text.strip()[:40]}', not a coordinate"
            raise BadEntryError(f"object {place} ({name.strip()}): {side} {stated}")
        labeled.boxes.append(value)
    labeled.names.append(name)
    labeled.flags.append(flag)


def _is_set(text: str | None) -> bool:
    return text is not None and text.strip().lower() in {"1", "true"}


def _size(part: Element) -> Size | None:
    """The stated image size; 0 x 0 if it is missing or invalid, as some tools write it."""
    return size_of(part.findtext("width"), part.findtext("height"))
