"""The file of an image, and when it changed: a part of the names of results."""

from __future__ import annotations

import os
from pathlib import Path

from boxwright.images.decoding import ByteRange, ImageFile, whole_of


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
