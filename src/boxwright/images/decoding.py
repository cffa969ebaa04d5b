"""Decode images to oriented RGB uint8 pixels; no other module does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from boxwright.images.files import ByteRange, ImageFile, Part, image_bytes, located
from boxwright.images.header import JPEG, jpeg_header
from boxwright.images.kinds import HEIF_SUFFIXES, SUFFIXES, opens_heif, suffix_of
from boxwright.images.memory import DECODING
from boxwright.images.opening import decoding, jpeg_picture, pillow_picture
from boxwright.images.options import MAX_PIXELS, DecodeOptions
from boxwright.images.pixels import flat_rgb, is_deep_color, rgb_array

DEFAULT = DecodeOptions()
_one_at_a_time = Lock()  # image of which parts are cut out
HUNGRY = {"WEBP", "AVIF"}  # whose libraries take more than 12 bytes a pixel, at most 20
BINARY = getattr(os, "O_BINARY", 0)  # on Windows
FIRST_BYTES = 2 << 10  # bytes that contain the header of most images
MORE_BYTES = 16 << 10  # bytes that contain a header with some metadata
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
        return rgb_array(self.picture)


def is_image(path: str | Path) -> bool:
    """True if the file has the suffix of an image format that Boxwright can open."""
    name = path if isinstance(path, str) else path.name
    suffix = suffix_of(name)
    known = suffix in SUFFIXES or (suffix in HEIF_SUFFIXES and opens_heif())
    return known and not name.startswith(".")


def read_header(image: ImageFile, max_pixels: int = MAX_PIXELS) -> Header:
    """Read size and orientation of an image.

    Raises:
        DataError: BW101 there is no such file, BW102 the file is not an image or is damaged, BW167
            it is of a format that is not opened, BW168 it has more than `max_pixels`.
    """
    if plain := _plain_header(image, max_pixels):
        return plain
    with _opened(image, str(image), max_pixels) as picture:
        return _header(picture)


def read_image(
    image: ImageFile, options: DecodeOptions = DEFAULT, *, at_least: int | None = None
) -> NDArray[np.uint8]:
    """Read an image as oriented RGB, `(H, W, 3)` uint8; also gray, palette, alpha, 16-bit, CMYK.

    With `at_least`, a JPEG may be decoded at reduced size; both sides keep at least that many
    pixels. See `decode`, which raises the same errors.
    """
    return decode(image, options, short_side=at_least).pixels


def decode(
    image: ImageFile | bytes,
    options: DecodeOptions = DEFAULT,
    *,
    short_side: int | None = None,
    long_side: int = 0,
) -> Decoded:
    """Decode an image to oriented RGB; arguments and errors as in `decoded`."""
    with decoded(image, options, short_side=short_side, long_side=long_side) as result:
        return result


@contextmanager
def decoded(
    image: ImageFile | bytes,
    options: DecodeOptions = DEFAULT,
    *,
    short_side: int | None = None,
    long_side: int = 0,
) -> Iterator[Decoded]:
    """Decode an image to oriented RGB, no larger than needed.

    A JPEG can be decoded at a half, a quarter or an eighth of its size, which is several times
    faster. Other formats are decoded at full size. The image counts among those in memory until
    the block ends, see `images.memory`.

    Args:
        image: a path, a byte range, the bytes of an image file, or a part of an image, which is
            always decoded at full size.
        options: limit of pixels, and range of deep images.
        short_side, long_side: minimum pixels of the shorter and the longer side; without
            `short_side` a JPEG is decoded at full size too.

    Raises:
        DataError: as `opened`.
    """
    if isinstance(image, Part):
        yield _cut_out(image, options)
        return
    with opened(image, options, short_side=short_side, long_side=long_side) as source:
        yield source.decoded(options)


def _cut_out(part: Part, options: DecodeOptions) -> Decoded:
    """The pixels of a part. Its neighbors in the same image usually follow."""
    with _one_at_a_time:
        whole = _whole(part.image, options, _changed(part.image))
    left, top, right, bottom = part.region
    return Decoded(whole.crop(part.region), right - left, bottom - top)


@lru_cache(maxsize=1)
def _whole(image: ImageFile, options: DecodeOptions, changed: int) -> Image.Image:
    return decode(image, options).picture


def _changed(image: ImageFile) -> int:
    """When the file was changed; 0 if it does not exist."""
    try:
        return os.stat(located(image, 0)[0]).st_mtime_ns  # noqa: PTH116 - as `image_bytes`
    except OSError:
        return 0


@dataclass(frozen=True, slots=True)
class Opened:
    """An image file that Pillow has opened; its pixels may not yet be decoded.

    Attributes:
        picture: as stored, possibly at reduced size.
        header: size and orientation of the whole image.
        deep_color: it has 16 bits a color, of which Pillow reads the upper 8.
    """

    picture: Image.Image
    header: Header
    deep_color: bool

    def decoded(self, options: DecodeOptions) -> Decoded:
        """The image as oriented RGB; `picture` cannot be used afterwards."""
        flat = flat_rgb(self.picture, options.depth_range, deep_color=self.deep_color)
        return Decoded(self._upright(flat), self.header.width, self.header.height)

    def gray(self, options: DecodeOptions) -> Image.Image:
        """The image as oriented gray (mode L); `picture` cannot be used afterwards."""
        if self.picture.mode == "L" and "transparency" not in self.picture.info:
            self.picture.load()
            return self._upright(self.picture)
        return self.decoded(options).picture.convert("L")

    def _upright(self, flat: Image.Image) -> Image.Image:
        """Turn the flat picture, and free the memory of what it was made from."""
        turn = _turn(self.picture, self.header.orientation)
        if flat is not self.picture:
            self.picture.close()
        if turn is None:
            return flat
        upright = flat.transpose(turn)
        flat.close()
        return upright


def upright_rgb(picture: Image.Image, options: DecodeOptions = DEFAULT) -> Image.Image:
    """Oriented RGB of a picture that was opened elsewhere; itself, loaded, if it is that."""
    turn = _turn(picture, _orientation(picture))
    flat = flat_rgb(picture, options.depth_range)
    return flat if turn is None else flat.transpose(turn)


def _plain_header(image: ImageFile, max_pixels: int) -> Header | None:
    """The header of an ordinary JPEG from its first bytes; None if Pillow has to read it."""
    try:
        path, start, length = located(image, MORE_BYTES)
        file = os.open(path, os.O_RDONLY | BINARY)  # a file object costs as much as reading
        try:
            if start:
                os.lseek(file, start, os.SEEK_SET)
            content = os.read(file, min(length, FIRST_BYTES))
            found = jpeg_header(content)
            if found is None and len(content) == FIRST_BYTES:
                content += os.read(file, min(length, MORE_BYTES) - FIRST_BYTES)
                found = jpeg_header(content)
        finally:
            os.close(file)
    except OSError:
        return None
    return _upright(*found[:3]) if found and found.width * found.height <= max_pixels else None


def _upright(width: int, height: int, orientation: int) -> Header:
    """The header of an image of this stored size."""
    return Header(*((height, width) if orientation >= 5 else (width, height)), orientation)


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8, stated before the pixels; 1 if EXIF is broken."""
    if not (picture.info.keys() & METADATA or picture.format == "TIFF"):
        return 1  # Pillow's getexif would decode a whole PNG to find EXIF after the pixels
    try:
        orientation = picture.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # whatever a reader of EXIF raises
        return 1
    return orientation if orientation in range(1, 9) else 1


def _stored_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height before orientation; versions of Pillow differ for TIFF."""
    if isinstance(picture, TiffImageFile):
        return picture.tag_v2[TIFF_WIDTH], picture.tag_v2[TIFF_HEIGHT]
    return picture.size


def _turn(picture: Image.Image, orientation: int) -> Image.Transpose | None:
    return None if picture.format == "TIFF" else UPRIGHT.get(orientation)  # Pillow turns TIFF


def _header(picture: Image.Image) -> Header:
    return _upright(*_stored_size(picture), _orientation(picture))


@contextmanager
def opened(
    image: ImageFile | bytes,
    options: DecodeOptions = DEFAULT,
    *,
    short_side: int | None = None,
    long_side: int = 0,
    gray: bool = False,
) -> Iterator[Opened]:
    """Open an image for decoding; errors in the block become coded errors.

    The image counts among those in memory until the block ends. With `gray`, the colors of a JPEG
    that is reduced need not be decoded. Other arguments as in `decoded`.

    Raises:
        DataError: BW101 there is no such file, BW102 the file is not an image or is damaged, BW167
            it is of a format that is not opened, BW168 it has too many pixels.
    """
    where = f"{len(image)} bytes" if isinstance(image, bytes) else str(image)
    mode = "L" if gray else "RGB"
    content = _jpeg_bytes(image)
    header = jpeg_header(content)
    if header and header.width * header.height <= options.max_pixels:
        scale = _scale(header.width, header.height, short_side, long_side)
        pixels = header.width * header.height // (1 if header.progressive else scale**2)
        with decoding(where), DECODING.hold(pixels):
            if picture := jpeg_picture(content, header, mode, scale):
                yield Opened(picture, _upright(*header[:3]), deep_color=False)
                return
    with _opened(content or image, where, options.max_pixels) as picture:
        source = Opened(picture, _header(picture), is_deep_color(picture))
        pixels = picture.width * picture.height
        if short_side is not None:
            scale = _scale(*picture.size, short_side, long_side)
            picture.draft(mode, (picture.width // scale, picture.height // scale))
        if not picture.info.get("progressive"):  # or all coefficients are in memory
            pixels = picture.width * picture.height
        if picture.format in HUNGRY:
            pixels *= 2
        with DECODING.hold(pixels):
            yield source


def _jpeg_bytes(image: ImageFile | bytes) -> bytes:
    """The bytes of a JPEG; empty if the file is none or cannot be read."""
    if isinstance(image, bytes):
        return image
    with suppress(OSError):
        return image_bytes(image, JPEG)
    return b""


def _scale(width: int, height: int, short_side: int | None, long_side: int) -> int:
    """The smallest share of its size, 1, 2, 4 or 8, at which a JPEG has these sides."""
    if short_side is None:
        return 1
    sides = sorted((width, height))
    share = min(sides[0] // short_side, sides[1] // max(long_side, 1))
    return next((scale for scale in (8, 4, 2) if scale <= share), 1)


@contextmanager
def _opened(image: ImageFile | bytes, where: str, max_pixels: int) -> Iterator[Image.Image]:
    """The picture of an image file, called `where` in messages, not yet decoded. Raises as
    `opened`."""
    with decoding(where):
        content = image_bytes(image) if isinstance(image, ByteRange | Part) else image
        with pillow_picture(content, where, max_pixels) as picture:
            yield picture
