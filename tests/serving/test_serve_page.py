"""The commands and the program of docs/how-to/serve.md, with what they print."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from detecting import Fake, picture, running, until
from PIL import Image

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "earlier" / "files"
PAGE = (ROOT / "docs" / "how-to" / "serve.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)\n```", PAGE, re.DOTALL)
PORT = "8501"  # of the page


@dataclass
class Served:
    """The page's server, in its folder.

    Attributes:
        folder: has `run` and `image.jpg`.
        address: with the port that it got.
        printed: what it printed until it was ready.
    """

    folder: Path
    address: str
    printed: list[str]

    def here(self, text: str) -> str:
        """A text of the page with the address of this server."""
        return text.replace(f"http://127.0.0.1:{PORT}", self.address)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(FILES / "run", folder / "run")
    with Image.open(FILES / "squares" / "000.png") as image:
        image.convert("RGB").save(folder / "image.jpg", quality=95)
    (install, start), *_ = [block.split("\n") for kind, block in BLOCKS if kind == "sh"]
    assert (install.split()[:2], start.split()[:2]) == (["pip", "install"], ["boxwright", "serve"])
    words = [sys.executable, "-m", *start.split(), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=folder, **pipes) as process:  # type: ignore[call-overload]
        try:
            printed = [process.stdout.readline().rstrip() for _ in range(2)]
            address = re.search(r"http://127\.0\.0\.1:\d+", printed[1])
            assert address
            yield Served(folder, address[0], printed)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


def test_it_prints_what_the_page_shows(served: Served) -> None:
    shown = next(block for kind, block in BLOCKS if kind == "text")
    assert [served.here(line) for line in shown.split("\n")[:2]] == served.printed


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_gets_what_the_page_shows(served: Served) -> None:
    pairs = [
        (block, after)
        for (kind, block), (_, after) in pairwise(BLOCKS)
        if kind == "sh" and block.startswith("curl")
    ]
    assert len(pairs) == 3
    for command, after in pairs:
        words = shlex.split(served.here(command))
        done = subprocess.run(words, cwd=served.folder, capture_output=True, check=True)
        if "found.jpg" not in command:
            assert same(json.loads(done.stdout), json.loads(after))
    with Image.open(served.folder / "found.jpg") as drawn:
        assert drawn.size == (96, 80)


def test_the_program_prints_the_objects(served: Served) -> None:
    (program,) = [block for kind, block in BLOCKS if kind == "python"]
    words = [sys.executable, "-c", served.here(program)]
    done = subprocess.run(words, cwd=served.folder, capture_output=True, text=True, check=True)
    name, score, *_ = done.stdout.split()
    assert (name, float(score)) == ("square", pytest.approx(0.69, abs=0.01))


def test_a_line_of_the_log_has_what_the_page_shows() -> None:
    shown = json.loads(BLOCKS[-1][1])
    with running([Fake().model("detector")]) as server:
        server.detect(picture(), X_Request_Id="job-7")
        (line,) = until(lambda: server.logged("request_id"))
    assert line == {**shown, "time": line["time"], "seconds": line["seconds"]}


def test_the_metrics_exist(served: Served) -> None:
    named = set(re.findall(r"`(boxwright_\w+)`", PAGE))
    connection = HTTPConnection(served.address.removeprefix("http://"), timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert len(named) == 10
    assert named == {name for name in named if re.search(rf"^# TYPE {name} ", text, re.MULTILINE)}


def same(one: Any, other: Any) -> bool:
    """Equal, except for how kernels of other processors round."""
    if isinstance(one, dict | list) and type(one) is type(other) and len(one) == len(other):
        keys = one.keys() if isinstance(one, dict) else range(len(one))
        return all(same(one[key], other[key]) for key in keys)
    return one == (pytest.approx(other, abs=0.2) if isinstance(other, float) else other)
