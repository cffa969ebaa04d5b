"""Open image files with Pillow, in the formats that Boxwright promises; no other module does."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError, features

from boxwright.errors import BoxwrightError, DataError
from boxwright.images.header import JpegHeader, kind_of
from boxwright.images.kinds import (
    FORMATS,
    HEIF,
    UNOPENED,
    format_by_signature,
    opens_heif,
    register_heif,
    suffix_of,
)
from boxwright.images.memory import without_pillow_limit
from boxwright.images.options import MAX_PIXELS

SNIFFED = 64  # bytes that tell the format


@contextmanager
def pillow_picture(image: bytes | str | Path, where: str, max_pixels: int) -> Iterator[Image.Image]:
    """The picture of an image file, or of its bytes, not yet decoded.

    Raises:
        DataError: BW167 it is of a format that is not opened, BW168 it has more than `max_pixels`.
        Exception: any error of Pillow, see `decoding`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of metadata that affects no pixel
        with _identified(image, where) as picture:
            if picture.width * picture.height > max_pixels:
                raise _too_large(picture, max_pixels, where)
            if max_pixels <= MAX_PIXELS:
                yield picture
                return
            with without_pillow_limit():
                yield picture


def jpeg_picture(content: bytes, header: JpegHeader, mode: str, scale: int) -> Image.Image | None:
    """An ordinary JPEG, decoded at one of `scale` parts of its size as L or RGB, a gray one as L;
    None if it is damaged.

    Pillow's decoder gets the bytes without Pillow's reading of the header, which takes 0.05 ms.
    """
    size = (-(-header.width // scale), -(-header.height // scale))
    mode = "L" if header.colors == 1 else mode
    try:
        picture = Image.frombytes(mode, size, content, "jpeg", (mode, "", scale, 0))
    except ValueError:
        return None
    picture.format = "JPEG"
    return picture


def _identified(image: bytes | str | Path, where: str) -> Image.Image:
    """The picture of an image file, of any number of pixels."""
    try:
        return _by_content(image, where)
    except Image.DecompressionBombError:
        with without_pillow_limit():
            return _by_content(image, where)


def _by_content(image: bytes | str | Path, where: str) -> Image.Image:
    """The picture, in one of the formats that Boxwright promises. Raises any error of Pillow."""
    try:
        return _open(image, FORMATS)
    except (FileNotFoundError, Image.DecompressionBombError):
        raise
    except Exception as error:
        form = format_by_signature(_first_bytes(image))
        if form == "HEIC" and opens_heif():
            return _heif(image, where)
        if form and not (form == "AVIF" and features.check("avif")):
            raise not_opened(form, where) from error
        raise


def _heif(image: bytes | str | Path, where: str) -> Image.Image:
    register_heif()
    try:
        return _open(image, (HEIF,))
    except Image.DecompressionBombError:
        raise
    except Exception as error:
        message = f"is HEIC, which is not opened: it is damaged or unusual ({error})."
        raise DataError("BW167", message, where=where) from error


def _open(image: bytes | str | Path, formats: tuple[str, ...]) -> Image.Image:
    Image.preinit()  # or Pillow loads all of its formats for an unusual suffix
    return Image.open(io.BytesIO(image) if isinstance(image, bytes) else image, formats=formats)


def _first_bytes(image: bytes | str | Path) -> bytes:
    if isinstance(image, bytes):
        return image[:SNIFFED]
    with Path(image).open("rb") as file:
        return file.read(SNIFFED)


def format_of(path: Path) -> str:
    """The format of a file that does not have the suffix of an image, for messages."""
    suffix = suffix_of(path.name)
    try:
        content = _first_bytes(path)
    except OSError:
        content = b""
    if form := format_by_signature(content) or UNOPENED.get(suffix):
        return form
    named = f"named {suffix}" if suffix else "without a suffix"
    return f"{kind_of(content).upper() or 'of an unknown format'} {named}"


def not_opened(form: str, where: str | Path) -> DataError:
    """The error for an image of a format that is not opened."""
    return DataError("BW167", f"is {form}, which is not opened.", where=where)


def _too_large(picture: Image.Image, max_pixels: int, where: str) -> DataError:
    pixels = picture.width * picture.height
    return DataError(
        "BW168",
        f"has {picture.width} x {picture.height} = {pixels:,} pixels; the limit is {max_pixels:,}.",
        where=where,
    )


@contextmanager
def decoding(where: str) -> Iterator[None]:
    """Turn all errors of decoders into coded errors about `where`. Raises as `opened`."""
    try:
        yield
    except BoxwrightError:
        raise
    except FileNotFoundError as error:
        raise DataError("BW101", "there is no such image.", where=where) from error
    except UnidentifiedImageError as error:
        raise DataError("BW102", "is not an image that can be opened.", where=where) from error
    except Exception as error:  # decoders raise RuntimeError, NotImplementedError, struct.error...
        reason = str(error) or type(error).__name__
        raise DataError(
            "BW102",
            f"is damaged or cannot be read ({reason}).",
            where=where,
        ) from error
