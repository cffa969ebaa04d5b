"""Connections that cannot be held open: limits of time for a request's parts, and of their number.

uvicorn closes a connection on which no request begins. It waits forever for the rest of headers or
of a body, and for a client that does not read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from boxwright.serving.metrics import Metrics

HEADERS, BODY, ANSWER = "headers", "body", "answer"
WAITS_FOR = {h11.IDLE: HEADERS, h11.SEND_BODY: BODY}  # by the client's state


@dataclass(frozen=True)
class Patience:
    """How long the server waits for a client.

    Attributes:
        headers: seconds from the first byte, or from the connection, to the end of the headers.
        body: seconds from there to the end of the body.
        answer: seconds in which a client reads nothing of its answer.
        connections: that are open at a time; more are closed at once.
    """

    headers: float = 10.0
    body: float = 60.0
    answer: float = 60.0
    connections: int = 512

    def seconds(self, phase: str) -> float:
        return {HEADERS: self.headers, BODY: self.body, ANSWER: self.answer}[phase]


class Connection(H11Protocol):
    """A connection with limits.

    Attributes:
        patience: the limits.
        metrics: counts the connections that are closed.
        accepting: False while the server stops.
    """

    patience: Patience
    metrics: Metrics
    accepting = True

    @classmethod
    def refuse(cls) -> None:
        """Close new connections at once: uvicorn does not end one that is accepted while it stops,
        and would wait for it."""
        cls.accepting = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phase: str | None = None
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.accepting:
            self._end("stopping")
        elif len(self.connections) > self.patience.connections:
            self._end("too many")
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._late, self._stuck):
            if timer:
                timer.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience.answer, self._end, ANSWER)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck:
            self._stuck.cancel()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():  # or closing waits for the client
            self._end(ANSWER)

    def _watch(self) -> None:
        """Begin to wait for the next part of a request, if it is another one than before."""
        phase = WAITS_FOR.get(self.conn.their_state)
        if phase == self._phase:
            return
        if self._late:
            self._late.cancel()
        self._phase = phase
        if phase:
            self._late = self.loop.call_later(self.patience.seconds(phase), self._end, phase)

    def _end(self, reason: str) -> None:
        self.metrics.closed.labels(reason).inc()
        self.transport.abort()


def protocol(patience: Patience, metrics: Metrics) -> type[Connection]:
    """The class of a server's connections."""
    return type("Limited", (Connection,), {"patience": patience, "metrics": metrics})
