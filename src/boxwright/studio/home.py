"""The folder of the studio's own files, within the labeled folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxwright.errors import DataError, SystemFaultError
from boxwright.io.files import locked, write_text

HOME = ".boxwright"
IGNORE = ".gitignore"  # in it, so that Git lists none of its files


def is_made(home: Path) -> bool:
    """True if the folder exists or was made; False if it cannot be."""
    try:
        home.mkdir(exist_ok=True)
        if not (home / IGNORE).exists():
            write_text(home / IGNORE, "*\n")
    except (OSError, SystemFaultError):
        return False
    return True


@contextmanager
def alone_in(folder: Path, *, writable: bool) -> Iterator[None]:
    """Run the block in one process at a time for a folder, as far as it can be written.

    Raises:
        DataError: BW115 the folder is gone.
        SystemFaultError: BW902, BW903.
    """
    if not folder.is_dir():  # it would be made anew for the lock
        raise DataError("BW115", "it is no longer there.", where=folder)
    if not writable:
        yield
        return
    with locked(folder / HOME / "lock"):
        yield
