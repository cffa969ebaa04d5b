"""Temporary folders that do not outlive their process for long, and data that reaches the disk."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from boxwright.errors import SystemFaultError
from boxwright.io.faults import fault_in
from boxwright.io.locks import acquired

SCRATCH = ".boxwright-"  # prefix of temporary folders
IN_USE = ".lock"  # a file in them that their process holds
VARIABLE = "TMPDIR"  # chooses the folder for temporary files
RESUMED = f"{SCRATCH}resumed-"  # of those in which the same work continues after an interruption
WEEK = 7 * 24 * 3600  # seconds that they are kept
SETTLED = 2.0  # seconds after which a folder's process has taken its lock
MANY = 64  # files; of more, everything is synced at once


_swept: set[Path] = set()  # by this process


@contextmanager
def scratch_folder(parent: Path | None = None, *, resumed: str = "") -> Iterator[Path]:
    """Yield a new folder in `parent`, by default the system's folder for temporary files, and
    remove it afterwards, together with those that killed processes have left there.

    Args:
        parent: the folder.
        resumed: a name for the work, if it continues after an interruption: a folder that was left
            there under this name within a week is yielded again.

    Raises:
        SystemFaultError: BW902, BW903 the system's folder for temporary files is full, or cannot be
            used.
        OSError: nothing can be created in `parent`.
    """
    if parent is None:
        with _in_temporary() as parent, scratch_folder(parent) as folder:
            yield folder
        return
    nested = is_scratch(parent)
    if not nested and parent not in _swept:
        sweep(parent)
        _swept.add(parent)
    if resumed:
        folder = parent / f"{RESUMED}{resumed}"
        folder.mkdir(exist_ok=True)
    else:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=parent))
    is_done = True
    try:
        if nested:  # the outer one is held
            yield folder
            return
        with (folder / IN_USE).open("a+b") as lock:
            if acquired(lock) is False:  # another process does the same work
                is_done = False
                with scratch_folder(parent) as other:
                    yield other
                return
            yield folder
    except KeyboardInterrupt:
        is_done = not resumed
        raise
    finally:
        if is_done:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _in_temporary() -> Iterator[Path]:
    """Yield the system's folder for temporary files; tell if there is none, or no room in it."""
    try:
        parent = Path(tempfile.gettempdir())
    except OSError as error:
        message = f"there is no folder for temporary files ({error.strerror or error})."
        raise SystemFaultError("BW903", message, variable=VARIABLE) from error
    try:
        yield parent
    except Exception as error:
        if fault := fault_in(error, parent, variable=VARIABLE):
            raise fault from error
        raise


def is_scratch(path: Path) -> bool:
    """True for a path within a temporary folder."""
    return any(part.startswith(SCRATCH) for part in path.parts)


def sweep(parent: Path) -> None:
    """Remove the temporary folders in `parent` whose processes have ended. Where the file system
    has no locks, or may not be read, nothing is removed."""
    with suppress(OSError):
        for folder in parent.glob(f"{SCRATCH}*"):
            if _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    with suppress(OSError):
        least = WEEK if folder.name.startswith(RESUMED) else SETTLED
        if time.time() - folder.stat().st_mtime <= least:
            return False
        if not any(folder.iterdir()):  # its process was killed before it took its lock
            return True
        with (folder / IN_USE).open("r+b") as lock:
            return acquired(lock) is True
    return False


def sync(path: Path) -> None:
    """Wait until a file, or a folder with all files in it, is on the disk.

    Raises:
        OSError: the disk is full or broken.
    """
    if path.is_file():
        _sync_file(path)
        return
    files = [each for each in path.rglob("*") if each.is_file() and not each.is_symlink()]
    if len(files) > MANY and sys.platform == "linux":
        os.sync()
        return
    for each in files:
        _sync_file(each)
    for folder in (path, *(each for each in path.rglob("*") if each.is_dir())):
        sync_names(folder)


def sync_names(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked to."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    with suppress(PermissionError), path.open("r+b") as file:  # a link to a read-only image
        os.fsync(file.fileno())
