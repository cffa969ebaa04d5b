"""Image format and JPEG header from the first bytes of a file, without Pillow."""

from __future__ import annotations

import struct
from typing import NamedTuple

JPEG = b"\xff\xd8\xff"  # the first bytes of one
FORMATS = {
    JPEG: "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
}
ORIENTATION, SHORT = 0x0112, 3
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2  # frames
ORDINARY = frozenset({BASELINE, EXTENDED, PROGRESSIVE})
UNUSUAL = frozenset({*range(0xC3, 0xD0)} - {0xC4, 0xCC})  # lossless and arithmetic coding
UNSIZED = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a segment; unexpected here


class JpegHeader(NamedTuple):
    """The header of a JPEG.

    Attributes:
        width, height: pixels as stored.
        orientation: of EXIF, 1 (upright) to 8.
        colors: 1 (gray) or 3.
        progressive: all of its pixels are decoded together.
    """

    width: int
    height: int
    orientation: int
    colors: int
    progressive: bool


def kind_of(content: bytes) -> str:
    """The image format as in `image/format` of a TFRecord: "jpeg", "png"; "" if unknown."""
    if content[4:12] in {b"ftypavif", b"ftypavis"}:
        return "avif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in FORMATS.items() if content.startswith(start)), "")


def jpeg_header(content: bytes) -> JpegHeader | None:
    """The header of a JPEG, ten times as fast as Pillow.

    None for unusual files, which Pillow has to read: XMP (which may contain an orientation),
    several pictures in one file, odd EXIF, damage, or a header longer than `content`.
    """
    if not content.startswith(JPEG):
        return None
    frame, orientation, at = None, None, 2
    try:
        while True:
            lead, marker, length = struct.unpack_from(">BBH", content, at)
            if lead != 0xFF or marker in UNSIZED or marker == 0xFF or length < 2:
                return None
            if marker == 0xDA:
                if frame is None:
                    return None
                kind, height, width, colors = frame
                return JpegHeader(width, height, orientation or 1, colors, kind == PROGRESSIVE)
            start, at = at + 4, at + 2 + length
            if marker in ORDINARY:
                depth, height, width, colors = struct.unpack_from(">BHHB", content, start)
                if frame or depth != 8 or colors not in {1, 3} or not (width and height):
                    return None
                frame = marker, height, width, colors
            elif marker == 0xE1:
                if content[start : start + 6] != b"Exif\0\0" or orientation:
                    return None
                orientation = _orientation(content[start + 6 : at])
            elif marker in UNUSUAL or content[start : start + 4] == b"MPF\0":
                return None
    except (struct.error, ValueError):
        return None


def _orientation(exif: bytes) -> int:
    """The orientation in the first directory of the TIFF in EXIF (TIFF 6.0, section 2).

    Raises:
        struct.error: the data is truncated.
        ValueError: the data violates the standard.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        raise ValueError
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, at)
    found = 1
    for i in range(entries):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * i)
        if tag == ORIENTATION:
            if kind != SHORT or count != 1 or not 1 <= value <= 8:
                raise ValueError
            found = value
    return found
