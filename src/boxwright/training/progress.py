"""The progress of a training, updated a few times a second from its events."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from boxwright.training.events import Evaluated, Event, Started, Step

if TYPE_CHECKING:
    from boxwright.evaluation.coco import Evaluation

EVERY = 0.25  # seconds
LAST_STEPS = 20  # averaged for the displayed loss


class Progress(NamedTuple):
    """The progress of a training.

    Attributes:
        step: steps done.
        fraction: completed fraction of the schedule, 0 to 1.
        loss: mean over the last LAST_STEPS steps.
        ap, ap50: of the kept weights; None before the first evaluation or without one.
        images_per_second: over the last steps, None before the second.
        seconds_left: seconds until the run ends; None if unknown.
    """

    step: int
    fraction: float
    loss: float
    ap: float | None
    ap50: float | None
    images_per_second: float | None
    seconds_left: float | None


class Meter:
    """A subscriber that reports the progress at intervals, and after the last step.

    Args:
        show: called with the progress.
        every: seconds between two calls of it.
        clock: gives seconds, as `time.monotonic` does.
    """

    def __init__(
        self,
        show: Callable[[Progress], None],
        *,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._every, self._clock = show, every, clock
        self._shown = -math.inf
        self._best: Evaluation | None = None
        self._losses = deque[float](maxlen=LAST_STEPS)

    def __call__(self, event: Event) -> None:
        match event:
            case Started(best=best):
                self._best = best
            case Evaluated(is_best=True, result=result):
                self._best = result.evaluation if result else None
            case Step():
                self._losses.append(event.loss.total)
                if event.fraction >= 1 or self._clock() - self._shown > self._every:
                    self._shown = self._clock()
                    self._show(self._progress(event))

    def _progress(self, event: Step) -> Progress:
        return Progress(
            event.step,
            event.fraction,
            fmean(self._losses),
            self._best.ap if self._best else None,
            self._best.ap50 if self._best else None,
            event.images_per_second,
            event.seconds_left,
        )
