"""Work on many items, on all cores of this machine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from boxwright.parallel.processes import Processes

P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
BLOCK = 256  # items handed to the pool at once


def on_all_cores(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    progress: Progress | None = None,
    *,
    cores: int | None = None,
) -> Iterator[Result]:
    """Yield the results of `work` in the order of the items, without warnings of decoders.

    Args:
        work: called in several threads.
        items: its arguments.
        progress: called with the number of finished items and the total.
        cores: the number of threads, instead of one for each core.
    """
    # Threads share one list of warning filters: each would undo the changes of the others.
    with warnings.catch_warnings(), ThreadPoolExecutor(cores or os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        for start in range(0, len(items), BLOCK):
            results = pool.map(work, items[start : start + BLOCK])
            for done, result in enumerate(results, start + 1):
                yield result
                if progress:
                    progress(done, len(items))


class Cores:
    """The cores that the work on a unit may use.

    Attributes:
        number: how many; None for all of this machine.
        done: the work calls it with numbers of finished images.
    """

    def __init__(
        self,
        number: int | None = None,
        processes: Processes | None = None,
        done: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.number = number
        self._processes = processes
        self.done = done

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """The results of `work` in the order of the items, from one thread for each core."""
        return on_all_cores(work, items, cores=self.number)

    def apart(self, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Call a function of a module: in a child process, if there are some."""
        if self._processes is None:
            return work(*args, **kwargs)
        return self._processes.run(work, *args, **kwargs)
