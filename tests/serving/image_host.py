"""What serves images in Label Studio, and what it asks for."""

from __future__ import annotations

import http.server
import json
from typing import Any

from red_server import png

CONFIG = """<View>
  <Image name="image" value="$picture"/>
  <RectangleLabels name="label" toName="image">
    <Label value="red"/><Label value="green"/>
  </RectangleLabels>
</View>"""
UPLOAD = "/data/upload/1/a b.png"


def asked(*addresses: object, config: str = CONFIG) -> dict[str, Any]:
    """A request for predictions."""
    tasks = [{"id": 7 + i, "data": {"picture": each}} for i, each in enumerate(addresses)]
    return {"tasks": tasks, "label_config": config, "project": "1.1700000000", "params": {}}


class Studio(http.server.ThreadingHTTPServer):
    """What serves images in Label Studio.

    Attributes:
        asked: path and Authorization header of each request.
        images: what it has, by path.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.asked: list[tuple[str, str | None]] = []
        self.images = {"/data/upload/1/a%20b.png": png()}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Request(http.server.BaseHTTPRequestHandler):
    server: Studio

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        elsewhere = f"http://localhost:{self.server.server_port}/data/upload/1/a%20b.png"
        match self.path:
            case "/moved":
                self._answer(302, location="/data/upload/1/a%20b.png")
            case "/gone-elsewhere":
                self._answer(302, location=elsewhere)
            case "/endless":
                self._answer(302, location="/endless")
            case "/large":
                self._answer(200, bytes(2_000_000))
            case "/login":
                self._answer(200, b"<html>", "text/html")
            case "/text":
                self._answer(200, b"text", "text/plain")
            case "/private":
                self._answer(401)
            case path if path in self.server.images:
                self._answer(200, self.server.images[path])
            case _:
                self._answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Authorization"]))
        assert json.loads(body) == {"refresh": "a.b.c"}
        self._answer(200, b'{"access": "d.e.f"}', "application/json")

    def _answer(
        self, status: int, body: bytes = b"", media_type: str = "image/png", location: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", media_type)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
