"""The studio as a server on this computer."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from boxwright.console import messages, say
from boxwright.errors import SystemFaultError
from boxwright.studio.app import application
from boxwright.studio.events import Hub
from boxwright.studio.keys import Keys
from boxwright.studio.security import LOOPBACK, Door, Guard, address, names_of
from boxwright.studio.store import LabelStore
from boxwright.studio.studio import opened

PORT = 8765  # the usual one, so that a bookmark holds
STOP_SECONDS = 5  # for requests in progress


def serve(
    open_store: Callable[[], LabelStore],
    ready: Callable[[str, int], None],
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    weights: str | None = None,
    suspects: Sequence[Mapping[str, Any]] = (),
    keys: Keys | None = None,
) -> None:
    """Serve a studio until Ctrl-C, or until a page ends one that only shows labels.

    Args:
        open_store: opens the labels.
        ready: called with the address for the first browser, and the number of images.
        host, port: the address to listen at, see `bound`.
        weights, suspects, keys: see `opened`.

    Raises:
        BoxwrightError: as `open_store` and `bound`.
    """
    with (
        messages().status("Reading the labels") as waiting,
        opened(open_store, weights, suspects=suspects, keys=keys) as studio,
        bound(host, port) as sock,
    ):
        waiting.stop()
        number = sock.getsockname()[1]
        url = address(host, number)
        door = Door(number, lambda token: say(f"For another browser: {url}/?token={token}"))

        def begun() -> None:
            images = studio.desk.wait_for(lambda store: len(store.names))
            ready(f"{url}/?token={door.token}", images)

        app = application(studio, lambda: server.stop())
        server = Server(Guard(app, door, names_of(host, number)), studio.hub, begun)
        with suppress(KeyboardInterrupt):  # the usual way to end it
            server.run([sock])


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens at an address; without a port at the usual one, or any that is free.

    Raises:
        SystemFaultError: BW905 the address cannot be used.
    """
    number = PORT if port is None else port
    try:
        return _bound(host, number)
    except OSError as error:
        if port is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return bound(host, 0)
        place, reason = f"{host}, port {number}", error.strerror or str(error)
        raise SystemFaultError("BW905", f"cannot listen at {place}: {reason}.") from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets two programs have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except BaseException:
        sock.close()
        raise
    return sock


class Server(uvicorn.Server):
    """Serves an application until a signal or `stop`.

    Args:
        app: the application.
        hub: its streams of events, which end before the server waits for connections to close.
        ready: called when it answers.
    """

    def __init__(self, app: ASGIApp, hub: Hub, ready: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        super().__init__(config)
        self._hub, self._ready = hub, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self.should_exit = True
