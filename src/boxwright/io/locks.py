"""Locks of files, which the operating system releases when a process ends."""

from __future__ import annotations

import errno
import sys
from typing import IO

BEYOND = 1 << 30  # a byte beyond the end of every lock file


def acquired(file: IO[bytes]) -> bool | None:
    """Lock a file that is open for writing.

    Returns:
        True if this process now holds the lock, False if another one does; None where the file
        system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(BEYOND)  # a locked byte cannot be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        busy = error.errno in {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
        return False if busy else None
    return True
