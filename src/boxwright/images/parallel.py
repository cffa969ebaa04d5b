"""Work on many images, on all cores."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
BLOCK = 256  # items handed to the pool at once


def on_all_cores(
    work: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """Yield the results of `work` in the order of the items, without warnings of decoders.

    `progress` is called with the number of finished items and the total.
    """
    # Threads share one list of warning filters: each would undo the changes of the others.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        for start in range(0, len(items), BLOCK):
            results = pool.map(work, items[start : start + BLOCK])
            for done, result in enumerate(results, start + 1):
                yield result
                if progress:
                    progress(done, len(items))
