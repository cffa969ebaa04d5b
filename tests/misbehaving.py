"""A server that misbehaves as told, and archives to send."""

from __future__ import annotations

import http.server
import io
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit


class Request(http.server.BaseHTTPRequestHandler):
    """One request; the behaviours below answer it."""

    server: Server

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        place = urlsplit(self.path).path.lstrip("/")
        self.server.paths.append(place)
        self.content = self.server.files.get(place, self.server.content)
        self.is_missing = bool(self.server.files) and place not in self.server.files
        if place in self.server.behaviors_of:
            waiting = self.server.behaviors_of[place]
        else:
            waiting = self.server.behaviors
        behave = waiting.pop(0) if waiting else well
        behave(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        known = {"Content_Length": str(len(body)), "ETag": self.etag}
        for name, value in {**known, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def begun(self) -> int:
        """Where the client wants to go on."""
        asked = self.headers.get("Range")
        if self.headers.get("If-Range", self.etag) != self.etag:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0

    @property
    def etag(self) -> str:
        return f'"{zlib.crc32(self.content):08x}"'

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Sends `content`; the first requests are answered by `behaviors`, the others well.

    Attributes:
        files: path -> what is sent instead of `content`, with an ETag.
        behaviors_of: path -> the behaviors of its first requests.
        paths: the path of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.content = b""
        self.behaviors: list[Behaviour] = []
        self.ranges: list[str | None] = []
        self.files: dict[str, bytes] = {}
        self.behaviors_of: dict[str, list[Behaviour]] = {}
        self.paths: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


Behaviour = Callable[[Request], None]


def well(request: Request) -> None:
    content, begun = request.content, request.begun
    if request.is_missing:
        request.answer(404)
    elif begun and begun >= len(content):
        request.answer(416, Content_Range=f"bytes */{len(content)}")
    elif begun:
        span = f"bytes {begun}-{len(content) - 1}/{len(content)}"
        request.answer(206, content[begun:], Content_Range=span)
    else:
        request.answer(200, content)


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    return lambda request: request.answer(code, body, **headers)


def cut(after: int) -> Behaviour:
    """The connection ends `after` bytes of what is left."""

    def behave(request: Request) -> None:
        rest, total = request.content[request.begun :], len(request.content)
        span = f"bytes {request.begun}-{total - 1}/{total}"
        headers = {"Content_Length": str(len(rest)), "Content_Range": span}
        request.answer(206 if request.begun else 200, rest[:after], **headers)

    return behave


def hang(request: Request) -> None:
    """Half of it, then nothing, the connection open."""
    content = request.content
    half = content[: len(content) // 2]
    request.answer(200, half, Content_Length=str(len(content)))
    request.wfile.flush()
    request.server.released.wait(20)


def ignore_range(request: Request) -> None:
    request.answer(200, request.content)


def wrong_place(request: Request) -> None:
    """A part, but not the one that was asked for."""
    content = request.content
    request.answer(206, content, Content_Range=f"bytes 0-{len(content) - 1}/{len(content)}")


def hang_up(request: Request) -> None:
    request.close_connection = True


def slow(request: Request) -> None:
    """One byte at a time, with pauses, until the client has had enough."""
    request.answer(200, Content_Length=str(len(request.content)))
    with suppress(OSError):
        for byte in request.content:
            request.wfile.write(bytes([byte]))
            if request.server.released.wait(0.05):
                return


def short(request: Request) -> None:
    """Half of the file, as if that were all of it."""
    request.answer(200, request.content[: len(request.content) // 2])


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for other in others:
            packed.addfile(other)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def files_in(folder: Path) -> set[str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
