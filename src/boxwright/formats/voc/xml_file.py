"""Read one Pascal VOC XML file safely and fast."""

from __future__ import annotations

import codecs
import re
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as parse_plain

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring as parse_guarded

from boxwright.errors import DataError
from boxwright.formats.annotations import LARGEST, BadEntryError, Broken, Labeled, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.io.text import decoded, encoding_of
from boxwright.structures.dataset import DIFFICULT, TRUNCATED

HEAD = 200  # bytes that hold the declaration
DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)")
DECLARATION = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
EAST_ASIAN = re.compile(r"big5|cp9|euc|gb|johab|shift_?jis|sjis|windows-9|ms9")
WIDER = {  # encodings whose names tools also write for their extensions
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "cp950",
}
SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_annotation(root: str, where: str) -> Labeled | Broken | None:
    """Read the XML file `where` below `root`; None if it is not an annotation.

    It is broken if it is damaged (BW110) or declares entities (BW111).
    """
    try:
        with open(f"{root}/{where}", "rb") as file:  # noqa: PTH123 - a Path costs as much as reading
            content = file.read()
        tree = _tree(content, where)
        return _annotation(tree, where) if tree.tag == "annotation" else None
    except ParseError as error:
        line, _ = error.position
        reason = str(error).partition(":")[0]
        return Broken("BW110", f"{where}:{line}", f"is not well-formed XML ({reason})")
    except DefusedXmlException:
        message = "declares XML entities, which attacks use and annotations do not need"
        return Broken("BW111", where, message)
    except BadEntryError as error:
        return Broken("BW110", where, str(error))
    except DataError as error:
        return Broken.of(error, where)
    except LookupError as error:
        return Broken("BW110", where, f"declares an {error}")
    except OSError as error:
        return Broken("BW110", where, f"cannot be read ({error.strerror or error})")


def _tree(content: bytes, where: str) -> Element:
    """Parse XML in the encoding that it declares, or in UTF-8 where it is written in that.

    Raises:
        ParseError: it is not well-formed.
        LookupError: no such encoding is known.
        DataError: BW160 it is in neither.
    """
    try:
        return _parse(content)
    except (ParseError, ValueError, LookupError):  # the parser knows no encodings of East Asia
        return _parse(_in_utf8(content, where))


def _in_utf8(content: bytes, where: str) -> bytes:
    """The XML without its declaration."""
    declared = DECLARED.search(content[:HEAD].replace(b"\0", b""))
    name = declared.group(1).decode("ascii").lower() if declared else ""
    codecs.lookup(name or "utf-8")
    codec = WIDER.get(name, name)
    if encoding_of(content) == "utf-8" and EAST_ASIAN.match(codec):
        try:
            text = content.decode(codec)
        except (UnicodeDecodeError, LookupError):
            text = decoded(content, where)
    else:
        text = decoded(content, where)
    return DECLARATION.sub(lambda said: "\n" * said[0].count("\n"), text, count=1).encode()


def _parse(content: bytes) -> Element:
    """Parse XML; a file with a DOCTYPE, which may declare entities, uses the guarded parser.

    The guarded parser is several times slower. Every supported encoding spells `<!DOCTYPE` in
    ASCII, except UTF-16, which is detected by its zero bytes.
    """
    if b"<!DOCTYPE" in content or b"\0" in content:
        guarded: Element = parse_guarded(content)
        return guarded
    return parse_plain(content)  # noqa: S314


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
