"""Parse an XML file safely and fast, and write text into one."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as parse_plain
from xml.sax.saxutils import escape

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring as parse_guarded

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken
from boxwright.io.text import RawText, decoded, encoding_of

SUFFIX = ".xml"
HEAD = 4096  # bytes at the start of a file that are searched for its first element
HEADER = 200  # bytes that hold the declaration
STATED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)")
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
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2


def first_tag(path: Path) -> str | None:
    """The name of the first element; empty if the file is not XML, None if it cannot be opened."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).replace(b"\0", b"")
    except OSError:
        return None
    first = re.search(rb"<([A-Za-z_][\w.:-]*)", head)
    return first.group(1).decode("ascii") if first else ""


def read_tree(root: str, where: str) -> Element | Broken:
    """The XML file `where` below `root`.

    It is broken if it is damaged (BW110) or declares entities (BW111).
    """
    try:
        with open(f"{root}/{where}", "rb") as file:  # noqa: PTH123 - a Path costs as much as reading
            content = file.read()
    except OSError as error:
        return Broken("BW110", where, f"cannot be read ({error.strerror or error})")
    return tree_of(content, where)


def tree_of(content: bytes, where: str) -> Element | Broken:
    """The XML in the bytes of the file `where`; broken as in `read_tree`."""
    try:
        return _tree(content, where)
    except ParseError as error:
        line, _ = error.position
        reason = str(error).partition(":")[0]
        return Broken("BW110", f"{where}:{line}", f"is not well-formed XML ({reason})")
    except DefusedXmlException:
        message = "declares XML entities, which attacks use and annotations do not need"
        return Broken("BW111", where, message)
    except DataError as error:
        return Broken.of(error, where)
    except LookupError as error:
        return Broken("BW110", where, f"declares an {error}")


def raw_text(content: bytes, where: str) -> RawText:
    """The text of an XML file that `tree_of` can parse, with its own line ends."""
    said = STATED.search(content[:HEADER])
    codec = said.group(1).decode("ascii").lower() if said else "utf-8"
    try:
        return RawText.of(content, where, WIDER.get(codec, codec))
    except (DataError, LookupError):
        return RawText.of(content, where)


def text(value: str) -> str:
    """A name as text of an element. Raises DataError: BW141 XML cannot contain it."""
    if ILLEGAL.search(value):
        raise DataError(
            "BW141", f"the name {value!r} contains a character that XML cannot contain."
        )
    return escape(value, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def decimal(value: np.float32) -> str:
    """The shortest decimal with the same float32 value; whole pixels without a point."""
    return np.format_float_positional(value, unique=True, trim="-")


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
    said = STATED.search(content[:HEADER].replace(b"\0", b""))
    name = said.group(1).decode("ascii").lower() if said else ""
    codecs.lookup(name or "utf-8")
    codec = WIDER.get(name, name)
    if encoding_of(content) == "utf-8" and EAST_ASIAN.match(codec):
        try:
            text = content.decode(codec)
        except (UnicodeDecodeError, LookupError):
            text = decoded(content, where)
    else:
        text = decoded(content, where)
    return DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1).encode()


def _parse(content: bytes) -> Element:
    """Parse XML; a file with a DOCTYPE, which may declare entities, uses the guarded parser.

    The guarded parser is several times slower. Every supported encoding spells `<!DOCTYPE` in
    ASCII, except UTF-16, which is detected by its zero bytes.
    """
    if b"<!DOCTYPE" in content or b"\0" in content:
        guarded: Element = parse_guarded(content)
        return guarded
    return parse_plain(content)  # noqa: S314  # nosec B314  # without a DOCTYPE, no entities
