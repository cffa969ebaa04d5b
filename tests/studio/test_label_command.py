"""`boxwright label`: what it prints, and how it ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.studio import serve
from folders import VocFolder

WINDOWS = sys.platform == "win32"


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    voc_folder.image("a.jpg")
    return voc_folder.root


@pytest.mark.skipif(WINDOWS, reason="there is no Ctrl-C for one process alone")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_and_ends_with_ctrl_c(images: Path, how: signal.Signals) -> None:
    words = [sys.executable, "-m", "boxwright", "label", str(images), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as process:  # type: ignore[call-overload]
        try:
            lines = iter(process.stdout.readline, "}\n")
            printed = json.loads("".join([*lines, "}"]))
            assert printed["images"] == 1
            where = urlsplit(printed["address"])
            assert where.hostname == "127.0.0.1"
            browser = http.client.HTTPConnection(where.netloc, timeout=10)
            browser.request("GET", f"/?{where.query}")
            answer = browser.getresponse()
            assert answer.status == 303
            answer.read()
            cookie = answer.getheader("set-cookie", "").partition(";")[0]
            browser.request("GET", "/api/events", headers={"Cookie": cookie})
            stream = browser.getresponse()  # a page that is open does not keep the studio
        finally:
            process.send_signal(how)
            said = process.communicate(timeout=20)[1]
    stream.close()
    browser.close()
    assert process.returncode == 0
    assert "For another browser: http://127.0.0.1:" in said
    assert f"boxwright train {images}" in said
    assert "Traceback" not in said


def test_the_usual_port_gives_way_to_a_free_one() -> None:
    with serve.bound("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with serve.bound("127.0.0.1", number, or_free=True) as other:
            assert other.getsockname()[1] not in (0, number)


def test_a_port_that_is_asked_for_and_taken(images: Path) -> None:
    with serve.bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["label", str(images), "--port", str(port)])
    assert result.exit_code == 1
    assert "BW905" in result.stderr
    assert str(port) in result.stderr


def test_it_says_what_to_install(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxwright.web.installed.NEEDED", {"studio": ("no_such_package",)})
    result = CliRunner().invoke(app, ["label", str(images)])
    assert result.exit_code == 1
    assert "BW901" in result.stderr
    assert "boxwright[studio]" in result.stderr


def test_only_this_computer_is_asked(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a host the address is that of loopback."""
    asked = []

    def bound(host: str, port: int, *, or_free: bool) -> socket.socket:
        asked.append((host, port, or_free))
        raise KeyboardInterrupt

    monkeypatch.setattr(serve, "bound", bound)
    CliRunner().invoke(app, ["label", str(images)])
    assert asked == [("127.0.0.1", serve.PORT, True)]
