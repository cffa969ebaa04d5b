"""Where formats of one file for each image have the file of an image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from boxwright.formats.folder import Folder, folded, split_path, stem
from boxwright.formats.names import CHANGED

SUFFIX = ".txt"


def mirrored(image: str, images: str, labels: str) -> str | None:
    """The path of an image with its last folder `images` replaced by `labels`; None without one."""
    before, found, after = f"/{image}".rpartition(f"/{images}/")
    return f"{before}/{labels}/{after}"[1:] if found else None


def label_path(image: str, images: str, labels: str) -> str:
    """The path of an image's text file: its last folder `images` becomes `labels`; without one it
    is beside the image."""
    return stem(mirrored(image, images, labels) or image) + SUFFIX


def label_paths(folder: Folder, folders: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The paths, folded, where the text files of the images belong: beside each, and in the folder
    for labels of each pair of folders."""
    for image in map(folded, folder.image_paths()):
        yield from {stem(image) + SUFFIX, *(label_path(image, *pair) for pair in folders)}


def at_changed_names(paths: Iterable[str], expected: Iterable[str]) -> set[str]:
    """Those of the files that are where labels belong, but for changes that tools make to names.

    Args:
        paths: of the files.
        expected: as `label_paths` gives them; not used if there are no files.
    """
    names = {path: split_path(folded(path)) for path in paths}
    keys: dict[str, set[str]] = {parent: set() for parent, _ in names.values()}
    for parent, name in map(split_path, expected if keys else ()):
        if parent in keys:
            keys[parent].update(CHANGED.of_file(stem(name)))
    return {
        path
        for path, (parent, name) in names.items()
        if not keys[parent].isdisjoint(CHANGED.of_stated(stem(name)))
    }
