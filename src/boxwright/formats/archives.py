"""Data folders in archives: they are read from an unpacked copy in the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxwright.errors import BoxwrightError, DataError
from boxwright.io.archive import unpack_all
from boxwright.io.cache import unpacked_once
from boxwright.io.limits import ArchiveError, TooMuchError, UnsafePathError, UnsupportedError

CODES: dict[type[ArchiveError], str] = {
    ArchiveError: "BW172",
    UnsafePathError: "BW173",
    TooMuchError: "BW174",
    UnsupportedError: "BW175",
}


def unpacked(archive: Path) -> Path:
    """The folder of the unpacked copy of an archive.

    Raises:
        DataError: BW172 it is damaged, BW173 a path in it is unsafe, BW174 it unpacks to too much,
            BW175 it needs a password or another program. Then nothing is unpacked.
        OSError: it cannot be read.
        SystemFaultError: BW902 the disk is full, BW903 the cache cannot be written.
    """
    try:
        return unpacked_once(archive, lambda draft: unpack_all(archive, draft))
    except ArchiveError as error:
        message = f"the archive cannot be unpacked: {error}."
        raise DataError(CODES[type(error)], message, where=archive.absolute()) from error


def only_folder(folder: Path, ignored: frozenset[str]) -> Path:
    """The one folder in `folder` that holds everything else, as archives have it, or `folder`."""
    with os.scandir(folder) as entries:
        seen = [one for one in entries if not one.name.startswith(".") and one.name not in ignored]
    return Path(seen[0].path) if len(seen) == 1 and seen[0].is_dir() else folder


@contextmanager
def named_after(archive: Path | None, copy: Path) -> Iterator[None]:
    """In errors about the unpacked copy, state the archive in its place."""
    try:
        yield
    except BoxwrightError as error:
        if archive is not None and error.where:
            error.where = error.where.replace(str(copy.absolute()), str(archive.absolute()))
        raise
