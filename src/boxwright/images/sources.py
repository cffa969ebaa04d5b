"""Images in: files, folders and glob patterns as one iterator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from boxwright.errors import DataError
from boxwright.images.decoding import is_image


def images(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The images that `paths` name: files, folders (with all below them), patterns like `a/*.jpg`.

    In the order given, folders and patterns sorted, each image once. A file that is named itself
    is taken whatever its suffix; in folders hidden files and hidden folders are passed over.
    All paths are looked at before the first image is handed out.

    Raises:
        DataError: BW191 there is no such file or folder, BW192 there are no images in it.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_file():
            found[path] = None
            continue
        if path.is_dir():
            matching = _below(path)
        elif any(sign in str(path) for sign in "*?["):
            matching = _fitting(path)
        else:
            raise DataError("BW191", "there is no such image or folder.", where=path)
        if not matching:
            raise DataError("BW192", "there are no images here.", where=path)
        found.update(dict.fromkeys(matching))
    return iter(found)


def _below(folder: Path) -> list[Path]:
    """All images in `folder` and its folders, but not in hidden ones such as `.git`."""
    return sorted(
        path
        for path in folder.rglob("*")
        if is_image(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _fitting(pattern: Path) -> list[Path]:
    """All images whose path fits `pattern`; `**` stands for any number of folders."""
    root = Path(pattern.anchor)
    try:
        return sorted(
            path
            for path in root.glob(str(pattern.relative_to(root)))
            if is_image(path) and path.is_file()
        )
    except ValueError:  # a pattern that pathlib refuses, such as `a**`
        return []
