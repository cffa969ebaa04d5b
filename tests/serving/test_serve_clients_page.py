"""docs/how-to/serve-clients.md: its programs get the boxes of a server."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from detecting import HOST
from PIL import Image
from red_server import HEIGHT, RED, SIZE, WIDTH, Client, model, picture, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "serve-clients.md"
TEXT = PAGE.read_text(encoding="utf-8")


def code(language: str, word: str) -> str:
    """The only block of a language that has a word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    (found,) = (block for block in blocks if word in block)
    return found


@pytest.fixture(scope="module")
def squares() -> Iterator[Client]:
    with serving(model("squares")) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture().save(tmp_path / "image.jpg", quality=95)
    return tmp_path


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("word", "name"), [("b64", "1"), ("tritonclient", "red")])
def test_clients_in_python(word: str, name: str, folder: Path, squares: Client) -> None:
    script = code("python", word).replace("localhost:8501", f"{HOST}:{squares.server.port}")
    (folder / "script.py").write_text(script, encoding="utf-8")
    (line,) = ran(folder, sys.executable, "-X", "utf8", "script.py").splitlines()
    found = re.fullmatch(r"(\w+) (0\.9\d*) \[(.+)\]", line)
    assert found
    assert found[1] == name
    box = [float(side) for side in re.split(r"[,\s]+", found[3].strip())]
    xmin, ymin, xmax, ymax = RED
    expected = [ymin / HEIGHT, xmin / WIDTH, ymax / HEIGHT, xmax / WIDTH]
    assert box == pytest.approx(expected, abs=1 / 32)


def curled(word: str, folder: Path, client: Client) -> str:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl; make libraries installs it, or says how")
    line = code("sh", word).replace("http://localhost:8501", client.url)
    return ran(folder, *shlex.split(line))


def test_curl_gets_detections(folder: Path, squares: Client) -> None:
    said = json.loads(curled("score=0.5", folder, squares))
    assert [each["class"] for each in said["detections"]] == ["red"]
    assert said["detections"][0]["box"] == pytest.approx(RED, abs=WIDTH / 32)


def test_curl_gets_the_drawn_image(folder: Path, squares: Client) -> None:
    assert curled("image/jpeg", folder, squares) == ""
    with Image.open(folder / "found.jpg") as drawn:
        assert drawn.size == SIZE
