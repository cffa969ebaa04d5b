"""What paths, patterns, lists, archives and standard input name."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.inputs import open_image
from boxwright.io.cache import VARIABLE
from boxwright.sources.opening import sources

pytestmark = pytest.mark.tiny


def image(width: int, form: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, 8)).save(written, form)
    return written.getvalue()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images whose widths tell them apart, below the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / ".cache"))
    for width, name in enumerate(("a.jpg", "deep/b.png", "deep/er/c.jpg"), start=10):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image(width))
    with zipfile.ZipFile("many.zip", "w") as packed:
        packed.writestr("x/d.jpg", image(20))
        packed.writestr("x/notes.txt", "no image")
        packed.writestr("__MACOSX/x/._d.jpg", b"metadata")
    Path("list.txt").write_text("a.jpg\n\n  deep/*.png  \n", "utf-8")
    Path("deep/list.txt").write_text("b.png\ner\n", "utf-8")
    return tmp_path


def widths(given: str | list[str]) -> dict[str, int]:
    """The names of all frames, and the widths of their images."""
    frames = [frame for source in sources(given) for frame in source]
    return {Path(frame.name).as_posix(): open_image(frame.image).width for frame in frames}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("a.jpg", {"a.jpg": 10}, id="one image"),
        pytest.param("deep", {"deep/b.png": 11, "deep/er/c.jpg": 12}, id="a folder"),
        pytest.param(["deep/*.png", "a.jpg"], {"deep/b.png": 11, "a.jpg": 10}, id="a pattern"),
        pytest.param("many.zip", {"many.zip/x/d.jpg": 20}, id="an archive"),
        pytest.param("list.txt", {"a.jpg": 10, "deep/b.png": 11}, id="a list"),
        pytest.param(
            "deep/list.txt",
            {"deep/b.png": 11, "deep/er/c.jpg": 12},
            id="a list is relative to its folder",
        ),
        pytest.param(["a.jpg", "a.jpg", "list.txt"], {"a.jpg": 10, "deep/b.png": 11}, id="once"),
    ],
)
def test_what_is_named_is_found(
    place: Path, given: str | list[str], expected: dict[str, int]
) -> None:
    assert widths(given) == expected
    assert list(widths(given)) == list(expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (image(30), {"stdin": 30}),
        (image(31, "JPEG"), {"stdin": 31}),
        (image(32, "BMP"), {"stdin": 32}),
        (b"a.jpg\ndeep/b.png\n", {"a.jpg": 10, "deep/b.png": 11}),
    ],
    ids=["png", "jpeg", "bmp", "paths"],
)
def test_standard_input_is_an_image_or_paths(
    place: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: dict[str, int]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert widths("-") == expected


@pytest.mark.parametrize(
    ("given", "code", "where"),
    [
        ("nowhere.jpg", "BW191", "nowhere.jpg"),
        ("*.gif", "BW192", "*.gif"),
        ("cut.zip", "BW172", "cut.zip"),
        ("empty.zip", "BW192", "empty.zip"),
        ("broken.txt", "BW191", "nowhere.jpg"),
    ],
)
def test_what_is_not_there_is_named(place: Path, given: str, code: str, where: str) -> None:
    Path("cut.zip").write_bytes(Path("many.zip").read_bytes()[:60])
    Path("broken.txt").write_text("nowhere.jpg\n", "utf-8")
    with zipfile.ZipFile("empty.zip", "w") as packed:
        packed.writestr("notes.txt", "no image")
    with pytest.raises(DataError) as raised:
        sources(given)
    assert (raised.value.code, Path(str(raised.value.where)).name) == (code, where)


def test_images_beside_each_other_are_one_source(place: Path) -> None:
    (source,) = sources(["a.jpg", "many.zip", "deep"])
    assert source.total == 4
    assert not source.is_video
    assert len(list(source)) == len(list(source)) == 4, "it starts anew"
