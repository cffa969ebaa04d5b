"""Failures of the system to write, as errors with a code."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxwright.errors import BoxwrightError, SystemFaultError

FULL = {errno.ENOSPC, errno.EDQUOT}
REFUSED = {errno.EFBIG, errno.EROFS, errno.EIO}  # other reasons of the system not to write


def fault_in(error: Exception, place: Path, **facts: object) -> SystemFaultError | None:
    """The error with a code if there was no room to write, or if a library tells that the system
    does not write; else None. Libraries have the system's words in their own errors.

    Args:
        error: what a block of code raised.
        place: where it writes.
        facts: of the remedy.
    """
    if isinstance(error, BoxwrightError):
        return None
    number, said = error.errno if isinstance(error, OSError) else None, str(error)
    if number in FULL or any(os.strerror(each) in said for each in FULL):
        message = "the disk is full; no partial file was left behind."
        return SystemFaultError("BW902", message, where=place, **facts)
    if isinstance(error, OSError):
        return None
    for reason in map(os.strerror, REFUSED):
        if reason in said:
            return _not_written(reason, place, **facts)
    return None


def _not_written(reason: str, place: Path, **facts: object) -> SystemFaultError:
    return SystemFaultError("BW903", f"cannot be written ({reason}).", where=place, **facts)


@contextmanager
def translating_os_errors(place: Path) -> Iterator[None]:
    """Raise coded errors for failures of the operating system to write at `place`."""
    try:
        yield
    except Exception as error:
        if fault := fault_in(error, place):
            raise fault from error
        if isinstance(error, OSError):
            raise _not_written(error.strerror or str(error), place) from error
        raise
