"""Names of files to write that are free, or of files that an earlier call wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from PIL import Image

from boxwright.errors import DataError
from boxwright.images.opening import pillow_picture
from boxwright.images.options import MAX_PIXELS
from boxwright.io.files import writing

MARK = b"Drawn by Boxwright"  # comment of JPEGs that may be replaced
QUALITY = 92  # of these JPEGs


def refuse_to_replace(path: Path, is_own: Callable[[TextIO], bool]) -> None:
    """Refuse to replace a file that no earlier call wrote, by its content.

    Raises:
        DataError: BW194.
    """
    if not os.path.lexists(path):
        return
    with suppress(Exception), path.open(encoding="utf-8") as file:  # whatever it contains
        if is_own(file):
            return
    raise DataError("BW194", "predict did not write this file, and would replace it.", where=path)


def is_own_jpeg(path: Path) -> bool:
    """True if `save` wrote the file."""
    with suppress(Exception), pillow_picture(path, str(path), MAX_PIXELS) as picture:
        return picture.format == "JPEG" and picture.info.get("comment") == MARK
    return False  # Pillow raises many different classes for what is no picture


def fresh(
    stem: str,
    taken: set[str],
    out: Path,
    suffix: str = ".jpg",
    is_own: Callable[[Path], bool] = is_own_jpeg,
) -> str:
    """`<stem>.jpg`, or `<stem>-2.jpg` and so on if that name is taken, in `out` by a file that is
    not one of ours."""
    name, number = f"{stem}{suffix}", 1
    while name.lower() in taken or (os.path.lexists(out / name) and not is_own(out / name)):
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name.lower())
    return name


def video_stem(name: str) -> str:
    """The stem for a file about a video: its own, or the letters of an address."""
    stem = name.partition("://")[2] if "://" in name else Path(name).stem
    return "".join(sign if sign.isalnum() or sign in "-_. " else "-" for sign in stem).strip("-. ")


def save(picture: Image.Image, target: Path, *, synced: bool = False) -> None:
    """Write a JPEG that a later call may replace."""
    with writing(target, synced=synced) as draft:
        picture.save(draft, format="JPEG", quality=QUALITY, comment=MARK)
