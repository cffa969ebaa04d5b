"""Stops, pauses and resumes a training from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAKE_SECONDS = 0.1  # Windows delivers Ctrl-C between waits, not during one


class Control:
    """Stops, pauses and resumes a training; every method may be called from any thread.

    The training checks it between steps. A stop or pause before the first step takes effect at the
    first step.
    """

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stopped = False

    def stop(self) -> None:
        """End the training as Ctrl-C does: it validates its weights, writes a checkpoint, and can
        be resumed. This ends a pause and cannot be taken back."""
        self._stopped = True
        self._running.set()

    def pause(self) -> None:
        """Wait after the current step until `resume` or `stop`. A checkpoint is written first, and
        the pause does not use up a budget."""
        if not self._stopped:
            self._running.clear()

    def resume(self) -> None:
        """End a pause."""
        self._running.set()

    @property
    def stopped(self) -> bool:
        return self._stopped

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def wait(self) -> None:
        """Block until the pause ends."""
        while not self._running.wait(WAKE_SECONDS):
            pass


class TrainingClock:
    """A clock that stands still while a training is paused.

    All times of a training are read from it, so a pause counts neither for a step nor for the
    budget: a budget of two minutes with a pause of one minute ends after three.

    Args:
        source: returns seconds, as `time.monotonic` does.
    """

    def __init__(self, source: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._paused = 0.0

    def __call__(self) -> float:
        """Return seconds, of which only differences are meaningful."""
        return self._source() - self._paused

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Exclude the duration of the block."""
        began = self._source()
        try:
            yield
        finally:
            self._paused += self._source() - began
