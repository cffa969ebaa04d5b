"""The studio as a server on this computer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from boxwright.console import messages, say
from boxwright.studio.app import application
from boxwright.studio.keys import Keys
from boxwright.studio.security import Door, Guard, names_of
from boxwright.studio.store import LabelStore
from boxwright.studio.studio import opened
from boxwright.web.listening import LOOPBACK, address, bound
from boxwright.web.server import Server

PORT = 8765  # the usual one, so that a bookmark holds


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
        host, port: the address to listen at; without a port the usual one, or one that is free.
        weights, suspects, keys: see `opened`.

    Raises:
        BoxwrightError: as `open_store` and `bound`.
    """
    with (
        messages().status("Reading the labels") as waiting,
        opened(open_store, weights, suspects=suspects, keys=keys) as studio,
        bound(host, PORT if port is None else port, or_free=port is None) as sock,
    ):
        waiting.stop()
        number = sock.getsockname()[1]
        url = address(host, number)
        door = Door(number, lambda token: say(f"For another browser: {url}/?token={token}"))

        def begun() -> None:
            images = studio.desk.wait_for(lambda store: len(store.names))
            ready(f"{url}/?token={door.token}", images)

        app = application(studio, lambda: server.stop())
        server = Server(
            Guard(app, door, names_of(host, number)),
            ready=begun,
            stopping=studio.hub.close,  # or the server would wait for the streams of events
        )
        with suppress(KeyboardInterrupt):  # the usual way to end it
            server.run([sock])
