"""A studio that listens on loopback, and a browser's side of its HTTP."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from children import Scripted

from boxwright.studio.app import application
from boxwright.studio.child import StartChild
from boxwright.studio.keys import Keys
from boxwright.studio.security import Door, Guard, names_of
from boxwright.studio.store import LabelStore
from boxwright.studio.studio import Studio, opened
from boxwright.web.listening import bound
from boxwright.web.server import Server

HOST = "127.0.0.1"


@dataclass
class Answer:
    """A response.

    Attributes:
        status: its status code.
        headers: its headers, names in lower case.
        body: its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A studio that listens, and a client with its cookie."""

    studio: Studio
    port: int
    door: Door
    headers: dict[str, str] = field(default_factory=dict)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind that the pages were told."""
        _, chunks = self.studio.hub.after(0)
        texts = [chunk.decode().strip().split("\n") for chunk in chunks]
        return [json.loads(data[6:]) for _, name, data in texts if name == f"event: {kind}"]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Send a request as the page does; `headers` replace its own, None leaves one out."""
        sent: dict[str, str | None] = {"Host": f"{HOST}:{self.port}", **self.headers}
        if method != "GET":
            sent["X-Boxwright"] = "1"
        sent |= headers or {}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if content is not None and "Content-Length" not in sent:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        answer = Answer(
            response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        )
        connection.close()
        return answer

    def get(self, path: str, **headers: str) -> Any:
        answer = self.ask("GET", path, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json

    def name(self, index: int) -> str:
        """The name of an image."""
        return str(self.get("/api/rows")["rows"][index]["name"])

    def come_in(self) -> None:
        """Exchange the token of the address for the cookie, as a browser does."""
        answer = self.ask("GET", f"/?token={self.door.token}")
        assert answer.status == 303
        self.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]


def eventually(holds: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `holds` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


@contextmanager
def serving(
    open_store: Callable[[], LabelStore],
    start: StartChild | None = None,
    suspects: Sequence[Mapping[str, Any]] = (),
    keys: Keys | None = None,
) -> Iterator[Served]:
    """A studio that listens at a free port until the block ends; its children do nothing unless
    `start` says so."""
    with (
        opened(open_store, start=start or Scripted(), suspects=suspects, keys=keys) as studio,
        bound(HOST, 0) as sock,
    ):
        port = sock.getsockname()[1]
        door, ready = Door(port), threading.Event()
        app = application(studio, lambda: server.stop())
        guard = Guard(app, door, names_of(HOST, port))
        server = Server(guard, ready=ready.set, stopping=studio.hub.close)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            assert ready.wait(10)
            served = Served(studio, port, door)
            served.come_in()
            yield served
        finally:
            server.stop()
            thread.join(10)
            assert not thread.is_alive()
