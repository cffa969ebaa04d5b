"""Results of units, kept until the work ends: in a folder of the user's cache, at most a week."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import google_crc32c

from boxwright.errors import SystemFaultError
from boxwright.io.cache import cache_folder
from boxwright.io.files import writing
from boxwright.io.scratch import WEEK

LARGE = 2_000  # images; the results of fewer are computed again within seconds
VERSION = 6  # of what results contain
CHECKSUM = 4  # bytes, at the end of a file
NOTE = "What was done is kept for a week: the same command continues there."


class Kept:
    """The results of units by name: files in a folder, or without one in memory.

    A folder that cannot be written is no error: memory has what it does not take. A result is given
    out once, but its file stays.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._here: dict[str, bytes] = {}

    @property
    def lasts(self) -> bool:
        """True if results outlive the process."""
        return self._folder is not None

    def has(self, name: str) -> bool:
        return name in self._here or (self._folder is not None and (self._folder / name).is_file())

    def put(self, name: str, result: bytes) -> None:
        if self._folder is not None:
            with suppress(SystemFaultError), writing(self._folder / name, synced=False) as draft:
                draft.write_bytes(result + _checksum(result))
                return
        self._here[name] = result

    def take(self, name: str) -> bytes | None:
        """The result; None if its file is damaged or has vanished."""
        if name in self._here or self._folder is None:
            return self._here.pop(name, None)
        with suppress(OSError):
            content = (self._folder / name).read_bytes()
            result = content[:-CHECKSUM]
            return result if content[-CHECKSUM:] == _checksum(result) else None
        return None


def _checksum(result: bytes) -> bytes:
    return int(google_crc32c.value(result)).to_bytes(CHECKSUM, "little")


def name_of(*inputs: object) -> str:
    """A name for a result: a hash of all that it depends on."""
    said = repr((VERSION, *inputs)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(said).hexdigest()[:32]


@contextmanager
def kept_for(images: int, *options: object) -> Iterator[Kept]:
    """The results of interrupted work on so many images with these options, which the block adds
    to.

    They are removed when the block ends without an error. Few images have none. The note of
    `KeyboardInterrupt` says that they are kept.
    """
    if images < LARGE:
        yield Kept()
        return
    folder = cache_folder() / "units" / name_of(*options)
    _remove_old(folder.parent)
    with noting(True):
        yield Kept(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def noting(is_kept: bool) -> Iterator[None]:
    """Add to an interruption of the block that what was done is kept, if it is."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if is_kept:
            stop.add_note(NOTE)
        raise


def _remove_old(parent: Path) -> None:
    with suppress(OSError):
        for old in parent.iterdir():
            if old.stat().st_mtime < time.time() - WEEK:
                shutil.rmtree(old, ignore_errors=True)
