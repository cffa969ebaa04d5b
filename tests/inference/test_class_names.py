"""Class names from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.errors import BoxwrightError
from boxwright.inference.class_names import read_names

pytestmark = pytest.mark.tiny

MAP = "item { id: 1 name: 'cat' }\nitem { id: 3 name: 'n02' display_name: 'dog' }\n"


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("labels.txt", "cat\ndog\n", ["cat", "dog"]),
        ("labels.txt", "\ufeffcat\r\n dog \r\n\r\n", ["cat", "dog"]),
        ("labelmap.txt", "???\ncat\n???\ndog", ["cat", "???", "dog"]),
        ("labels", "background\nchat noir", ["chat noir"]),
        ("map.pbtxt", MAP, ["cat", "class 1", "dog"]),
    ],
)
def test_names(name: str, text: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_names(tmp_path / name) == names


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("labels.txt", b"", "BW520"),
        ("labels.txt", b"???\n", "BW520"),
        ("labels.txt", b"\xff\xfe\0", "BW160"),
        ("labels.txt", None, "BW520"),
        ("map.pbtxt", b"cat", "BW116"),
    ],
)
def test_no_names(name: str, content: bytes | None, code: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BoxwrightError) as caught:
        read_names(tmp_path / name)
    assert caught.value.code == code
