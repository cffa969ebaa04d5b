"""Archives of data, from strangers: unpacked as a whole and safely, once, or not at all."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from boxwright.io import limits
from boxwright.io.archive import is_archive, unpack_all
from boxwright.io.cache import unpacked_once
from boxwright.io.limits import ArchiveError, TooMuchError, UnsafePathError, UnsupportedError
from boxwright.io.scratch import IN_USE
from folders import packed_gzip
from misbehaving import tarred, zipped

pytestmark = pytest.mark.tiny

GOOD = {"data/a.xml": b"a", "data/images/b.jpg": b"b", "data/images/ü.jpg": b"u", "c.txt": b""}
UNIX_LINK = stat.S_IFLNK | 0o777


def plain_tar(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    return gzip.decompress(tarred(files, *others))


PACK: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "zip": zipped,
    "tar": plain_tar,
    "tar.gz": tarred,
    "tar.bz2": lambda files: bz2.compress(plain_tar(files)),
    "tar.xz": lambda files: lzma.compress(plain_tar(files)),
}


def unpacked(tmp_path: Path, content: bytes) -> dict[str, bytes]:
    """What an archive unpacks to. Nothing else is written."""
    tmp_path.mkdir(exist_ok=True)
    archive, out = tmp_path / "archive", tmp_path / "out"
    archive.write_bytes(content)
    try:
        unpack_all(archive, out)
    finally:
        assert {path.name for path in tmp_path.iterdir()} <= {"archive", "out"}
        assert not any(path.is_symlink() for path in out.rglob("*"))
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return buffer.getvalue()


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


@pytest.mark.parametrize("kind", PACK)
def test_everything_comes_out(tmp_path: Path, kind: str) -> None:
    assert unpacked(tmp_path, PACK[kind](GOOD)) == GOOD
    assert is_archive(tmp_path / "archive")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (["../a"], "leads out"),
        (["a/../../b"], "leads out"),
        (["a/../b"], "leads out"),
        (["..\\a"], "leads out"),
        (["a\\..\\b"], "leads out"),
        (["/etc/a"], "absolute"),
        (["//host/a"], "absolute"),
        (["\\\\host\\a"], "absolute"),
        (["C:/a"], "absolute"),
        (["c:a"], "absolute"),
        (["C:\\a"], "absolute"),
        (["a.jpg", "A.JPG"], "are the same on many systems"),
        (["x/a", "X/b"], "are the same on many systems"),
        (["é", "e\u0301"], "are the same on many systems"),
        (["straße", "STRASSE"], "are the same on many systems"),
        (["a", "a/b"], "is in it twice"),
        (["a/b", "a"], "is in it twice"),
        (["a/b", "a//b"], "is in it twice"),
        (["a/b", "./a/b"], "is in it twice"),
        (["a" * 256], "has 256 characters"),
        (["a/" * 501 + "b"], "has 1003 characters"),
    ],
)
def test_no_path_leaves_the_folder(
    tmp_path: Path, kind: str, paths: list[str], reason: str
) -> None:
    content = PACK[kind](dict.fromkeys(["good.jpg", *paths], b"x"))
    with pytest.raises(UnsafePathError, match=reason):
        unpacked(tmp_path, content)


@pytest.mark.parametrize(
    ("kind", "called"),
    [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "device"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes, called: str) -> None:
    content = tarred(GOOD, entry("data/x", kind, "/etc/passwd"))
    with pytest.raises(UnsafePathError, match=f"is a {called}"):
        unpacked(tmp_path, content)


@pytest.mark.parametrize("mode", [UNIX_LINK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UnsafePathError, match=r"is a (link|device)"):
        unpacked(tmp_path, zip_of((with_mode("x", mode), b"/etc/passwd")))


def test_a_file_through_a_link_stays_inside(tmp_path: Path) -> None:
    content = tarred({"x/a": b"a"}, entry("x", tarfile.SYMTYPE, str(tmp_path)))
    with pytest.raises(UnsafePathError):
        unpacked(tmp_path, content)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("data\\images\\a.jpg", "data/images/a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("a//b.jpg", "a/b.jpg"),
        ("...", "..."),
        ("a..b", "a..b"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_harmless_spellings_of_paths(tmp_path: Path, kind: str, name: str, becomes: str) -> None:
    assert unpacked(tmp_path, PACK[kind]({name: b"x"})) == {becomes: b"x"}


def test_a_folder_may_be_listed_twice(tmp_path: Path) -> None:
    folders = [entry("data/", tarfile.DIRTYPE), entry("data", tarfile.DIRTYPE)]
    assert unpacked(tmp_path, tarred(GOOD, *folders)) == GOOD


def test_names_in_utf_8_without_the_flag(tmp_path: Path) -> None:
    content = zipped({"XX.jpg": b"x"}).replace(b"XX.jpg", "ü.jpg".encode())
    assert unpacked(tmp_path, content) == {"ü.jpg": b"x"}


@pytest.mark.parametrize(
    "content",
    [
        zip_of(("a.bmp", bytes(2 << 20))),
        zip_of(*((f"{i}.bmp", bytes(1 << 18)) for i in range(8))),
        packed_gzip(plain_tar({"a.bmp": bytes(2 << 20)})),
        lzma.compress(plain_tar({"a.bmp": bytes(2 << 20)})),
        bz2.compress(plain_tar({"a.bmp": bytes(2 << 20)})),
        packed_gzip(plain_tar({"a": b""}) + bytes(2 << 20)),
    ],
)
def test_bombs_stop_by_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(limits, "FREE", 1 << 16)
    with pytest.raises(TooMuchError, match="more than 100 times its own size"):
        unpacked(tmp_path, content)


def test_a_sparse_file_is_a_bomb_too(tmp_path: Path) -> None:
    sparse = entry("a.bmp")
    sparse.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.map": "0,0",
    }
    with pytest.raises(TooMuchError):
        unpacked(tmp_path, tarred({}, sparse))


@pytest.mark.parametrize("kind", PACK)
def test_bombs_stop_by_size_and_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    content = PACK[kind](GOOD)
    monkeypatch.setattr(limits, "ENTRIES", 3)
    with pytest.raises(TooMuchError, match="more than 3 entries"):
        unpacked(tmp_path / "count", content)
    monkeypatch.undo()
    monkeypatch.setattr("boxwright.io.archive.LARGEST_DATA", 2)
    with pytest.raises(TooMuchError, match="more than 2 bytes"):
        unpacked(tmp_path / "size", content)


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("keep", [0.2, 0.5, 0.8])
def test_a_cut_archive_is_refused(tmp_path: Path, kind: str, keep: float) -> None:
    content = PACK[kind]({f"{i}.jpg": bytes(range(256)) * 9 for i in range(20)})
    with pytest.raises(ArchiveError, match=r"cut off|damaged|missing"):
        unpacked(tmp_path, content[: int(len(content) * keep)])


def test_a_tar_cut_between_two_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cut off"):
        unpacked(tmp_path, plain_tar(GOOD)[:1024])


@pytest.mark.parametrize("at", [600, 1030])
def test_a_damaged_header_is_not_the_end(tmp_path: Path, at: int) -> None:
    content = bytearray(plain_tar(GOOD))
    content[at if at > 1024 else 1100] ^= 255
    with pytest.raises(ArchiveError, match="damaged"):
        unpacked(tmp_path, bytes(content))


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), UnsupportedError, "7-Zip"),
        (b"Rar!\x1a\x07\x01\0" + bytes(99), UnsupportedError, "RAR"),
        (b"\x28\xb5\x2f\xfd" + bytes(99), UnsupportedError, "Zstandard"),
        (zipped(GOOD).replace(b"\x14\0\0\0\0\0", b"\x14\0\1\0\0\0"), UnsupportedError, "password"),
        (
            zipped(GOOD).replace(b"\x14\0\0\0\0\0", b"\x14\0\0\0\x09\0"),
            UnsupportedError,
            "compress",
        ),
        (b"<html>Please log in</html>" * 99, ArchiveError, "neither a zip nor a tar"),
        (b"", ArchiveError, "neither a zip nor a tar"),
        (packed_gzip(b"one file" * 99), ArchiveError, "damaged|cut off"),
        (zipped(GOOD).replace(b"u\x50\x4b", b"v\x50\x4b", 1), ArchiveError, "damaged"),
    ],
)
def test_what_is_refused_and_why(
    tmp_path: Path, content: bytes, error: type[ArchiveError], reason: str
) -> None:
    with pytest.raises(error, match=reason) as caught:
        unpacked(tmp_path, content)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.zip", b"", True),
        ("a.tar.gz", b"<html>", True),
        ("a.json", zipped(GOOD), True),
        ("a", lzma.compress(plain_tar(GOOD)), True),
        ("a.record.gz", packed_gzip(b"record" * 200), False),
        ("a.json.gz", packed_gzip(b"{}"), False),
        ("a.json.gz", b"\x1f\x8b\x08", False),
        ("a.json", b"{}", False),
        ("a.txt", b"0 0 0 0 0\n" * 100, False),
        ("a.txt", bytes(2000), False),
        ("a.tar.json", plain_tar(GOOD), True),
    ],
)
def test_archives_are_recognized(tmp_path: Path, name: str, content: bytes, expected: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_archive(tmp_path / name) == expected


def test_a_file_is_unpacked_once_whatever_its_name(tmp_path: Path, cache: Path) -> None:
    made = []

    def make(draft: Path) -> None:
        made.append(draft)
        draft.mkdir()

    (tmp_path / "a b?.zip").write_bytes(b"one")
    (tmp_path / "b.zip").write_bytes(b"one")
    (tmp_path / "c.zip").write_bytes(b"two")
    first = unpacked_once(tmp_path / "a b?.zip", make)
    assert first.parent == cache / "unpacked"
    assert first.name.startswith("a_b_.zip-")
    assert unpacked_once(tmp_path / "b.zip", make) == first
    assert unpacked_once(tmp_path / "c.zip", make) != first
    assert len(made) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ArchiveError, OSError])
def test_an_interrupted_copy_leaves_nothing(
    tmp_path: Path, cache: Path, error: type[BaseException]
) -> None:
    (tmp_path / "a.zip").write_bytes(b"one")

    def fail(draft: Path) -> None:
        draft.mkdir()
        (draft / "half").touch()
        raise error

    with pytest.raises(BaseException):  # noqa: B017, PT011 - OSError gets a code
        unpacked_once(tmp_path / "a.zip", fail)
    assert [path.name for path in (cache / "unpacked").iterdir()] == ["lock"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path, cache: Path) -> None:
    left = cache / "unpacked" / ".boxwright-killed"
    (left / "other.zip-1234" / "half").mkdir(parents=True)
    (left / IN_USE).touch()
    os.utime(left, (0, 0))
    (tmp_path / "a.zip").write_bytes(b"one")
    copy = unpacked_once(tmp_path / "a.zip", Path.mkdir)
    assert {path.name for path in (cache / "unpacked").iterdir()} == {"lock", copy.name}


@pytest.mark.parametrize("kind", PACK)
def test_any_damage_is_an_archive_error_or_harmless(tmp_path: Path, kind: str) -> None:
    content = PACK[kind](GOOD)
    random = np.random.default_rng(0)
    for attempt in range(100):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), random.integers(1, 5)):
            damaged[place] = random.integers(256)
        with contextlib.suppress(ArchiveError):
            unpacked(tmp_path / str(attempt), bytes(damaged))
