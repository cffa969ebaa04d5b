"""Archives from strangers: what is wanted comes out, and nothing else happens."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from boxwright.io import archive as module
from boxwright.io.archive import unpack
from boxwright.io.limits import ArchiveError
from folders import packed_gzip
from misbehaving import tarred, zipped

pytestmark = pytest.mark.tiny

WANTED = ("model.ckpt.index", "pipeline.config")
GOOD = {"net/model.ckpt.index": b"index", "net/frozen.pb": b"large", "net/pipeline.config": b"{}"}


def unpacked(tmp_path: Path, content: bytes) -> dict[str, bytes]:
    archive, folder = tmp_path / "archive", tmp_path / "out"
    archive.write_bytes(content)
    taken = unpack(archive, folder, WANTED)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert taken == files.keys()
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "out"}
    return files


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_wanted_files_come_out_by_name(pack: object, tmp_path: Path) -> None:
    files = unpacked(tmp_path, pack(GOOD))  # type: ignore[operator]
    assert files == {"model.ckpt.index": b"index", "pipeline.config": b"{}"}


@pytest.mark.parametrize("pack", [tarred, zipped])
@pytest.mark.parametrize(
    ("path", "comes"),
    [
        ("model.ckpt.index", True),
        ("./model.ckpt.index", True),
        ("./net/model.ckpt.index", True),
        ("net/model.ckpt.meta", False),
        ("net/checkpoint/model.ckpt.index", True),
        ("net/saved_model/model.ckpt.index", False),
        ("../model.ckpt.index", False),
        ("net/../model.ckpt.index", False),
        ("/model.ckpt.index", False),
        ("/etc/model.ckpt.index", False),
        ("net//model.ckpt.index", False),
        ("C:/model.ckpt.index", False),
        ("C:model.ckpt.index", False),
        ("..\\model.ckpt.index", False),
    ],
)
def test_only_files_at_the_top_or_in_a_folder_there(
    pack: object, path: str, comes: bool, tmp_path: Path
) -> None:
    assert bool(unpacked(tmp_path, pack({path: b"content"}))) == comes  # type: ignore[operator]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_are_left_out(kind: bytes, tmp_path: Path) -> None:
    trap = special("net/model.ckpt.index", kind, "/etc/passwd")
    files = unpacked(tmp_path, tarred({"net/pipeline.config": b"{}"}, trap))
    assert files == {"pipeline.config": b"{}"}


def test_a_link_to_a_folder_leads_nowhere(tmp_path: Path) -> None:
    trap = special("net", tarfile.SYMTYPE, "/tmp")
    assert unpacked(tmp_path, tarred(GOOD, trap)).keys() == set(WANTED)


def test_the_first_of_a_name_counts(tmp_path: Path) -> None:
    files = unpacked(tmp_path, tarred({"a/pipeline.config": b"1", "b/pipeline.config": b"2"}))
    assert files == {"pipeline.config": b"1"}


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_an_archive_that_swells_is_refused(
    pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    with pytest.raises(ArchiveError, match="100,000"):
        unpacked(tmp_path, pack(GOOD | {"net/zeros": bytes(200_000)}))  # type: ignore[operator]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Please log in</html>",
        b"PK\x03\x04" + bytes(99),
        b"\x1f\x8b" + bytes(99),
        packed_gzip(b"one file"),
        tarred(GOOD)[:-20],
        tarred(GOOD)[:-5],
        zipped(GOOD)[:-20],
    ],
    ids=["empty", "html", "zip's start", "gzip's start", "no tar", "cut", "cut late", "cut zip"],
)
def test_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        unpacked(tmp_path, content)


@pytest.mark.parametrize("content", [tarred(GOOD), zipped(GOOD)], ids=["tar", "zip"])
def test_damage_is_an_archive_error_or_not_of_what_is_wanted(
    content: bytes, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    good = {"model.ckpt.index": b"index", "pipeline.config": b"{}"}
    for attempt in range(150):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 3):
            damaged[place] = random.integers(256)
        folder = tmp_path / str(attempt)
        folder.mkdir()
        try:
            files = unpacked(folder, bytes(damaged))
        except ArchiveError:
            continue
        assert files.items() <= good.items()
