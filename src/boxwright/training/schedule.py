"""The schedule of a run: its progress, and when to evaluate, write a checkpoint and stop."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

EVALUATE_AT = (0.3, 0.5, 0.65, 0.8, 0.9, 1.0)  # of the schedule
EVALUATING = 0.12  # of a budget at most; the last evaluation takes place in any case
KEEP_AT = (0.5, 1.0)  # without validation images: saving takes a third of a second
MAX_WAIT = 600.0  # seconds between evaluations
MAX_LOST = 25.0  # seconds between checkpoints, so that a crash never costs half a minute
MEASURED = 25  # the median of so many steps gives the speed
PROBE_SECONDS, PROBE_STEPS = 2.0, 15  # measured before planning a budget, whichever ends first
TOLERANCE = 0.03  # of the budget: a run that would miss its end by more is replanned
FIRST_EVALUATION = 120  # steps before the first evaluation of a run without a budget; each next
EVALUATION_SPACING = 1.3  # times later
PATIENCE = 3  # evaluations without improvement that end it
LAST_PART = 0.5  # of the steps so far, for the decay

Plan = list[tuple[int, float]]


class Schedule:
    """Advances from fraction 0 to 1 along a plan: points of step and fraction, joined by lines.

    The fraction depends only on the step and the plan, and the plan is saved in the checkpoint.
    A resumed run is therefore the same run. A step count is a plan of one line. A budget becomes
    such a plan when the first steps have shown the machine's speed. It is replanned only if the
    machine is so much slower or faster that the budget would be missed: the curve then gets
    steeper, not shorter. Without either, the fraction stays 0 until the AP stops rising; then it
    rises to 1 in half as many further steps.

    Args:
        steps: total number of steps, or None.
        deadline: end of the last step by `clock`, or None.
        step: steps already done.
        state: `state` from the checkpoint of a resumed run.
        by_clock: True to evaluate also after a long time.
        judged: True if there are validation images.
        evaluation_steps: the first evaluation is expected to take as long as so many steps.
        clock: gives seconds, as `time.monotonic` does.
        max_lost: seconds between checkpoints.
    """

    def __init__(
        self,
        *,
        steps: int | None = None,
        deadline: float | None = None,
        step: int = 0,
        state: dict[str, Any] | None = None,
        by_clock: bool = True,
        judged: bool = True,
        evaluation_steps: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        max_lost: float = MAX_LOST,
    ) -> None:
        if steps is not None and deadline is not None:
            raise ValueError("a schedule has steps or a deadline, not both")
        state = state or {}
        self.step = step
        self.plan: Plan = [(int(at), float(fraction)) for at, fraction in state.get("plan", [])]
        self._aps: list[float] = list(state.get("aps", []))
        self._clock, self._max_lost = clock, max_lost
        self._deadline = deadline
        self._budget = math.inf if deadline is None else deadline - self._clock()
        self._durations: deque[float] = deque(maxlen=MEASURED)
        self._max_wait = MAX_WAIT if by_clock else math.inf
        self._evaluation_seconds = self._evaluated_seconds = 0.0
        self._evaluation_steps = evaluation_steps
        self._last_evaluation = self._last_checkpoint = self._clock()
        if steps is not None and steps != self.steps:
            self._bend(steps)
        fractions = EVALUATE_AT if judged else KEEP_AT
        self._fractions = [fraction for fraction in fractions if fraction > self.fraction]
        self._next_evaluation = FIRST_EVALUATION
        while self._next_evaluation <= step:
            self._next_evaluation = math.ceil(self._next_evaluation * EVALUATION_SPACING)

    @property
    def fraction(self) -> float:
        """Return the completed fraction of the curve; 0 until there is a plan."""
        if not self.plan:
            return 0.0
        steps, fractions = zip(*self.plan, strict=True)
        return float(np.interp(self.step, steps, fractions))

    @property
    def steps(self) -> int | None:
        """Return the total number of steps; None until there is a plan."""
        return self.plan[-1][0] if self.plan else None

    @property
    def done(self) -> bool:
        return self.steps is not None and self.step >= self.steps

    @property
    def seconds_left(self) -> float | None:
        """Return the seconds until the last step ends; None if unknown."""
        if self._deadline is not None:
            return max(self._deadline - self._clock(), 0.0)
        return None if self.steps is None else (self.steps - self.step) * self.step_seconds

    @property
    def step_seconds(self) -> float:
        """Return the median of the last steps; 0 before the second step."""
        return median(self._durations) if self._durations else 0.0

    @property
    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"plan": self.plan, "aps": self._aps}

    def advance(self, step_seconds: float, *, compiled: bool) -> None:
        """Record a step of `step_seconds`; `compiled` is False for the first, slow one."""
        self.step += 1
        if compiled:
            self._durations.append(step_seconds)
        if self._deadline is not None and self._durations and not self.done:
            self._keep_promise(self._deadline)

    def _keep_promise(self, deadline: float) -> None:
        each = self._evaluation_seconds or self._evaluation_steps * self.step_seconds
        self._drop_evaluations(each)
        left = deadline - self._clock() - each * len(self._fractions)
        fitting = max(math.floor(left / self.step_seconds), 0)
        if self.steps is None:
            probed = sum(self._durations) >= PROBE_SECONDS or self.step >= PROBE_STEPS
            if probed or fitting <= 1:
                self._bend(self.step + fitting)
            return
        missing = (self.steps - self.step - fitting) * self.step_seconds
        if abs(missing) > max(TOLERANCE * self._budget, self.step_seconds):
            self._bend(self.step + fitting)

    def _drop_evaluations(self, seconds: float) -> None:
        """Keep as many of the last evaluations as the budget allows, if each takes `seconds`."""
        left = EVALUATING * self._budget - self._evaluated_seconds
        while len(self._fractions) > 1 and len(self._fractions) * seconds > left:
            del self._fractions[0]

    def _bend(self, end: int) -> None:
        """Replan: a straight line from here to the end."""
        before = [point for point in self.plan if point[0] < self.step] or [(0, 0.0)]
        here = [(self.step, self.fraction)] if self.plan and self.step else []
        self.plan = [*before, *here, (max(end, self.step), 1.0)]

    def evaluation_due(self) -> bool:
        """Return True, once, if the next evaluation mark has been reached, or if the last
        evaluation is long ago."""
        if self.plan:
            reached = bool(self._fractions) and self.fraction >= self._fractions[0]
            self._fractions = [fraction for fraction in self._fractions if fraction > self.fraction]
        else:
            reached = self._deadline is None and self.step >= self._next_evaluation
            if reached:
                self._next_evaluation = math.ceil(self._next_evaluation * EVALUATION_SPACING)
        return reached or self._clock() - self._last_evaluation > self._max_wait

    def checkpoint_due(self) -> bool:
        """Return True if `max_lost` would be exceeded before the next step and an evaluation
        after it are done."""
        coming = min(self.step_seconds + self._evaluation_seconds, self._max_lost / 2)
        return self._clock() - self._last_checkpoint > self._max_lost - coming

    def checkpointed(self) -> None:
        """Record that a checkpoint was written."""
        self._last_checkpoint = self._clock()

    def judged(self, ap: float, noise: float) -> bool:
        """Record an AP, whose differences up to `noise` are insignificant. Return True if it has
        stopped rising, which gives a run without a budget its end."""
        self._aps.append(ap)
        if self.plan or self._deadline is not None or len(self._aps) <= PATIENCE:
            return False
        if max(self._aps[-PATIENCE:]) > max(self._aps[:-PATIENCE]) + noise:
            return False
        self.plan = [(0, 0.0), (self.step, 0.0), (math.ceil(self.step * (1 + LAST_PART)), 1.0)]
        return True

    def evaluated(self, seconds: float) -> None:
        """Record the duration of an evaluation, so that time is reserved for the next ones."""
        self._evaluation_seconds = seconds
        self._evaluated_seconds += seconds
        self._last_evaluation = self._clock()
