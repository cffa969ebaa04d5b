"""Published weights: downloaded once, checked, kept; and what is said when they cannot be had."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from boxwright.errors import WeightsError
from boxwright.models import zoo

CONTENT = b"TFL3 not really, but its checksum is right"


class Server(http.server.ThreadingHTTPServer):
    """Serves `answer` and counts the requests."""

    answer = b""
    requests = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "käche with space"))
    monkeypatch.setenv("no_proxy", "*")
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def published(server: Server) -> zoo.Published:
    return replace(
        zoo.DEFAULT,
        url=f"http://127.0.0.1:{server.server_port}/weights.zip",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


def archive(name: str = "detect.tflite", content: bytes = CONTENT) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as members:
        members.writestr(name, content)
    return buffer.getvalue()


def test_weights_are_downloaded_once(server: Server) -> None:
    server.answer = archive()
    received: list[int] = []
    path = zoo.fetch(published(server), received.append)
    assert path.read_bytes() == CONTENT
    assert received[-1] == len(server.answer)
    assert zoo.fetch(published(server)) == path
    assert server.requests == 1


def test_a_damaged_copy_is_fetched_again(server: Server) -> None:
    server.answer = archive()
    path = zoo.fetch(published(server))
    path.write_bytes(b"half of it")
    assert zoo.fetch(published(server)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>Please log in</html>",
        archive(content=b"something else"),
        archive(name="../detect.tflite"),
    ],
    ids=["a login page", "another file", "another member"],
)
def test_anything_else_is_refused_and_not_kept(server: Server, answer: bytes) -> None:
    server.answer = answer
    with pytest.raises(WeightsError, match="BW204"):
        zoo.fetch(published(server))
    assert not list(zoo.cache_folder().glob("**/*.tflite"))


def test_without_a_network_it_says_what_and_where(server: Server) -> None:
    wanted = published(server)
    server.server_close()
    server.shutdown()
    with pytest.raises(WeightsError) as failure:
        zoo.fetch(wanted)
    text = str(failure.value)
    for part in ("BW203", wanted.url, "MB", str(zoo.cache_folder()), "--weights", "--from-scratch"):
        assert part in text
