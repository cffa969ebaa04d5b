"""Decode images to oriented RGB uint8 pixels; no other module opens image files."""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from boxwright.errors import DataError
from boxwright.images.header import jpeg_header
from boxwright.io.compressed import plain_file
from boxwright.io.limits import ArchiveError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
FIRST_BYTES = 16 << 10  # bytes that contain the header of most images
MAX_PIXELS = 178_956_970  # Pillow's limit against decompression bombs, here an error
EXIF_ORIENTATION, TIFF_WIDTH, TIFF_HEIGHT = 0x0112, 0x0100, 0x0101
# Pillow's names of the metadata before the pixels that may contain the orientation.
METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"})
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ByteRange(NamedTuple):
    """An image that is a byte range of a larger file, such as a TFRecord."""

    path: Path
    start: int
    length: int

    def __str__(self) -> str:
        return f"{self.path}, bytes {self.start} to {self.start + self.length}"


ImageFile = str | Path | ByteRange


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an image, read without decoding its pixels.

    Attributes:
        width, height: pixels of the oriented image.
        orientation: the EXIF orientation, 1 (upright) to 8.
    """

    width: int
    height: int
    orientation: int

    @property
    def swaps_sides(self) -> bool:
        """True if the orientation swaps width and height."""
        return self.orientation >= 5


class Decoded(NamedTuple):
    """A decoded image, possibly at reduced size.

    Attributes:
        picture: oriented RGB.
        width, height: pixels of the oriented image at full size, the unit of its boxes.
    """

    picture: Image.Image
    width: int
    height: int

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """`(h, w, 3)` uint8."""
        return np.asarray(self.picture)


def is_image(path: str | Path) -> bool:
    """True if the file has the suffix of an image format that Boxwright can open."""
    name = path if isinstance(path, str) else path.name
    _, dot, suffix = name.rpartition(".")
    return bool(dot) and f".{suffix.lower()}" in SUFFIXES and not name.startswith(".")


def image_bytes(image: ImageFile) -> bytes:
    """The encoded bytes of an image. Raises OSError."""
    path, start, length = _located(image, -1)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as reading
        file.seek(start)
        return file.read(length)


def image_length(image: ImageFile) -> int:
    """Number of encoded bytes of an image. Raises OSError."""
    return image.length if isinstance(image, ByteRange) else Path(image).stat().st_size


def read_header(image: ImageFile) -> Header:
    """Read size and orientation of an image.

    Raises:
        DataError: BW101 there is no such file, BW102 the file is not an image or is damaged.
    """
    if plain := _plain_header(image):
        return plain
    with opened(image) as picture:
        return _upright(*_stored_size(picture), _orientation(picture))


def read_image(image: ImageFile, *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Read an image as oriented RGB, `(H, W, 3)` uint8; also gray, palette, alpha, 16-bit, CMYK.

    With `at_least`, a JPEG may be decoded at reduced size; both sides keep at least that many
    pixels. See `decode`, which raises the same errors.
    """
    return decode(image, short_side=at_least).pixels


def decode(
    image: ImageFile | bytes, *, short_side: int | None = None, long_side: int = 0
) -> Decoded:
    """Decode an image to oriented RGB, no larger than needed.

    A JPEG can be decoded at a half, a quarter or an eighth of its size, which is several times
    faster. Other formats are decoded at full size.

    Args:
        image: a path, a byte range, or the bytes of an image file.
        short_side, long_side: minimum pixels of the shorter and the longer side; without
            `short_side` a JPEG is decoded at full size too.

    Raises:
        DataError: BW101 there is no such file, BW102 the file is not an image or is damaged.
    """
    with opened(image) as picture:
        header = _upright(*_stored_size(picture), _orientation(picture))
        if short_side is not None:
            sides = picture.size
            share = max(short_side / min(sides), long_side / max(sides))
            picture.draft("RGB", (math.ceil(sides[0] * share), math.ceil(sides[1] * share)))
        return Decoded(upright_rgb(picture), header.width, header.height)


def rgb_of(picture: Image.Image) -> NDArray[np.uint8]:
    """`read_image` for a picture already opened by Pillow."""
    return np.asarray(upright_rgb(picture))


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Oriented RGB; the same picture, loaded, if it is that already."""
    oriented_by_pillow = picture.format == "TIFF"
    turn = None if oriented_by_pillow else UPRIGHT.get(_orientation(picture))
    if turn is None and picture.mode == "RGB" and "transparency" not in picture.info:
        picture.load()
        return picture
    return _to_rgb(picture if turn is None else picture.transpose(turn))


def _located(image: ImageFile, length: int) -> tuple[str | Path, int, int]:
    """File, start and length of an image; `length` if it is a file of its own.

    A range of a compressed file is one of its unpacked copy. Raises OSError.
    """
    if not isinstance(image, ByteRange):
        return image, 0, length
    try:
        return plain_file(image.path), image.start, image.length
    except ArchiveError as error:  # the file was replaced after it was read
        raise OSError(str(error)) from error


def _plain_header(image: ImageFile) -> Header | None:
    """The header of an ordinary JPEG from its first bytes; None if Pillow has to read it."""
    try:
        path, start, length = _located(image, FIRST_BYTES)
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as reading
            file.seek(start)
            found = jpeg_header(file.read(min(length, FIRST_BYTES)))
    except OSError:
        return None
    return _upright(*found) if found and found[0] * found[1] <= MAX_PIXELS else None


def _upright(width: int, height: int, orientation: int) -> Header:
    """The header of an image of this stored size."""
    return Header(*((height, width) if orientation >= 5 else (width, height)), orientation)


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8, stated before the pixels; 1 if EXIF is broken."""
    if not (picture.info.keys() & METADATA or picture.format == "TIFF"):
        return 1  # Pillow's getexif would decode a whole PNG to find EXIF after the pixels
    try:
        orientation = picture.getexif().get(EXIF_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return 1
    return orientation if orientation in range(1, 9) else 1


def _stored_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height before orientation; versions of Pillow differ for TIFF."""
    if isinstance(picture, TiffImageFile):
        return picture.tag_v2[TIFF_WIDTH], picture.tag_v2[TIFF_HEIGHT]
    return picture.size


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float32)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        gray = np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)
        return Image.fromarray(gray).convert("RGB")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        colored = picture.convert("RGBA")
        paper = Image.new("RGBA", colored.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, colored).convert("RGB")
    return picture.convert("RGB")


@contextmanager
def opened(image: ImageFile | bytes) -> Iterator[Image.Image]:
    """Open an image with Pillow; errors in the block become coded errors.

    Raises:
        DataError: BW101 there is no such file, BW102 the file is not an image or is damaged.
    """
    where = f"{len(image)} bytes" if isinstance(image, bytes) else str(image)
    with decoding(where):
        if isinstance(image, ByteRange):
            image = image_bytes(image)
        file = io.BytesIO(image) if isinstance(image, bytes) else Path(image)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of metadata that affects no pixel
            with Image.open(file) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise Image.DecompressionBombError(f"{picture.width} x {picture.height} pixels")
                yield picture


@contextmanager
def decoding(where: str) -> Iterator[None]:
    """Turn Pillow's errors into coded errors about `where`. Raises as `opened`."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("BW101", "there is no such image.", where=where) from error
    except UnidentifiedImageError as error:
        raise DataError("BW102", "is not an image that can be opened.", where=where) from error
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            "BW102",
            f"is damaged or cannot be read ({error}).",
            where=where,
        ) from error
