"""Paths in archives from strangers, which must not lead out of a folder."""

from __future__ import annotations

import os
import re
import unicodedata

from boxwright.io.limits import UnsafePathError

LONGEST_PATH, LONGEST_NAME = 1000, 255  # characters
DRIVE = re.compile(r"[A-Za-z]:")
NOT_ON_WINDOWS = re.compile(
    r'[\x00-\x1f<>:"|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE
)


class SafePaths:
    """The paths of an archive, each of them safe and unique."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[str, str]] = {}  # folded -> as written, kind

    def add(self, path: str, kind: str) -> tuple[str, ...]:
        """The parts of a path. Raises UnsafePathError."""
        path = path.replace("\\", "/")
        if path.startswith("/") or DRIVE.match(path):
            raise UnsafePathError(f"{path!r} is an absolute path")
        parts = tuple(part for part in path.split("/") if part not in {"", "."})
        if ".." in parts:
            raise UnsafePathError(f"{path!r} leads out of its folder")
        if len(path) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in parts):
            raise UnsafePathError(f"the path {path[:40]!r} has {len(path)} characters")
        if any("\0" in part or not _is_name(part) for part in parts):
            raise UnsafePathError(f"{path!r} is not a valid path on this system")
        if kind not in {"file", "folder"}:
            raise UnsafePathError(f"{path!r} is a {kind}, not a file or a folder")
        for depth in range(1, len(parts) + 1):
            self._add_one("/".join(parts[:depth]), kind if depth == len(parts) else "folder")
        return parts

    def _add_one(self, path: str, kind: str) -> None:
        folded = unicodedata.normalize("NFC", path).casefold()
        before, kind_before = self._kinds.setdefault(folded, (path, ""))
        if before != path:
            raise UnsafePathError(f"{path!r} and {before!r} are the same on many systems")
        if kind_before and (kind, kind_before) != ("folder", "folder"):
            raise UnsafePathError(f"{path!r} is in it twice")
        self._kinds[folded] = (path, kind)


def _is_name(part: str) -> bool:
    return os.name != "nt" or NOT_ON_WINDOWS.search(part) is None
