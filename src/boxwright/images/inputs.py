"""Image inputs of the Python API: paths, bytes, open files, arrays, Pillow images."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DetectorError
from boxwright.images.decoding import Decoded, decode, upright_rgb
from boxwright.images.files import ByteRange, ImageFile
from boxwright.images.opening import decoding
from boxwright.images.options import DecodeOptions

ImageLike: TypeAlias = ImageFile | bytes | BinaryIO | NDArray[np.uint8] | Image.Image
CHANNELS = (1, 3, 4)  # gray, RGB, RGBA


def open_image(
    image: ImageLike,
    options: DecodeOptions | None = None,
    *,
    short_side: int | None = None,
    bgr: bool = False,
) -> Decoded:
    """Open an image as oriented RGB.

    Transparent pixels become white, in arrays and in files.

    Args:
        image: a path, the bytes of an image file, a file open for reading bytes, a Pillow image, or
            an array of uint8: RGB `(H, W, 3)`, RGBA `(H, W, 4)`, gray `(H, W)` or `(H, W, 1)`.
        options: limit of pixels of a file, and range of deep images; None takes the usual ones.
        short_side: minimum pixels of the shorter side, see `decoding.decode`; None for full size.
        bgr: an array has its channels in BGR order.

    Raises:
        DataError: BW101 there is no such file, BW102 it is not an image or is damaged, BW167
            it is of a format that is not opened, BW168 it has too many pixels.
        DetectorError: BW507 `image` has another type, dtype or shape.
    """
    options = options or DecodeOptions()
    if isinstance(image, np.ndarray):
        image = _of_array(image, bgr=bgr)
    if isinstance(image, Image.Image):
        if 0 in image.size:
            raise _no_image(f"a Pillow image of {image.width} x {image.height} pixels")
        with decoding(getattr(image, "filename", "") or "Pillow image"):
            picture = upright_rgb(image, options)
        return Decoded(picture, picture.width, picture.height)
    if isinstance(image, bytes | bytearray | memoryview):
        return decode(bytes(image), options, short_side=short_side)
    if isinstance(image, str | Path | ByteRange):
        return decode(image, options, short_side=short_side)
    return decode(_content(image), options, short_side=short_side)


def is_image_like(source: object) -> TypeGuard[ImageLike]:
    """True if `source` is one image; an array of four dimensions is a batch."""
    if isinstance(source, np.ndarray):
        return source.ndim < 4
    kinds = str | Path | ByteRange | bytes | bytearray | memoryview | Image.Image
    return isinstance(source, kinds) or hasattr(source, "read")


def _of_array(pixels: NDArray[Any], *, bgr: bool) -> Image.Image:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in CHANNELS:
        raise _no_image(f"an array of {pixels.dtype} {pixels.shape}")
    if not pixels.size:
        raise _no_image(f"an empty array {pixels.shape}")
    if channels == 1:
        pixels = pixels.reshape(pixels.shape[:2])
    elif bgr:
        pixels = pixels[..., [2, 1, 0, 3][:channels]]
    return Image.fromarray(np.ascontiguousarray(pixels))


def _content(file: Any) -> bytes:
    """The bytes of an open file from its current position."""
    if not hasattr(file, "read"):
        raise _no_image(type(file).__name__)
    content = file.read()
    if not isinstance(content, bytes):
        raise _no_image(f"a file that was opened as text ({type(file).__name__})")
    return content


def _no_image(what: str) -> DetectorError:
    return DetectorError("BW507", f"an image is expected, not {what}.")
