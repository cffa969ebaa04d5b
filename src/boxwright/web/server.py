"""A server in this process, which ends at a signal or when it is told to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp


def _nothing() -> None:
    pass


class Server(uvicorn.Server):
    """Serves an application until a signal or `stop`.

    Args:
        app: the application.
        ready: called when it answers.
        stopping: called before it waits for the requests in progress.
        stop_seconds: for these requests.
        protocol: the class of a connection; None for uvicorn's own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        ready: Callable[[], None] = _nothing,
        stopping: Callable[[], None] = _nothing,
        stop_seconds: int = 5,
        protocol: type[asyncio.Protocol] | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=protocol or "h11",
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,  # or it closes the handlers that other libraries have made
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=stop_seconds,
        )
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self.should_exit = True
