"""The executor of this machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

from boxwright.errors import BoxwrightError
from boxwright.parallel.cores import Cores
from boxwright.parallel.processes import Processes
from boxwright.parallel.units import Outcome, Trouble, Unit, Work

AHEAD = 2  # units: one in work, one that waits
PATIENCE = 0.2  # seconds; Windows notices Ctrl-C only between waits


class _EndedError(Exception):
    """The results are no longer wanted."""


def on_this_machine(
    units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
) -> Generator[tuple[Unit, Outcome], None, None]:
    """Do one unit after another on all cores, see `Results`. A failure is not tried again, since it
    would be the same.

    The work is done in a thread, so that a result is used while the next one is computed.
    """
    ended = threading.Event()

    def counted(images: int) -> None:
        if ended.is_set():
            raise _EndedError
        done(images)

    with Processes() as processes, ThreadPoolExecutor(1) as thread:
        cores = Cores(processes=processes, done=counted)
        begun = deque[tuple[Unit, Future[bytes]]]()

        def oldest() -> tuple[Unit, Outcome]:
            unit, result = begun.popleft()
            while not wait([result], PATIENCE).done:
                pass
            try:
                return unit, result.result()
            except BoxwrightError as error:
                told.append(Trouble(str(unit.part), len(unit.rows), 1, error, lost=True))
                return unit, told[-1]

        try:
            for unit in units:
                begun.append((unit, thread.submit(work, unit.part, cores)))
                if len(begun) == AHEAD:
                    yield oldest()
            while begun:
                yield oldest()
        finally:
            ended.set()
            thread.shutdown(cancel_futures=True)
