"""The log: one line of JSON on standard error for each request, and for what happens besides."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from boxwright.console import log_line


class Log:
    """Lines of the requests in progress, written when they are answered.

    Args:
        write: takes a line.
    """

    def __init__(self, write: Callable[[str], None] = log_line) -> None:
        self._write = write
        self._facts: dict[str, dict[str, Any]] = {}

    def begin(self, request_id: str) -> None:
        """A request has come."""
        self._facts[request_id] = {}

    def note(self, request_id: str, **facts: Any) -> None:
        """Add facts to the line of a request in progress."""
        self._facts.get(request_id, {}).update(facts)

    def end(self, request_id: str, **facts: Any) -> None:
        """Write the line of a request."""
        self.event("request", request_id=request_id, **facts, **self._facts.pop(request_id, {}))

    def event(self, event: str, **facts: Any) -> None:
        """Write a line about something else than a request."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"time": now, "event": event, **facts}))


class Handler(logging.Handler):
    """Writes what uvicorn logs as lines of a log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._log.event("error", message=record.getMessage(), traceback=trace)
