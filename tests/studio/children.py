"""Children that tell what a test says, instead of processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Told = Mapping[str, Any]


class Scripted:
    """Starts children that tell the events of a script, one script for each child.

    Attributes:
        requests: what the children were asked for.
    """

    def __init__(self, *scripts: Sequence[Told]) -> None:
        self._scripts = list(scripts)
        self.requests: list[Mapping[str, Any]] = []
        self.closed = 0

    def __call__(self, request: Mapping[str, Any]) -> ScriptedChild:
        self.requests.append(request)
        return ScriptedChild(self, self._scripts.pop(0) if self._scripts else None)


class ScriptedChild:
    """A child; one without a script tells nothing until it is closed."""

    def __init__(self, starter: Scripted, script: Sequence[Told] | None) -> None:
        self._starter, self._script = starter, script
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Told]:
        if self._script is None:
            self._closed.wait(10)
        return iter(self._script or ())

    def close(self) -> None:
        self._closed.set()
        self._starter.closed += 1
