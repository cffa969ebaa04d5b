"""Extract files from an untrusted archive."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from boxwright.io.files import translating_os_errors

LARGEST = 1 << 30  # bytes that an archive may unpack to, in total
BLOCK = 1 << 20

# Exceptions raised by damaged archives.
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # an encrypted zip, or an unknown compression
)


class ArchiveError(Exception):
    """The archive cannot be read; the message is a phrase with the reason."""


def unpack(archive: Path, folder: Path, wanted: Collection[str]) -> set[str]:
    """Extract the files named in `wanted` into `folder` and return the names found.

    Names in the archive never become paths: only regular files at the top level or one folder
    below are extracted, by their bare names; the first of equal names wins. The checksums of files
    in a zip, and of a whole .tar.gz, are verified.

    Args:
        archive: .zip, .tar or .tar.gz, detected by content.
        folder: is created.
        wanted: names without folders.

    Raises:
        ArchiveError: the file is not an archive, is damaged, or unpacks to too many bytes.
        SystemFaultError: BW902, BW903 `folder` cannot be written.
    """
    taken: set[str] = set()
    with translating_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        for path, content in _files(archive):
            name = _name(path)
            if name in wanted and name not in taken:
                taken.add(name)
                _copy(content, folder / name)
    except DAMAGED as error:
        raise ArchiveError(str(error) or type(error).__name__) from error
    return taken


def _files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield path and content of each regular file in the archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST:
                raise ArchiveError(f"it unpacks to more than {LARGEST:,} bytes")
            for each in packed.infolist():
                # A symbolic link in a zip is harmless: it reads as a file that contains a path.
                if not each.is_dir():
                    with packed.open(each) as content:
                        yield each.filename, content
        return
    with archive.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        plain = _Limited(gzip.GzipFile(fileobj=file) if compressed else file)
        stream = io.BufferedReader(plain, BLOCK)
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if member.isreg() and (unpacked := tar.extractfile(member)):
                    yield member.name, unpacked
        while stream.read(BLOCK):  # to the end, where gzip has its checksum
            pass


class _Limited(io.RawIOBase):
    """A reader of `source` that raises after `LARGEST` bytes."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._left = LARGEST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._source.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise ArchiveError(f"it unpacks to more than {LARGEST:,} bytes")
        return count


def _name(path: str) -> str:
    """The last part of a path of one or two parts; empty for other paths."""
    parts = [part for part in path.split("/") if part != "."]
    unsafe = "\\" in path or ":" in path or ".." in parts or "" in parts
    return "" if unsafe or len(parts) not in {1, 2} else parts[-1]


def _copy(content: IO[bytes], target: Path) -> None:
    with translating_os_errors(target):
        file = target.open("wb")
    with file:
        while block := content.read(BLOCK):
            with translating_os_errors(target):
                file.write(block)
