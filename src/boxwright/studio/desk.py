"""The one thread that uses the label store, so that edits and proposals come one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from boxwright.studio.store import LabelStore

Result = TypeVar("Result")
Work = Callable[[LabelStore], Result]


class Desk:
    """Does work with the label store; a context manager that opens and closes it.

    Args:
        open: opens the store.
    """

    def __init__(self, open: Callable[[], LabelStore]) -> None:
        self._thread = ThreadPoolExecutor(1, "labels")
        self._open = open
        self._store: LabelStore

    def __enter__(self) -> Desk:
        try:
            self._store = self._thread.submit(self._open).result()
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self.wait_for(lambda store: store.close())
        finally:
            self._thread.shutdown()

    async def do(self, work: Work[Result]) -> Result:
        """Do work without blocking the server; raises its errors."""
        return await asyncio.wrap_future(self._thread.submit(work, self._store))

    def ahead(self, work: Work[object]) -> None:
        """Do work soon that will be asked for; whoever asks is told of its errors."""
        self._thread.submit(work, self._store)

    def wait_for(self, work: Work[Result]) -> Result:
        """Do work, from any other thread; raises its errors."""
        return self._thread.submit(work, self._store).result()
