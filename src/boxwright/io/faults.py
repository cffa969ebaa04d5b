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


def is_disk_full(error: Exception) -> bool:
    """True if there was no room to write; libraries have the system's words in their own errors."""
    if isinstance(error, BoxwrightError):
        return False
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or any(os.strerror(each) in str(error) for each in FULL)


def refusal_in(error: Exception) -> str | None:
    """The system's words for why it does not write, in an error of a library; else None."""
    if isinstance(error, BoxwrightError | OSError):
        return None
    return next((each for each in map(os.strerror, REFUSED) if each in str(error)), None)


def not_written(reason: str, place: Path, **facts: object) -> SystemFaultError:
    return SystemFaultError("BW903", f"cannot be written ({reason}).", where=place, **facts)


def disk_full(place: Path, **facts: object) -> SystemFaultError:
    return SystemFaultError(
        "BW902", "the disk is full; no partial file was left behind.", where=place, **facts
    )


@contextmanager
def translating_os_errors(place: Path) -> Iterator[None]:
    """Raise coded errors for failures of the operating system to write at `place`."""
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise disk_full(place) from error
        if isinstance(error, OSError):
            raise not_written(error.strerror or str(error), place) from error
        if reason := refusal_in(error):
            raise not_written(reason, place) from error
        raise
