"""How far a run is and what that means: when to evaluate, to write a checkpoint, to stop."""

from __future__ import annotations

import math
import time
from collections import deque
from statistics import median

EVALUATE_AT = (0.3, 0.5, 0.65, 0.8, 0.9, 1.0)  # of the schedule
LONGEST_WAIT = 600.0  # seconds between evaluations
MOST_LOST = 25.0  # seconds between checkpoints, so that a crash never costs half a minute
MEASURED = 25  # steps whose median tells the speed


class Schedule:
    """Walks from fraction 0 to 1 so that the last step ends when the budget does.

    With a step count every step is worth `1 / steps`. With a deadline each step is worth what is
    left of the schedule over the steps that still fit, at the speed measured so far: when the
    machine slows down the curve gets steeper, not shorter.

    Args:
        steps: how many steps in all, or None.
        deadline: `time.monotonic()` at which the last step should end, or None.
        fraction: where a resumed run goes on.
        by_clock: whether a long wait is a reason to evaluate, too.
    """

    def __init__(
        self,
        *,
        steps: int | None,
        deadline: float | None,
        fraction: float = 0.0,
        by_clock: bool = True,
    ) -> None:
        if (steps is None) == (deadline is None):
            raise ValueError("a schedule needs either steps or a deadline")
        self.fraction = fraction
        self._steps = steps
        self._deadline = deadline
        self._durations: deque[float] = deque(maxlen=MEASURED)
        self._marks = [mark for mark in EVALUATE_AT if mark > fraction]
        self._longest_wait = LONGEST_WAIT if by_clock else math.inf
        self._evaluation_seconds = 0.0
        self._last_evaluation = self._last_checkpoint = time.monotonic()

    @property
    def done(self) -> bool:
        return self.fraction >= 1.0

    @property
    def seconds_left(self) -> float:
        """Until the last step ends."""
        if self._deadline is not None:
            return max(self._deadline - time.monotonic(), 0.0)
        assert self._steps is not None  # noqa: S101
        return (1 - self.fraction) * self._steps * self.step_seconds

    @property
    def step_seconds(self) -> float:
        """Median of the last steps; 0 before the second step."""
        return median(self._durations) if self._durations else 0.0

    def advance(self, step_seconds: float, *, compiled: bool) -> None:
        """Note a step that took `step_seconds`; `compiled` is false for the first, slow one."""
        if compiled:
            self._durations.append(step_seconds)
        if self._steps is not None:
            self.fraction += 1 / self._steps
        elif self._durations:
            reserved = self._evaluation_seconds * len(self._marks)
            steps_left = (self.seconds_left - reserved) / self.step_seconds
            self.fraction += (1 - self.fraction) / max(steps_left, 0.0) if steps_left > 1 else 1.0
        if self.fraction > 1 - 1e-9:
            self.fraction = 1.0

    def evaluation_due(self) -> bool:
        """Whether the next evaluation mark has been reached, which is then crossed off, or the
        last evaluation is long ago."""
        reached = bool(self._marks) and self.fraction >= self._marks[0]
        self._marks = [mark for mark in self._marks if mark > self.fraction]
        return reached or time.monotonic() - self._last_evaluation > self._longest_wait

    def checkpoint_due(self) -> bool:
        """Whether MOST_LOST would be passed before the next step, and an evaluation after it, are
        done."""
        coming = min(self.step_seconds + self._evaluation_seconds, MOST_LOST / 2)
        return time.monotonic() - self._last_checkpoint > MOST_LOST - coming

    def checkpointed(self) -> None:
        """Note that everything so far is on the disk."""
        self._last_checkpoint = time.monotonic()

    def evaluated(self, seconds: float) -> None:
        """Note how long an evaluation took, so that time is kept for the next ones."""
        self._evaluation_seconds = seconds
        self._last_evaluation = time.monotonic()
