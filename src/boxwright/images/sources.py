"""Iterate over images in files, folders and glob patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from boxwright.errors import DataError
from boxwright.images.decoding import is_image
from boxwright.images.kinds import HEIF_SUFFIXES, suffix_of


def images(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Image paths of files, folders (recursively) and patterns such as `a/*.jpg`.

    Each image is returned once, in the order of `paths`; folders and patterns are sorted. A file
    named directly may have any suffix. Hidden files and folders inside of folders are skipped. All
    paths are checked before the first image is returned.

    Raises:
        DataError: BW191 there is no such file or folder, BW192 it contains no images.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_file():
            found[path] = None
            continue
        if path.is_dir():
            matching = _below(path)
        elif is_pattern(path):
            matching = fitting(path, may_be_image)
        else:
            raise DataError("BW191", "there is no such image or folder.", where=path)
        if not matching:
            raise DataError("BW192", "there are no images here.", where=path)
        found.update(dict.fromkeys(matching))
    return iter(found)


def may_be_image(path: Path) -> bool:
    """True for images, and for HEIC even if it cannot be opened: the error says what to do."""
    return is_image(path) or (suffix_of(path.name) in HEIF_SUFFIXES and path.name[0] != ".")


def _below(folder: Path) -> list[Path]:
    """All images below `folder`, except in hidden folders such as `.git`."""
    return sorted(
        path
        for path in folder.rglob("*")
        if may_be_image(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def is_pattern(path: Path) -> bool:
    """True if a path has signs of a pattern, and nothing has this very name."""
    return any(sign in str(path) for sign in "*?[") and not path.exists()


def fitting(pattern: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """All wanted files that match `pattern`, sorted; `**` matches any number of folders."""
    root = Path(pattern.anchor)
    try:
        return sorted(
            path
            for path in root.glob(str(pattern.relative_to(root)))
            if wanted(path) and path.is_file()
        )
    except ValueError:  # a pattern that pathlib rejects, such as `a**`
        return []
