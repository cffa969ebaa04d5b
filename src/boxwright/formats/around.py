"""Files around annotations that may explain them, such as lists of class names."""

from __future__ import annotations

import os

from boxwright.formats.folder import Folder, split_path

ABOVE = ".."


def around(folder: Folder, *suffixes: str) -> list[str]:
    """The files with these suffixes in the folder, then those one folder up: `../data.yaml`.

    Files directly in the folder count even if it was scanned from one annotation file.
    """
    inside = folder.with_suffix(*suffixes)
    known = set(inside)
    beside = [name for name in _names(folder, "") if _ends(name, suffixes) and name not in known]
    above = [f"{ABOVE}/{name}" for name in _names(folder, ABOVE) if _ends(name, suffixes)]
    return [*inside, *beside, *above]


def is_above(path: str) -> bool:
    """True if a path of `around` is one folder up."""
    return split_path(path)[0] == ABOVE


def _names(folder: Folder, place: str) -> list[str]:
    try:
        with os.scandir(folder.root / place) as entries:
            return sorted(one.name for one in entries if one.name[0] != "." and one.is_file())
    except OSError:
        return []


def _ends(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes)
