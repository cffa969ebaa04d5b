"""Image files: where the bytes of an image are, and when they changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from boxwright.io.compressed import plain_file
from boxwright.io.limits import ArchiveError


class ByteRange(NamedTuple):
    """An image that is a byte range of a larger file, such as a TFRecord."""

    path: Path
    start: int
    length: int

    def __str__(self) -> str:
        return f"{self.path}, bytes {self.start} to {self.start + self.length}"


class Part(NamedTuple):
    """A part of an image, such as a tile.

    Attributes:
        image: the image.
        region: xyxy, pixels of the oriented image.
    """

    image: str | Path | ByteRange
    region: tuple[int, int, int, int]

    def __str__(self) -> str:
        return str(self.image)


ImageFile = str | Path | ByteRange | Part


def whole_of(image: ImageFile) -> str | Path | ByteRange:
    """The image that a part is of; itself if it is whole."""
    return image.image if isinstance(image, Part) else image


def image_bytes(image: ImageFile, signature: bytes = b"") -> bytes:
    """The encoded bytes of an image, of the whole one if it is a part; empty if they do not begin
    with the signature. Raises OSError."""
    path, start, length = located(image, -1)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as reading
        file.seek(start)
        if 0 <= length < len(signature) or file.read(len(signature)) != signature:
            return b""
        return signature + file.read(length if length < 0 else length - len(signature))


def image_length(image: ImageFile) -> int:
    """Number of encoded bytes of an image, or of that which it is a part of. Raises OSError."""
    image = whole_of(image)
    return image.length if isinstance(image, ByteRange) else Path(image).stat().st_size


def located(image: ImageFile, length: int) -> tuple[str | Path, int, int]:
    """File, start and length in bytes of an image; `length` if it is a file of its own.

    A range of a compressed file is one of its unpacked copy. Raises OSError.
    """
    image = whole_of(image)
    if not isinstance(image, ByteRange):
        return image, 0, length
    try:
        return plain_file(image.path), image.start, image.length
    except ArchiveError as error:  # the file was replaced after it was read
        raise OSError(str(error)) from error


def path_of(image: ImageFile) -> Path:
    """The file that an image is, or is in."""
    image = whole_of(image)
    return image.path if isinstance(image, ByteRange) else Path(image)


def version(image: ImageFile) -> str:
    """The file of an image, its size and when it changed; empty if it is not there."""
    image = whole_of(image)
    path, where = (image.path, image[1:]) if isinstance(image, ByteRange) else (image, ())
    try:
        status = os.stat(path)  # noqa: PTH116 - many times as fast as a Path's
    except OSError:  # the work that reads the image says so
        return ""
    return ascii((os.path.abspath(path), *where, status.st_size, status.st_mtime_ns))  # noqa: PTH100
