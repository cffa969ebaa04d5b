"""Writing files so that a final name never holds a half-written file."""

from __future__ import annotations

import errno
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from boxwright.errors import BoxwrightError, SystemFaultError


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
        scratch = Path(tempfile.mkdtemp(prefix=".boxwright-", dir=target.parent))
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
def locked(path: str | Path) -> Iterator[None]:
    """Let one process at a time into the block; others wait until it has left or ended.

    `path` is a file for nothing but this; it stays. On a file system that knows no locks
    everybody is let in.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be made.
    """
    path = Path(path)
    with translating_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:  # closing it gives the lock back
        while not _lock(file):
            time.sleep(0.1)
        yield


def _lock(file: IO[bytes]) -> bool:
    """Whether nobody else holds the lock any more."""
    try:
        if sys.platform == "win32":
            import msvcrt

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


@contextmanager
def translating_os_errors(place: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write at `place` into a coded error."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SystemFaultError(
                "BW902",
                "the disk is full; nothing was left half-written.",
                where=place,
                remedy="Free some space or write to another disk, then run the command again.",
            ) from error
        raise SystemFaultError(
            "BW903",
            f"cannot be written ({error.strerror or error}).",
            where=place,
            remedy="Check that the folder exists, is yours, and that no program has it open.",
        ) from error
