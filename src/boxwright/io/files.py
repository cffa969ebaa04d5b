"""Atomic writes: a final name never has a partial file."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any

from boxwright.errors import BoxwrightError
from boxwright.io.faults import translating_os_errors
from boxwright.io.locks import acquired
from boxwright.io.scratch import is_scratch, scratch_folder, sync, sync_names

Signature = tuple[int, int, int] | None
BLOCK = 1 << 20
TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EACCES}  # of a name for a folder


@contextmanager
def writing(
    target: str | Path,
    taken: Callable[[Path], BoxwrightError] | None = None,
    *,
    synced: bool = True,
    resumed: str = "",
) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and rename it to `target` on success, when all of it
    is on the disk.

    The temporary path has the suffixes of the target, which some writers need. After an error it
    is removed, and an older file of that name is unchanged. The block may create a file or a
    folder; a file never replaces a folder.

    Args:
        target: the final path.
        taken: given for a new folder. If files have appeared in `target` meanwhile, they stay, and
            so does the result, in a folder beside it: `taken` makes the error from its path.
        synced: False for one of many files; the caller syncs them all at the end.
        resumed: see `scratch_folder`; the temporary path may have what an interrupted block wrote.

    Raises:
        BoxwrightError: `taken`.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    target = Path(target)
    with translating_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = ExitStack()
        folder = scratch.enter_context(scratch_folder(target.parent, resumed=resumed))
    draft = folder / target.name
    try:
        with scratch, translating_os_errors(target):
            yield draft
            lasting = synced and not is_scratch(target)  # else the outer block syncs
            if lasting and draft.exists():
                sync(draft)
            if taken and draft.is_dir():
                _take_free_place(draft, target, taken)
            else:
                _take_place(draft, target, folder / "before")
            if lasting:
                sync_names(target.parent)
    except BoxwrightError as error:
        if error.where:  # the temporary path is gone
            error.where = error.where.replace(str(draft), str(target))
        raise


def _take_free_place(draft: Path, target: Path, taken: Callable[[Path], BoxwrightError]) -> None:
    """Rename a folder to a name that is missing or of an empty folder."""
    if _renamed(draft, target):
        return
    number = 2
    while not _renamed(draft, beside := target.with_name(f"{target.name}-{number}")):
        number += 1
    raise taken(beside)


def _renamed(draft: Path, target: Path) -> bool:
    """True if the folder was renamed; False if the name is taken by something."""
    with suppress(OSError):
        target.rmdir()  # only removes an empty folder
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True


def _take_place(draft: Path, target: Path, before: Path) -> None:
    """Rename `draft` to its final name; an existing folder is moved away first."""
    if not target.is_dir() or target.is_symlink():
        draft.replace(target)
        return
    if draft.is_file():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
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
    """Run the block in one process at a time; others wait until it leaves or ends.

    `path` is a file for this purpose only. It is kept and has the id of the last process in the
    block. The operating system holds the lock, so that a killed process releases it. A file system
    without locks gives no protection.

    Args:
        path: the lock file.
        refusal: makes the error to raise instead of waiting, from the id of the other process.

    Raises:
        BoxwrightError: `refusal`.
        SystemFaultError: BW902, BW903 the file cannot be created.
    """
    path = Path(path)
    with translating_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
    with file:  # closing the file releases the lock
        while acquired(file) is False:
            if refusal:
                file.seek(0)
                raise refusal(file.read().decode("ascii", "replace"))
            time.sleep(0.1)
        with translating_os_errors(path):
            file.truncate(0)
            file.write(str(os.getpid()).encode("ascii"))
        yield


def copy_stream(content: IO[bytes], target: Path) -> None:
    """Write a stream to a file, not atomically; errors of reading it stay what they are.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be written.
    """
    with translating_os_errors(target):
        file = target.open("wb", buffering=0)  # a full buffer would fail again as it is closed
    with file:
        while block := content.read(BLOCK):
            put(block, file, target)


def put(block: bytes, file: FileIO, target: Path) -> None:
    """Write all of a block to an unbuffered file.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be written.
    """
    with translating_os_errors(target):
        rest = memoryview(block)
        while rest:
            rest = rest[file.write(rest) :]


@contextmanager
def growing(target: Path) -> Iterator[Callable[[str], None]]:
    """Open a text file to write it line by line: yield the function that adds lines at once.

    It is not atomic, so that others can follow it and a killed process leaves what it had.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be written.
    """
    with translating_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("wb", buffering=0)
    with file:
        yield lambda text: put(text.encode("utf-8"), file, target)


@contextmanager
def growing_json(
    target: Path, before: str = "[", after: str = "]"
) -> Iterator[Callable[[Any], None]]:
    """Write an array of JSON atomically, without keeping its elements in memory: yield the function
    that adds one. `before` and `after` stand around the elements, each of which has a line.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be written.
    """
    with writing(target) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write(before)
        separator = "\n"

        def add(element: Any) -> None:
            nonlocal separator
            file.write(separator + json_text(element, indent=None))
            separator = ",\n"

        yield add
        file.write(f"\n{after}\n")


def write_text(target: str | Path, text: str) -> None:
    """Write `text` atomically as UTF-8 with Unix line ends."""
    with writing(target) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(target: str | Path, content: bytes) -> None:
    """Write `content` atomically."""
    with writing(target) as draft:
        draft.write_bytes(content)


def move(source: Path, target: Path) -> None:
    """Move a file to another folder of the same disk. Raises SystemFaultError: BW902, BW903."""
    with translating_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def remove(target: Path) -> None:
    """Remove a file, if it exists. Raises SystemFaultError: BW903."""
    with translating_os_errors(target):
        target.unlink(missing_ok=True)


def write_json(target: str | Path, value: Any) -> None:
    """Write `value` atomically as indented JSON."""
    write_text(target, json_text(value) + "\n")


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return `value` as JSON; halves of surrogate pairs as `\\udcff`, because UTF-8 has none.
    They are in names of files that are not UTF-8."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def size_of(path: Path) -> int:
    """Size in bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def signature(path: Path) -> Signature:
    """When a file was changed, its size, and the number that an atomic write replaces; None if it
    does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
