"""Class names from files, as people and other tools write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.errors import BoxwrightError
from boxwright.inference.class_names import names_in, read_names

pytestmark = pytest.mark.tiny

MAP = "item { id: 1 name: 'cat' }\nitem { id: 3 name: 'n02' display_name: 'dog' }\n"
ULTRALYTICS = "{'description': 'a model', 'imgsz': [640, 640], 'names': {0: 'cat', 1: \"dog's\"}}"


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("labels.txt", "cat\ndog\n", ["cat", "dog"]),
        ("labels.txt", "\ufeffcat\r\n dog \r\n\r\n", ["cat", "dog"]),
        ("labels.txt", "cat\n\ndog\n\n", ["cat", "dog"]),
        ("labelmap.txt", "???\ncat\n???\ndog", ["cat", "class 1", "dog"]),
        (
            "coral.txt",
            "cat\nn/a\nN/A\ndog\nunused",
            ["cat", "class 1", "class 2", "dog", "class 4"],
        ),
        ("labels.txt", "cat\ndog\ncat", ["class 0", "dog", "class 2"]),  # nobody knows which is one
        ("labels", "background\nchat noir", ["chat noir"]),
        ("labels.txt", "__background__\ncat", ["cat"]),
        ("map.pbtxt", MAP, ["cat", "class 1", "dog"]),
        ("numbered.txt", "0  cat\n1  dog", ["cat", "dog"]),
        ("numbered.txt", "1: cat\n2: dog", ["cat", "dog"]),
        ("numbered.txt", "0 cat\n2, dog\n3 - n/a", ["cat", "class 1", "dog", "class 3"]),
        ("numbered.txt", "0 background\n1 cat\n3 dog", ["cat", "class 1", "dog"]),
        ("numbered.txt", "[1] 'chat noir'", ["chat noir"]),
        ("prices.txt", "1 euro\n2 euro", ["1 euro", "2 euro"]),  # without numbers they are equal
        ("drinks.txt", "7 up\nfanta", ["7 up", "fanta"]),
        ("drinks.txt", "7 up", ["7 up"]),
        ("unsorted.txt", "2 wheels\n1 wheel", ["2 wheels", "1 wheel"]),
        ("meta.txt", ULTRALYTICS, ["cat", "dog's"]),
        ("metadata.json", '{"names": {"0": "cat", "2": "dog"}}', ["cat", "class 1", "dog"]),
        ("labels.json", '["cat", "dog"]', ["cat", "dog"]),
        ("labels.json", '{"cat": 0, "dog": 1}', ["cat", "dog"]),
        ("data.yaml", "path: x\nnames:\n  0: cat\n  1: dog\nnc: 2\n", ["cat", "dog"]),
        ("data.yaml", "names: [no, 007]\n", ["no", "007"]),
    ],
)
def test_names(name: str, text: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_names(tmp_path / name) == names


@pytest.mark.parametrize(
    ("text", "count", "names"),
    [
        ("???\ncat\ndog", 2, ["cat", "dog"]),
        ("???\ncat\ndog", 3, ["class 0", "cat", "dog"]),  # of a network that has a class 0
        ("background\ncat", 2, ["background", "cat"]),
        ("n/a\ncat\ndog", 3, ["class 0", "cat", "dog"]),
        ("n/a\ncat\ndog", 2, ["cat", "dog"]),
        ("cat\ndog", 3, ["cat", "dog"]),  # too few, which is an error later
        ("cat\ndog", 1, ["cat", "dog"]),
        ("0 cat\n1 dog", 3, ["cat", "dog", "class 2"]),  # stated ids may end early
        ("1 cat\n2 dog", 3, ["class 0", "cat", "dog"]),
        ("1 cat\n2 dog", 4, ["cat", "dog", "class 2", "class 3"]),
    ],
)
def test_the_number_of_classes_decides_about_the_first_line(
    text: str, count: int, names: list[str]
) -> None:
    assert names_in(text).fitting(count) == names


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("labels.txt", b"", "BW520"),
        ("labels.txt", b"???\n", "BW520"),
        ("labels.txt", b"\xff\xfe\0", "BW160"),
        ("labels.txt", None, "BW520"),
        ("map.pbtxt", b"cat", "BW116"),
        ("meta.txt", b"{'stride': 32, 'task': 'detect'}", "BW520"),
        ("meta.txt", b"{" * 100_000, "BW520"),
        ("meta.txt", b"{'names': {0: 'cat', 99999999: 'dog'}}", "BW520"),
    ],
)
def test_no_names(name: str, content: bytes | None, code: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BoxwrightError) as caught:
        read_names(tmp_path / name)
    assert caught.value.code == code
