"""Find the sources that paths and patterns name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import DataError
from boxwright.formats.archives import named_after, unpacked
from boxwright.images.decoding import ImageFile
from boxwright.images.sources import images
from boxwright.io.archive import is_archive
from boxwright.io.text import decoded, read_text
from boxwright.sources.frame import Source
from boxwright.sources.images import Images

STDIN = "-"
LIST = ".txt"  # suffix of a file with a path on each line
SourceLike = str | Path


class Named(NamedTuple):
    """A single image and the name that it was found by."""

    name: str
    image: ImageFile | bytes


def sources(given: SourceLike | Sequence[SourceLike]) -> list[Source]:
    """The sources that are given, in their order.

    Args:
        given: one or several of: an image; a folder of images, and those below it; a pattern such
            as `a/*.jpg`; a `.txt` file with one of these on each line, relative to its folder; a
            zip or tar archive of images; `-`, which reads an image or such lines from standard
            input. Each image is taken once.

    Raises:
        DataError: BW191 there is no such file or folder, BW192 it contains no images, BW160 a list
            is not text, BW172 to BW175 an archive cannot be unpacked.
    """
    items = [given] if isinstance(given, str | Path) else given
    found: list[Source] = []
    taken: set[str] = set()
    for are_images, group in groupby(_all(items), key=lambda one: isinstance(one, Named)):
        if not are_images:
            found += [one for one in group if not isinstance(one, Named)]
            continue
        singles = {one.name: one.image for one in group if isinstance(one, Named)}
        new = {name: image for name, image in singles.items() if name not in taken}
        taken |= new.keys()
        found += [Images(new)] if new else []
    return found


def _all(items: Sequence[SourceLike]) -> Iterator[Named | Source]:
    for item in items:
        path = Path(item)
        if str(item) == STDIN:
            yield from _standard_input()
        elif path.suffix.lower() == LIST and path.is_file():
            yield from _listed(read_text(path), path.parent)
        else:
            yield from _one(path)


def _one(path: Path) -> Iterator[Named | Source]:
    """What a path or pattern names that is no list."""
    if path.is_file() and _is_archive(path):
        folder = unpacked(path)
        with named_after(path, folder):
            inside = list(images([folder]))
        for image in inside:
            yield Named(str(path / image.relative_to(folder)), image)
        return
    for image in images([path]):
        yield Named(str(image), image)


def _is_archive(path: Path) -> bool:
    try:
        return is_archive(path)
    except OSError:  # which is said when it is decoded
        return False


def _listed(text: str, folder: Path) -> Iterator[Named | Source]:
    for line in filter(None, map(str.strip, text.splitlines())):
        yield from _one(folder / line)


def _standard_input() -> Iterator[Named | Source]:
    """The image, or the lines of paths, that standard input has."""
    content = sys.stdin.buffer.read()
    if not content:
        raise DataError("BW192", "it is empty.", where="standard input")
    if b"\0" in content:  # in every image, and in no path
        yield Named("stdin", content)
    else:
        yield from _listed(decoded(content, "standard input"), Path())
