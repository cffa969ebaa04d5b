"""Ctrl-C at a good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Delay Ctrl-C, and a shutdown, until the block ends: what it writes is then whole.

    Raises:
        KeyboardInterrupt: at the end of the block, if it came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets it
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda which, frame: came.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
