"""Events for the pages that are open, as server-sent events.

One event stream per browser: the events flow one way, and a browser that was away continues after
the last event that it got.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

KEPT = 1000  # events for browsers that were away
STATES = ("training", "quality", "finish")  # a new page gets the last event of each
PING_SECONDS = 15.0  # so that a connection without events is noticed to be gone


class Hub:
    """Passes events to all listeners; `tell` and `close` may be called from any thread."""

    def __init__(self) -> None:
        self._server = secrets.token_hex(4)  # ids of an earlier server are not those of this one
        self._number = 0
        self._events: deque[tuple[int, str, bytes]] = deque(maxlen=KEPT)
        self._last: dict[str, tuple[int, str, bytes]] = {}
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, name: str, data: Mapping[str, Any]) -> None:
        """Send an event."""
        with self._lock:
            self._number += 1
            content = json.dumps(data)  # ASCII, without line breaks
            text = f"id: {self._server}-{self._number}\nevent: {name}\ndata: {content}\n\n"
            event = self._number, name, text.encode("ascii")
            self._events.append(event)
            if name in STATES:
                self._last[name] = event
        self._wake()

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closed = True
        self._wake()

    def after(self, seen: int) -> tuple[int, list[bytes]]:
        """The number of the last event, and those after number `seen`."""
        with self._lock:
            return self._number, [text for number, _, text in self._events if number > seen]

    async def listen(self, last_id: str = "") -> AsyncIterator[bytes]:
        """The stream for a browser whose last event was `last_id`.

        Without one, or with one of an earlier server, it begins with the last event of each of
        STATES.
        """
        woken = asyncio.Event()
        listener = asyncio.get_running_loop(), woken
        self._listeners.add(listener)
        try:
            seen, chunks = self._missed(last_id)
            yield b": hello\n\n"
            while not self._closed:
                for chunk in chunks:
                    yield chunk
                try:
                    await asyncio.wait_for(woken.wait(), PING_SECONDS)
                    woken.clear()
                except TimeoutError:
                    yield b": still here\n\n"
                seen, chunks = self.after(seen)
        finally:
            self._listeners.discard(listener)

    def _missed(self, last_id: str) -> tuple[int, list[bytes]]:
        server, _, number = last_id.partition("-")
        if server == self._server and number.isdecimal():
            return self.after(int(number[:18]))
        with self._lock:
            return self._number, [text for _, _, text in sorted(self._last.values())]

    def _wake(self) -> None:
        for loop, woken in tuple(self._listeners):
            loop.call_soon_threadsafe(woken.set)
