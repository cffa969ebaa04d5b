"""Writing files so that a final name never holds a half-written file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from boxwright.errors import BoxwrightError, SystemFaultError

SCRATCH = ".boxwright-"  # what temporary folders are called
BEYOND = 1 << 30  # a byte that no lock file has


@contextmanager
def writing(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it takes the final name at once.

    The temporary path keeps the target's suffixes (some writers insist on them). Whatever goes
    wrong, it is removed and an older file of that name stays as it was. The block may make a
    file or a folder there.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    target = Path(target)
    with translating_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=target.parent))
    try:
        with translating_os_errors(target):
            draft = scratch / target.name
            yield draft
            _take_place(draft, target, scratch / "before")
    except BoxwrightError as error:
        if error.where:  # nobody finds the temporary path any more
            error.where = error.where.replace(str(draft), str(target))
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _take_place(draft: Path, target: Path, before: Path) -> None:
    """Give `draft` its final name; a folder of that name, which cannot be replaced, steps aside."""
    if not target.is_dir() or target.is_symlink():
        draft.replace(target)
        return
    target.replace(before)
    try:
        draft.replace(target)
    except BaseException:
        before.replace(target)
        raise


@contextmanager
def locked(
    path: str | Path, refusal: Callable[[str], BoxwrightError] | None = None
) -> Iterator[None]:
    """Let one process at a time into the block; others wait until it has left or ended.

    `path` is a file for nothing but this, which names the last process in the block; it stays. A
    killed process holds nothing, for the operating system does the locking. On a file system that
    knows no locks everybody is let in.

    Args:
        path: the file.
        refusal: what to raise instead of waiting, made from the other process's id.

    Raises:
        BoxwrightError: `refusal`.
        SystemFaultError: BW902, BW903 the file cannot be made.
    """
    path = Path(path)
    with translating_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    with file:  # closing it gives the lock back
        while not _lock(file):
            if refusal:
                file.seek(0)
                raise refusal(file.read().decode("ascii", "replace"))
            time.sleep(0.1)
        with translating_os_errors(path):
            file.truncate(0)
            file.write(str(os.getpid()).encode("ascii"))
            file.flush()
        yield


def sweep(target: str | Path) -> None:
    """Remove what killed processes have left half-written of `target`, where none is writing."""
    target = Path(target)
    for draft in target.parent.glob(f"{SCRATCH}*/{target.name}"):
        shutil.rmtree(draft.parent, ignore_errors=True)


def _lock(file: IO[bytes]) -> bool:
    """Whether nobody else holds the lock any more."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(BEYOND)  # what is locked cannot be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
    return True


def write_text(target: str | Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends, all of it or nothing."""
    with writing(target) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_json(target: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, all of it or nothing."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@contextmanager
def translating_os_errors(place: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write at `place` into a coded error."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SystemFaultError(
                "BW902",
                "the disk is full; no partial file was left behind.",
                where=place,
            ) from error
        raise SystemFaultError(
            "BW903",
            f"cannot be written ({error.strerror or error}).",
            where=place,
        ) from error
