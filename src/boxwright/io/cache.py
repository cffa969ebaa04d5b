"""The folder of downloaded and unpacked files."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from boxwright.errors import SystemFaultError
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import locked, writing

VARIABLE = "BOXWRIGHT_CACHE"
UNPACKED = "unpacked"
LONGEST_NAME = 60  # characters of a file's name in that of its unpacked copy
UNFIT = re.compile(r"[^\w.-]+")


def cache_folder() -> Path:
    """The folder of downloads and unpacked files: `BOXWRIGHT_CACHE`, or the system's cache."""
    if own := os.environ.get(VARIABLE):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData/Local") / "boxwright"
    if sys.platform == "darwin":
        return _home() / "Library/Caches/boxwright"
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "boxwright"


def _home() -> Path:
    """The home folder; for a user without one, the folder for temporary files."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())


@contextmanager
def in_cache() -> Iterator[None]:
    """Let the remedy for a cache that cannot be written name the variable that chooses it."""
    try:
        yield
    except SystemFaultError as error:
        error.facts["variable"] = VARIABLE
        raise


def unpacked_once(source: Path, unpack: Callable[[Path], object]) -> Path:
    """The unpacked copy of a file: `unpack` writes it to the given path, unless it is there.

    A copy is found by the content of the file, whatever the file's name. One process unpacks at a
    time.

    Raises:
        OSError: the file cannot be read.
        SystemFaultError: BW902, BW903 the cache cannot be written.
        And the errors of `unpack`, after which nothing is left.
    """
    with source.open("rb") as file:
        key = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    folder = cache_folder() / UNPACKED
    name = UNFIT.sub("_", source.name)[-LONGEST_NAME:]
    target = folder / f"{name}-{key}"
    with in_cache(), locked(folder / "lock"):
        with translating_os_errors(folder):
            there = next(folder.glob(f"*-{key}"), None)
        if there is not None:
            return there
        with writing(target) as draft:
            unpack(draft)
    return target
