"""Read compressed files from strangers, from unpacked copies in the cache."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import IO, Any

from boxwright.io.cache import unpacked_once
from boxwright.io.files import copy_stream
from boxwright.io.limits import LARGEST_DATA, Budget, Limited, damage

BLOCK = 1 << 20
START = 1 << 12  # bytes that decompress to the first bytes of a file
GZIP = b"\x1f\x8b\x08"
_known: dict[tuple[str, int, int], Path] = {}  # path, size and time of a file -> its plain copy


def plain_file(path: Path) -> Path:
    """The file, or its unpacked copy in the cache if it is compressed with gzip or zlib.

    Raises:
        OSError: the file cannot be read.
        And the errors of `decompress`.
    """
    stat = os.stat(path)  # noqa: PTH116 - this runs for each image of a TFRecord
    key = str(path), stat.st_size, stat.st_mtime_ns
    if key not in _known:
        with path.open("rb") as file:
            packed = compression(file.read(16))
        copy = unpacked_once(path, lambda draft: decompress(path, draft)) if packed else path
        _known[key] = copy
    return _known[key]


def plain_start(path: Path, size: int) -> bytes:
    """The first bytes of a compressed file's plain content; fewer if it is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(START)
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # finds out which of the two it is
    try:
        return stream.decompress(head, size)
    except zlib.error:
        return b""


def decompress(source: Path, target: Path) -> None:
    """Write the content of a file compressed with gzip or zlib to `target`.

    Raises:
        ArchiveError: the file is damaged; TooMuchError: as in `unpack_all`.
        SystemFaultError: BW902, BW903 `target` cannot be written.
    """
    with damage(), source.open("rb") as file:
        how = compression(file.read(BLOCK))
        file.seek(0)
        plain = gzip.GzipFile(fileobj=file) if how == "gzip" else _Zlib(file)
        budget = Budget(source.stat().st_size, LARGEST_DATA)
        copy_stream(io.BufferedReader(Limited(plain, budget), BLOCK), target)


def compression(head: bytes) -> str:
    """The compression of a file by its first bytes, "gzip" or "zlib"; "" if neither."""
    if head.startswith(GZIP):
        return "gzip"
    whole = len(head) > 1 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0
    # A record of a TFRecord may begin with these bytes too; its length has zeros there.
    return "zlib" if whole and any(head[4:8]) else ""  # RFC 1950, 2.2


class _Zlib(io.RawIOBase):
    """A reader of a zlib stream."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._stream = source, zlib.decompressobj()

    def readinto(self, buffer: Any) -> int:
        plain = b""
        while not plain and not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._source.read(BLOCK)
            if not packed:
                raise EOFError
            plain = self._stream.decompress(packed, len(buffer))
        buffer[: len(plain)] = plain
        return len(plain)
