"""Images as a browser shows them: the pixels that the boxes are about."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from boxwright.images.decoding import decoded, opened
from boxwright.images.header import jpeg_header
from boxwright.images.opening import decoding

SIDES = (64, 1024)  # pixels of a thumbnail's longer side
THUMBNAIL_QUALITY, QUALITY = 80, 95
HEADER = 128 << 10  # bytes that contain the header of most JPEGs, with its thumbnail


@dataclass(frozen=True)
class Pixels:
    """What to send for an image.

    Attributes:
        file: the image file, if a browser shows it as it is.
        jpeg: the rendered image otherwise.
    """

    file: Path | None = None
    jpeg: bytes = b""


def pixels(path: Path, side: int | None = None) -> Pixels:
    """What to send for an image file, or for its thumbnail with this longer side.

    Browsers show an ordinary JPEG, also a turned one, exactly as Boxwright decodes it. All else is
    rendered: browsers cannot open it, or read its colors, its metadata or its several pictures in
    another way.

    Raises:
        DataError: as `decoded`.
    """
    if side is not None:
        return Pixels(jpeg=_rendered(path, min(max(side, SIDES[0]), SIDES[1])))
    return Pixels(file=path) if _is_shown_as_decoded(path) else Pixels(jpeg=_rendered(path))


def etag_of(path: Path, side: int | None = None) -> str:
    """A text that changes with the file. Raises OSError."""
    about = path.stat()
    return f'"{about.st_mtime_ns:x}-{about.st_size:x}-{side or 0:x}"'


def _is_shown_as_decoded(path: Path) -> bool:
    with decoding(str(path)), path.open("rb") as file:
        if jpeg_header(file.read(HEADER)):
            return True
    with opened(path) as image:
        colors = image.picture.format in {"JPEG", "MPO"} and image.picture.mode in {"RGB", "L"}
        return colors and image.header.orientation == 1  # else XMP may say so, unread by browsers


def _rendered(path: Path, side: int | None = None) -> bytes:
    with decoded(path, short_side=None if side is None else 1, long_side=side or 0) as image:
        picture = image.picture
        if side is not None:
            picture.thumbnail((side, side))
        stream = io.BytesIO()
        plain = Image.frombytes("RGB", picture.size, picture.tobytes())  # without its metadata
        if side is None:
            plain.save(stream, "JPEG", quality=QUALITY, subsampling=0)
        else:
            plain.save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
        return stream.getvalue()
