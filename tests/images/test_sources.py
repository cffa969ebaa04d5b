"""Which photos a command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.errors import DataError
from boxwright.images.sources import images

pytestmark = pytest.mark.tiny

FILES = [
    "a.jpg",
    "b.PNG",
    "notes.txt",
    ".hidden.jpg",
    "deep/c.jpeg",
    "deep/er/d.webp",
    "deep/a.xml",
    ".cache/e.jpg",
    "odd [1]/f.jpg",
    "empty/readme.md",
    "folder.jpg/g.jpg",
]
EVERYTHING = ["a.jpg", "b.PNG", "deep/c.jpeg", "deep/er/d.webp", "folder.jpg/g.jpg"]
EVERYTHING.append("odd [1]/f.jpg")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param(["a.jpg"], ["a.jpg"], id="a photo"),
        pytest.param(["b.PNG", "a.jpg"], ["b.PNG", "a.jpg"], id="in the order given"),
        pytest.param(["."], EVERYTHING, id="a folder and all below it, sorted, hidden ones not"),
        pytest.param(["deep"], ["deep/c.jpeg", "deep/er/d.webp"], id="a folder"),
        pytest.param(["*.jpg"], ["a.jpg"], id="a pattern"),
        pytest.param(["d*/**/*"], ["deep/c.jpeg", "deep/er/d.webp"], id="through folders"),
        pytest.param(["*"], ["a.jpg", "b.PNG"], id="a pattern that also fits other files"),
        pytest.param([".cache/*.jpg"], [".cache/e.jpg"], id="a hidden folder, when asked for"),
        pytest.param(["odd [1]/f.jpg"], ["odd [1]/f.jpg"], id="a name that looks like a pattern"),
        pytest.param(["odd [1]"], ["odd [1]/f.jpg"], id="a folder that looks like a pattern"),
        pytest.param(["a.jpg", ".", "a.jpg"], EVERYTHING, id="each photo once"),
        pytest.param(["notes.txt"], ["notes.txt"], id="a file that is named is taken at its word"),
    ],
)
def test_what_is_named_is_found(folder: Path, named: list[str], expected: list[str]) -> None:
    assert [path.as_posix() for path in images(named)] == expected


def test_absolute_paths_and_patterns(folder: Path) -> None:
    assert list(images([folder / "a.jpg"])) == [folder / "a.jpg"]
    assert list(images([str(folder / "deep" / "*")])) == [folder / "deep" / "c.jpeg"]


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("gone.jpg", "BW191"),
        ("gone/", "BW191"),
        ("empty", "BW192"),
        ("*.gif", "BW192"),
        ("a**", "BW192"),
    ],
)
def test_nothing_there_is_said_before_any_work(folder: Path, named: str, code: str) -> None:
    with pytest.raises(DataError, match=rf"{code} {named.strip('/').replace('*', '.')}"):
        images(["a.jpg", named])
