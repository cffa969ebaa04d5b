"""One Pascal VOC xml file, read safely and fast."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as parse_plain

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring as parse_guarded

from boxwright.data.dataset import DIFFICULT, TRUNCATED
from boxwright.formats.frames import Size

SIDES = ("xmin", "ymin", "xmax", "ymax")
LARGEST = 1e7  # beyond this a coordinate is no pixel, and float32 no longer counts them


class Annotation(NamedTuple):
    """What an xml file says about its photo; boxes flat, four numbers each, as they stand."""

    filename: str
    size: Size | None
    boxes: list[float]
    names: list[str]
    flags: list[int]


class UnusableError(Exception):
    """An annotation that cannot be used; the reader collects them and names all at once."""

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(code, where, message)
        self.code, self.where, self.message = code, where, message


def read_annotation(path: str, where: str) -> Annotation | None:
    """Read an xml file; None if it is xml about something else. `where` names it in errors.

    Raises:
        UnusableError: BW110 the file is damaged, BW111 it declares entities.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path object costs as much as the reading
            content = file.read()
        root = _parse(content)
    except ParseError as error:
        line, _ = error.position
        reason = str(error).partition(":")[0]
        raise UnusableError(
            "BW110", f"{where}:{line}", f"is not well-formed xml ({reason})"
        ) from error
    except DefusedXmlException as error:
        message = "declares XML entities, which no annotation needs and an attack would use"
        raise UnusableError("BW111", where, message) from error
    except (OSError, ValueError, LookupError) as error:
        raise UnusableError("BW110", where, f"cannot be read ({error})") from error
    return _annotation(root, where) if root.tag == "annotation" else None


def _parse(content: bytes) -> Element:
    """Entities can only be declared in a DOCTYPE; a file with one goes to the guarded parser.

    The guarded parser is several times slower. Every encoding that the parser knows spells
    `<!DOCTYPE` in ASCII, except UTF-16, which shows by its zero bytes.
    """
    if b"<!DOCTYPE" in content or b"\0" in content:
        guarded: Element = parse_guarded(content)
        return guarded
    return parse_plain(content)  # noqa: S314


def _annotation(root: Element, where: str) -> Annotation:
    filename, size = "", None
    boxes: list[float] = []
    names: list[str] = []
    flags: list[int] = []
    for part in root:
        if part.tag == "object":
            _add_object(part, boxes, names, flags, where)
        elif part.tag == "filename":
            filename = (part.text or "").strip()
        elif part.tag == "size":
            size = _size(part)
    return Annotation(filename, size, boxes, names, flags)


def _add_object(
    part: Element, boxes: list[float], names: list[str], flags: list[int], where: str
) -> None:
    number = len(names) + 1
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
        raise UnusableError("BW110", where, f"object {number} has no class name")
    for side in SIDES:
        text = sides.get(side)
        try:
            value = float(text)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            value = LARGEST
        if not -LARGEST < value < LARGEST:  # nor is it NaN
            stated = "is missing" if text is None else f"is '{text.strip()}', not a pixel"
            raise UnusableError(
                "BW110", where, f"object {number} ({name.strip()}): {side} {stated}"
            )
        boxes.append(value)
    names.append(name)
    flags.append(flag)


def _is_set(text: str | None) -> bool:
    return text is not None and text.strip().lower() in {"1", "true"}


def _size(part: Element) -> Size | None:
    """The photo's stated size, if it states one: some tools write 0 x 0 or nothing."""
    try:
        width, height = (round(float(part.findtext(side) or 0)) for side in ("width", "height"))
    except (ValueError, OverflowError):
        return None
    return Size(width, height) if width > 0 and height > 0 else None
