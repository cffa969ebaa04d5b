"""Errors and limits of unpacking files from strangers."""

from __future__ import annotations

import errno
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LARGEST_DATA = 1 << 38  # bytes that an archive of images, or a compressed file, may unpack to
FREE = 64 << 20  # bytes that any archive may unpack to, whatever its own size
RATIO = 100  # above FREE: of unpacked to packed bytes; XML reaches 30, and images 2
ENTRIES = 1_000_000

# Exceptions raised by damaged archives.
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)


class ArchiveError(Exception):
    """The archive is damaged or is none; the message is a phrase with the reason."""


class UnsafePathError(ArchiveError):
    """A path in the archive leaves its folder, is a link or device, or is not unique."""


class TooMuchError(ArchiveError):
    """The archive unpacks to too many bytes or files."""


class UnsupportedError(ArchiveError):
    """The archive needs a password or another program."""


@contextmanager
def damage() -> Iterator[None]:
    """Turn exceptions about a damaged archive into ArchiveErrors."""
    try:
        yield
    except NotImplementedError as error:
        raise UnsupportedError("its compression is not supported") from error
    except DAMAGED as error:
        raise ArchiveError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.errno != errno.EINVAL:
        return f"it cannot be read ({error.strerror})"
    is_cut = isinstance(error, EOFError) or "end of data" in str(error)
    return "it is cut off" if is_cut else "its content is damaged"


class Budget:
    """The limits of one archive of `packed` bytes."""

    def __init__(self, packed: int, largest: int) -> None:
        self.packed, self.largest, self._spent = packed, largest, 0

    def spend(self, count: int) -> None:
        """Count unpacked bytes."""
        self._spent += count
        if self._spent > self.largest:
            raise TooMuchError(f"it unpacks to more than {self.largest:,} bytes")
        if self._spent > max(FREE, RATIO * self.packed):
            raise TooMuchError(f"it unpacks to more than {RATIO} times its own size")

    def count(self, entries: int) -> None:
        """Check the number of entries."""
        if entries > ENTRIES:
            raise TooMuchError(f"it has more than {ENTRIES:,} entries")


class Limited(io.RawIOBase):
    """A reader of `source` within a budget."""

    def __init__(self, source: Any, budget: Budget) -> None:
        self._source, self._budget = source, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._source.readinto(buffer)
        self._budget.spend(count)
        return count
