"""The studio as a server on this computer."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from boxwright.errors import SystemFaultError
from boxwright.studio.events import Hub

PORT = 8765  # the usual one, so that a bookmark holds
STOP_SECONDS = 5  # for requests in progress


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
