"""Read archives and compressed files from strangers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from boxwright.io.faults import translating_os_errors
from boxwright.io.files import copy_stream
from boxwright.io.limits import (
    DAMAGED,
    LARGEST_DATA,
    ArchiveError,
    Budget,
    Limited,
    UnsupportedError,
    damage,
)
from boxwright.io.safe_path import SafePaths

LARGEST = 1 << 30  # bytes that an archive of weights may unpack to, in total
BLOCK = 1 << 20
CHECKPOINT = "checkpoint"  # the folder of a checkpoint in the zoo's archives of TensorFlow 2
GZIP, BZIP2, XZ = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0"
ZIP = b"PK\3\4", b"PK\5\6"
OTHERS = {  # first bytes of archives that are not read
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")


class Member(NamedTuple):
    """A part of an archive: its path, "file", "folder", "link" or "device", a file's content."""

    path: str
    kind: str
    content: IO[bytes]


def unpack(archive: Path, folder: Path, wanted: Collection[str]) -> set[str]:
    """Extract the files named in `wanted` into `folder` and return the names found.

    Names in the archive never become paths: only regular files at the top level, one folder below,
    or in a folder `checkpoint` there are extracted, by their bare names; the first of equal names
    wins. The checksums of files in a zip, and of a whole .tar.gz, are verified.

    Args:
        archive: .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz, detected by content.
        folder: is created.
        wanted: names without folders.

    Raises:
        ArchiveError: the file is not an archive, is damaged, or unpacks to too many bytes.
        SystemFaultError: BW902, BW903 `folder` cannot be written.
    """
    taken: set[str] = set()
    with translating_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with damage():
        for member in _members(archive, LARGEST):
            name = _name(member.path)
            if member.kind == "file" and name in wanted and name not in taken:
                taken.add(name)
                copy_stream(member.content, folder / name)
    return taken


def unpack_all(archive: Path, folder: Path) -> None:
    """Extract an archive of data into `folder`, which is created, or refuse it as a whole.

    Checksums are verified as in `unpack`.

    Raises:
        ArchiveError: the file is not an archive or is damaged.
        UnsafePathError: a path is absolute, has `..` or a drive, is a link or a device, or is that
            of another entry where case and Unicode forms do not count.
        TooMuchError: it unpacks to more than ENTRIES files, LARGEST_DATA bytes, or RATIO times its
            own size.
        UnsupportedError: it needs a password or another program.
        SystemFaultError: BW902, BW903 `folder` cannot be written.
    """
    paths = SafePaths()
    with translating_os_errors(folder):
        folder.mkdir(parents=True)
    with damage():
        for member in _members(archive, LARGEST_DATA):
            target = folder.joinpath(*paths.add(member.path, member.kind))
            if member.kind == "file":
                with translating_os_errors(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                copy_stream(member.content, target)
            else:
                with translating_os_errors(target):
                    target.mkdir(parents=True, exist_ok=True)


def is_archive(path: Path) -> bool:
    """True if a file is an archive by its content, or by its name. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
        if path.name.lower().endswith(SUFFIXES) or head.startswith((*ZIP, *OTHERS)):
            return True
        if not head.startswith((GZIP, BZIP2, XZ)):
            return _starts_tar(head)
        file.seek(0)
        try:
            return _starts_tar(_opened(file, head).read(tarfile.BLOCKSIZE))
        except DAMAGED:
            return False


def _members(archive: Path, largest: int) -> Iterator[Member]:
    with archive.open("rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
        for start, program in OTHERS.items():
            if head.startswith(start):
                raise UnsupportedError(f"it is a {program} archive")
        budget = Budget(archive.stat().st_size, largest)
        is_tar = _starts_tar(head) or head.startswith((GZIP, BZIP2, XZ))
        if not is_tar and zipfile.is_zipfile(file):
            yield from _zip_members(file, budget)
        elif is_tar:
            file.seek(0)
            yield from _tar_members(_opened(file, head), budget)
        elif head.startswith(ZIP):
            raise ArchiveError("the end of the zip file is missing")
        else:
            raise ArchiveError("it is neither a zip nor a tar file")


def _zip_members(file: IO[bytes], budget: Budget) -> Iterator[Member]:
    with zipfile.ZipFile(file) as packed:
        entries = packed.infolist()
        budget.count(len(entries))
        budget.spend(sum(each.file_size for each in entries))
        for each in entries:
            if each.flag_bits & 1:
                raise UnsupportedError("it needs a password")
            with packed.open(each) as content:
                yield Member(_zip_path(each), _zip_kind(each), content)


def _zip_path(entry: zipfile.ZipInfo) -> str:
    """The path of an entry; macOS and other tools write UTF-8 without the flag for it."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _zip_kind(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.is_dir() or (entry.filename.endswith("\\") and not entry.file_size):
        return "folder"
    if kind == stat.S_IFLNK:
        return "link"
    return "file" if kind in {0, stat.S_IFREG} else "device"


def _tar_members(plain: Any, budget: Budget) -> Iterator[Member]:
    # Bytes are counted twice: those of the archive, and those of sparse files, which it lacks.
    sparse = Budget(budget.packed, budget.largest)
    stream = io.BufferedReader(Limited(plain, budget), BLOCK)
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictInfo) as tar:
        for number, member in enumerate(tar, start=1):
            sparse.count(number)
            sparse.spend(member.size if member.isreg() else 0)
            content = tar.extractfile(member) if member.isreg() else None
            yield Member(member.name, _tar_kind(member), content or io.BytesIO())
    while stream.read(BLOCK):  # to the end, where gzip has its checksum
        pass


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.isreg():
        return "file"
    if member.isdir():
        return "folder"
    return "link" if member.issym() or member.islnk() else "device"


class _StrictInfo(tarfile.TarInfo):
    """A header of a tar file. After the first one, `tarfile` takes damage for the end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            kind = type(error).__name__  # the kinds are not public
            if kind == "EOFHeaderError":
                raise
            is_cut = kind in {"EmptyHeaderError", "TruncatedHeaderError"}
            raise EOFError if is_cut else ValueError from error


def _opened(file: IO[bytes], head: bytes) -> Any:
    """The file, decompressed if it is compressed."""
    if head.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(BZIP2):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if head.startswith(XZ) else file


def _starts_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _name(path: str) -> str:
    """The last part of a path of one or two parts, and of `.../checkpoint/...`; empty for other
    paths."""
    parts = [part for part in path.split("/") if part != "."]
    unsafe = "\\" in path or ":" in path or ".." in parts or "" in parts
    if len(parts) == 3 and parts[1] == CHECKPOINT:
        del parts[1]
    return "" if unsafe or len(parts) not in {1, 2} else parts[-1]
