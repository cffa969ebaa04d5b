"""Files with annotations that no reader takes: no image shows nothing while they may be its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from boxwright.formats.annotations import Labeled
from boxwright.formats.folder import Folder, split_path, stem
from boxwright.formats.foreign import foreign_files
from boxwright.formats.names import CHANGED
from boxwright.formats.pairing import pair
from boxwright.structures.findings import Finding

HEAD = 4096  # bytes at the start of a file that show if it may have boxes
NUMBER = re.compile(rb"(?<![\w.])-?(?:\d+\.?\d*|\.\d+)")
BINARY = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
BOX = 4  # numbers
BESIDE = {".xmp", ".html", ".htm", ".md", ".log"}  # suffixes of files about images, without boxes
ANNOTATIONS = re.compile(  # in the path of an archive that may have some
    r"label|annot|box|object|truth|(?<![a-z])(gt|train|val|valid|test)(?![a-z])", re.IGNORECASE
)


def unread(folder: Folder, used: Collection[str], assumed: Collection[str]) -> Iterator[Finding]:
    """A finding for each file that has annotations in another format, or may have those of an image
    that otherwise counts as one without objects (BW155).

    Args:
        folder: the images and files.
        used: the files that were read.
        assumed: images without annotation that count as images without objects.
    """
    others = [
        path
        for suffix, paths in folder.files.items()
        if suffix not in BESIDE
        for path in paths
        if path not in used
    ]
    known = foreign_files(folder, others)
    for path, one in known.items():
        if one.suffixes and not ANNOTATIONS.search(path):  # such as what the folder was packed in
            continue
        message = f"is {one.title}, which is not read. It is from {one.tool}: {one.export}"
        yield Finding("BW155", path, message, "not used")
    for path, images in _of_images(folder, [path for path in others if path not in known], assumed):
        message = f"has the name of {images[0]}, but was not read as its annotation"
        yield Finding("BW155", path, message, "not used", images)


def _of_images(
    folder: Folder, files: Iterable[str], images: Collection[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The files with the name of one of the images that may have boxes, and these images."""
    names = {key for image in images for key in CHANGED.of_file(_stem(image))}
    called_so = [path for path in files if not names.isdisjoint(CHANGED.of_stated(_stem(path)))]
    alone = [Labeled(path, alone=True) for path in called_so if _may_have_boxes(folder.root / path)]
    matches = pair(folder, alone)
    for one, match in zip(alone, matches, strict=True):
        own = match if match.owner is None else matches[match.owner]
        named = tuple(image for image in (own.image or "", *match.could_be) if image in images)
        if named:
            yield one.path, named


def _stem(path: str) -> str:
    return stem(split_path(path)[1])


def _may_have_boxes(path: Path) -> bool:
    """True for a text with the numbers of a box, in any encoding, and a file that is unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).replace(b"\0", b"")
    except OSError:
        return True
    return not BINARY.search(head) and len(NUMBER.findall(head)) >= BOX
