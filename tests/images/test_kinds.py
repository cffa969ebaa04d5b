"""Which files are opened as images: by content, in promised formats only, with coded errors."""

from __future__ import annotations

import ast
import base64
import io
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images import kinds
from boxwright.images.decoding import is_image, read_header, read_image
from boxwright.images.inputs import open_image
from boxwright.images.opening import format_of
from boxwright.images.sources import images

pytestmark = pytest.mark.tiny

SOURCE = Path(__file__).parents[2] / "src" / "boxwright"
COLOR = (200, 40, 30)
HEIC = base64.b64decode(  # 64 x 48 pixels: red, and blue in the right half
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAFgAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAA"
    "AwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAAB"
    "AAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAGBt"
    "ZGF0AAAAVCgBrxOA9SeBP//aBR//AJnh96AcxP/5cpo/nB8f/kUGduAy7kp6H7t80OuRqE1g1fQcJhiwJg5NDlso2W5E"
    "NgI8HtrqOUSjPrG1mp1rt82c9/5NsA=="
)
MIF1 = struct.pack(">I4s4sI", 24, b"ftyp", b"mif1", 0) + b"mif1heic" + bytes(40)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) (w) file\n%%EOF\n"
DDS = b"DDS " + struct.pack("<7I", 124, 0x1007, 60, 80, 240, 0, 0) + bytes(44)
DDS += struct.pack("<8I", 32, 0x4, 0, 0, 0, 0, 0, 0).replace(bytes(4), b"ABCD", 1) + bytes(200)
BLP = b"BLP2" + struct.pack("<I4B2I", 1, 68, 0, 0, 0, 80, 60) + bytes(200)


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), COLOR).save(file, kind, **options)
    return file.getvalue()


def damaged(content: bytes) -> bytes:
    """The same with its middle overwritten, after the header."""
    middle = len(content) // 2
    return content[:middle] + b"\xa5" * 40 + content[middle + 40 :]


OPENED = {
    "a.jfif": "JPEG",
    "a.JPE": "JPEG",
    "a.jif": "JPEG",
    "a.pjpeg": "JPEG",
    "a.mpo": "MPO",
    "a.avif": "AVIF",
    "a.apng": "PNG",
    "a.dib": "DIB",
    "a.jpg": "WEBP",
    "b.jpg": "AVIF",
    "c.jpg": "TIFF",
    "a.png": "JPEG",
    "a.webp": "GIF",
}


@pytest.mark.parametrize(("name", "kind"), OPENED.items(), ids=lambda each: each)
def test_the_content_decides_whatever_the_suffix_says(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved(kind, **({"save_all": True} if kind == "MPO" else {})))
    assert is_image(path)
    assert (read_header(path).width, read_header(path).height) == (64, 48)
    assert read_image(path)[9, 9].tolist() == pytest.approx(COLOR, abs=6)


NOT_IMAGES = {
    "EPS": EPS,
    "EPS of DOS": b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, len(EPS)) + bytes(18) + EPS,
    "PDF": b"%PDF-1.4\n",
    "DDS of an unknown kind": DDS,
    "BLP": BLP,
    "damaged AVIF": damaged(saved("AVIF")),
    "damaged WebP": damaged(saved("WEBP")),
    "damaged TIFF": saved("TIFF")[:60],
    "damaged GIF": saved("GIF")[:40],
    "cut AVIF": saved("AVIF")[:200],
    "PNG of no size": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    + bytes(13)
    + struct.pack(">I", zlib.crc32(b"IHDR" + bytes(13))),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".avif", ".eps", ".dds", ""])
@pytest.mark.parametrize("content", NOT_IMAGES.values(), ids=NOT_IMAGES)
def test_whatever_a_decoder_raises_is_an_error_that_names_the_file(
    tmp_path: Path, content: bytes, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a program is started")

    monkeypatch.setattr(subprocess, "Popen", start)
    path = tmp_path / f"image{suffix}"
    path.write_bytes(content)
    for read in (read_image, open_image, lambda path: open_image(path.read_bytes())):
        with pytest.raises(DataError) as caught:
            read(path)
        assert caught.value.code == "BW102"


@pytest.mark.parametrize(
    "error", [RuntimeError, NotImplementedError, struct.error, MemoryError, KeyError, IndexError]
)
def test_errors_of_any_type_are_coded(
    tmp_path: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(saved("PNG"))

    def load(_: object) -> None:
        raise error("odd")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    with pytest.raises(DataError, match=r"BW102 .*odd"):
        read_image(tmp_path / "a.png")


def calls_of_open(path: Path) -> list[int]:
    """Lines that call `open` of Pillow's Image, under any name."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {"Image", "PIL.Image", "image_module"}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"open", "OPEN"}
        and ast.unparse(node.value) in names
    ] + [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "PIL.Image"
        and "open" in {alias.name for alias in node.names}
    ]


def test_image_files_are_opened_in_one_place() -> None:
    found = {path: calls_of_open(path) for path in SOURCE.rglob("*.py")}
    places = [f"{path.name}:{line}" for path, lines in found.items() for line in lines]
    assert len(places) == 1, places
    assert places[0].startswith("opening.py")


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_heif_package", lambda: None)


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.hif", "a.jpg", "a.png"])
@pytest.mark.parametrize("content", [HEIC, MIF1], ids=["heic", "mif1"])
def test_heic_without_the_extra_is_named(
    tmp_path: Path, name: str, content: bytes, without_heic: None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for read in (read_header, read_image, open_image):
        with pytest.raises(DataError, match="is HEIC, which is not opened") as caught:
            read(path)
        assert caught.value.code == "BW167"
        assert "JPEG" in caught.value.remedy
        assert "pi-heif" in caught.value.remedy


@pytest.mark.parametrize("name", ["a.heic", "a.HIF", "a.jpg"])
def test_heic_with_the_extra_is_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HEIC)
    assert is_image(path)
    assert (read_header(path).width, read_header(path).height) == (64, 48)
    assert read_image(path)[20, 10].tolist() == pytest.approx(COLOR, abs=9)
    path.write_bytes(HEIC[:300])
    with pytest.raises(DataError, match="is HEIC, which is not opened: it is damaged"):
        read_image(path)


def test_avif_without_support_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(saved("AVIF"))
    monkeypatch.setattr("PIL.AvifImagePlugin.SUPPORTED", False)
    monkeypatch.setattr("boxwright.images.opening.features.check", lambda name: False)
    with pytest.raises(DataError, match="is AVIF, which is not opened"):
        read_image(tmp_path / "a.jpg")


def test_folders_name_heic_so_that_predict_does(tmp_path: Path, without_heic: None) -> None:
    for name in ("a.jpg", "b.HEIC", "c.jxl", ".d.heic"):
        (tmp_path / name).touch()
    assert [path.name for path in images([tmp_path])] == ["a.jpg", "b.HEIC"]
    assert [path.name for path in images([f"{tmp_path}/*.HEIC"])] == ["b.HEIC"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jxl", b"\xff\x0a", "JPEG XL"),
        ("a.bin", b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
        ("a.jpg_large", saved("JPEG"), "JPEG named .jpg_large"),
        ("a", saved("PNG"), "PNG without a suffix"),
        ("a.cr2", b"II*\0", "raw"),
        ("a.xyz", b"?", "of an unknown format named .xyz"),
        ("a.heic", b"", "HEIC"),
        ("gone.ppm", None, "Netpbm"),
    ],
)
def test_formats_are_named(tmp_path: Path, name: str, content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert format_of(tmp_path / name) == expected


def test_pillow_images_are_not_affected() -> None:
    picture = Image.new("RGB", (8, 6), COLOR)
    assert (np.asarray(open_image(picture).picture) == COLOR).all()
