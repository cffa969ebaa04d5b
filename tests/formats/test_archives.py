"""An archive of a data folder is read wherever the folder is, and stays the name in messages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import boxwright
from boxwright import formats
from boxwright.cli.main import app
from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from folders import VocFolder, marks

pytestmark = pytest.mark.tiny
KINDS = ("zip", "tar", "gztar", "bztar", "xztar")


def packed(folder: Path, kind: str = "zip", *, inside: str = "") -> Path:
    """The archive of a folder, with the folder's name around its content if `inside`."""
    root, base = (folder.parent, folder.name) if inside else (folder, None)
    return Path(shutil.make_archive(str(folder.parent / "packed.v1"), kind, root, base))


def printed(*words: object) -> str:
    return CliRunner().invoke(app, [str(word) for word in words]).output


@pytest.fixture
def data(voc_folder: VocFolder) -> VocFolder:
    folder = VocFolder(voc_folder.root / "data")
    folder.pair("train/a")
    folder.pair("test/b")
    return folder


@pytest.mark.parametrize("inside", ["", "data"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_as_the_folder(
    data: VocFolder, cache: Path, kind: str, inside: str
) -> None:
    archive = packed(data.root, kind, inside=inside)
    expected, dataset = formats.read(data.root), formats.read(archive)
    assert dataset.fingerprint() == expected.fingerprint()
    assert marks(dataset) == {"train/a.jpg": "train", "test/b.jpg": "test"}
    assert (read_image(dataset.image(0)) == read_image(expected.image(0))).all()
    assert formats.detect(archive) == "voc"
    (copy,) = (cache / "unpacked").glob("packed.v1*-*")
    before = copy.stat().st_mtime_ns
    formats.read(archive.rename(archive.with_name("renamed.zip")))
    assert [copy] == list((cache / "unpacked").glob("*-*"))
    assert copy.stat().st_mtime_ns == before


@pytest.mark.parametrize("form", [name for name in formats.FORMATS if name != "tfrecord"])
def test_every_format_is_read_from_an_archive(data: VocFolder, cache: Path, form: str) -> None:
    folder = data.root.parent / form
    formats.write(formats.read(data.root), folder, form)
    assert formats.detect(packed(folder)) == form
    expected, dataset = formats.read(folder), formats.read(packed(folder))
    assert (dataset.boxes == expected.boxes).all()
    assert set(dataset.names) == set(expected.names)


def test_the_frozen_split_in_an_archive_is_used(data: VocFolder, cache: Path) -> None:
    data.text(
        "boxwright.split", "# boxwright.split version=1 seed=0 test=0.2 val=0.0\ntest train/a.jpg\n"
    )
    data.text(".hidden/notes.txt", "")
    assert marks(formats.read(packed(data.root, inside="data")))["train/a.jpg"] == "test"


def test_commands_and_python_take_archives(data: VocFolder, cache: Path) -> None:
    archive, out = packed(data.root), data.root.parent
    assert f"{archive}: 2 images" in printed("check", archive).replace("\n", "")
    assert "2 images" in printed("convert", archive, out / "coco", "--to", "coco")
    assert len(formats.read(out / "coco")) == 2
    printed("merge", archive, data.root / "train", "--out", out / "both")
    assert len(formats.read(out / "both")) == 2
    assert len(boxwright.load(archive)) == 2
    assert len(boxwright.check(str(archive)).dataset) == 2
    printed("check", archive, "--fix", out / "fixed")
    assert len(formats.read(out / "fixed")) == 2


def test_split_does_not_write_into_an_archive(data: VocFolder, cache: Path) -> None:
    archive = packed(data.root)
    before = archive.read_bytes()
    with pytest.raises(DataError, match="BW176"):
        boxwright.split(archive)
    assert archive.read_bytes() == before
    assert not cache.exists()


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("train/c.xml", "<annotation><object>", "train/c.xml:1"),
        ("train/c.xml", "<annotation><filename>c.jpg</filename></annotation>", ""),
    ],
)
def test_messages_name_the_archive(
    data: VocFolder, cache: Path, path: str, text: str, place: str
) -> None:
    for image in data.root.glob("*/*.*"):
        image.unlink()
    data.text(path, text)
    archive = packed(data.root)
    with pytest.raises(DataError) as caught:
        formats.read(archive)
    assert caught.value.where == str(archive / place)
    assert str(cache) not in str(caught.value)
    assert str(cache) not in printed("check", archive)


def test_a_folder_of_nothing_in_an_archive(voc_folder: VocFolder, cache: Path) -> None:
    voc_folder.image("data/a.jpg")
    archive = packed(voc_folder.root / "data")
    with pytest.raises(DataError, match="BW114") as caught:
        formats.read(archive)
    assert caught.value.where == str(archive)


def test_errors_about_images_name_the_archive(data: VocFolder, cache: Path) -> None:
    archive = packed(data.root)
    dataset = formats.read(archive)
    (dataset.root / dataset.names[0]).unlink()
    with pytest.raises(DataError, match=r"BW101 .*packed\.v1\.zip-[0-9a-f]{32}.*\.jpg"):
        read_image(dataset.image(0))
