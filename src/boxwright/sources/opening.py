"""Find the sources that paths and patterns name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from boxwright.backend import framework
from boxwright.errors import DataError
from boxwright.formats.archives import named_after, unpacked
from boxwright.images.files import ImageFile
from boxwright.images.options import MAX_PIXELS
from boxwright.images.sources import fitting, images, is_pattern, may_be_image
from boxwright.io.archive import is_archive
from boxwright.io.text import decoded, read_text
from boxwright.sources.frame import Source
from boxwright.sources.images import Images
from boxwright.sources.live import Live
from boxwright.sources.names import RTSP, is_live, is_video
from boxwright.sources.video import VideoFile

STDIN = "-"
LIST = ".txt"  # suffix of a file with a path on each line
SourceLike = str | Path


class Named(NamedTuple):
    """A single image and the name that it was found by."""

    name: str
    image: ImageFile | bytes


def sources(
    given: SourceLike | Sequence[SourceLike],
    *,
    rtsp: str = RTSP[0],
    max_pixels: int = MAX_PIXELS,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Source]:
    """The sources that are given, in their order.

    Args:
        given: one or several of: an image; a video; a folder of images, and those below it; a
            pattern such as `a/*.jpg`; a `.txt` file with one of these on each line, relative to its
            folder; a zip or tar archive of images; `-`, which reads an image or such lines from
            standard input; `camera:0`; the address of a stream, such as `rtsp://host/path`. Each
            image is taken once.
        rtsp: how RTSP streams are transported, `tcp` or `udp`.
        max_pixels: videos with larger frames are refused.
        tell: called with sentences for people, such as that a stream was lost.

    Raises:
        DataError: BW191 there is no such file or folder, BW192 it contains no images, BW160 a list
            is not text, BW172 to BW175 an archive cannot be unpacked.
        SystemFaultError: BW901 PyAV is not installed, which reads videos and streams.
    """
    items = [given] if isinstance(given, str | Path) else given
    finder = _Finder(rtsp, max_pixels, tell)
    found: list[Source] = []
    taken: set[str] = set()
    for are_images, group in groupby(finder.all(items), key=lambda one: isinstance(one, Named)):
        if not are_images:
            found += [one for one in group if not isinstance(one, Named)]
            continue
        singles = {one.name: one.image for one in group if isinstance(one, Named)}
        new = {name: image for name, image in singles.items() if name not in taken}
        taken |= new.keys()
        found += [Images(new)] if new else []
    return found


@dataclass(frozen=True)
class _Finder:
    rtsp: str
    max_pixels: int
    tell: Callable[[str], None]

    def all(self, items: Sequence[SourceLike]) -> Iterator[Named | Source]:
        for item in items:
            path = Path(item)
            if str(item) == STDIN:
                yield from self._standard_input()
            elif path.suffix.lower() == LIST and path.is_file():
                yield from self._listed(read_text(path), path.parent)
            else:
                yield from self._one(str(item), Path())

    def _one(self, given: str, folder: Path) -> Iterator[Named | Source]:
        """What a path, pattern or address names that is no list."""
        path = folder / given
        if is_live(given):
            yield self._live(given)
        elif "://" in given:
            yield self._video(given)
        elif path.is_file() and is_video(path.name):
            yield self._video(str(path))
        elif path.is_file() and _is_archive(path):
            yield from _in_archive(path)
        else:
            videos = fitting(path, lambda one: is_video(one.name)) if is_pattern(path) else []
            yield from (self._video(str(one)) for one in videos)
            if not videos or fitting(path, may_be_image):
                yield from (Named(str(image), image) for image in images([path]))

    def _video(self, name: str) -> Source:
        framework.av()
        return VideoFile(name, self.tell, self.max_pixels)

    def _live(self, name: str) -> Source:
        framework.av()
        return Live(name, self.tell, self.rtsp)

    def _listed(self, text: str, folder: Path) -> Iterator[Named | Source]:
        for line in filter(None, map(str.strip, text.splitlines())):
            yield from self._one(line, folder)

    def _standard_input(self) -> Iterator[Named | Source]:
        """The image, or the lines of paths, that standard input has."""
        content = sys.stdin.buffer.read()
        if not content:
            raise DataError("BW192", "it is empty.", where="standard input")
        if b"\0" in content:  # in every image, and in no path
            yield Named("stdin", content)
        else:
            yield from self._listed(decoded(content, "standard input"), Path())


def _in_archive(path: Path) -> Iterator[Named]:
    folder = unpacked(path)
    with named_after(path, folder):
        inside = list(images([folder]))
    for image in inside:
        yield Named(str(path / image.relative_to(folder)), image)


def _is_archive(path: Path) -> bool:
    try:
        return is_archive(path)
    except OSError:  # which is said when it is decoded
        return False
