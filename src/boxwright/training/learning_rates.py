"""Learning rate schedules: one class per curve, with the rate of each step.

Source of the curves by step: the Object Detection API's `learning_schedules`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FLOOR = 0.01  # of the peak, at the end of the budget


@dataclass(frozen=True)
class BudgetCosine:
    """Linear warm-up, then cosine decay to the end of the budget (Loshchilov and Hutter 2017,
    equation 5). The warm-up counts steps, because it ends before the length of the budget in steps
    is known."""

    peak: float = 1e-3
    warmup_steps: int = 20

    def at(self, step: int, fraction: float) -> float:
        """Return the rate of `step`, counted from 0, when `fraction` of the budget is used."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        cosine = 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))
        return self.peak * (FLOOR + (1 - FLOOR) * cosine)


@dataclass(frozen=True)
class Constant:
    """The same rate at every step."""

    rate: float = 0.002

    def at(self, step: int, fraction: float) -> float:
        """Return the rate of `step`, counted from 0."""
        return self.rate


@dataclass(frozen=True)
class ExponentialDecay:
    """`initial * factor ** (step / decay_steps)`, the exponent rounded down on a staircase.

    For the first `burn_in_steps` the rate is `burn_in`, or `initial` if that is 0; the decay starts
    after them. The rate never falls below `lowest`.
    """

    initial: float = 0.002
    decay_steps: int = 4_000_000
    factor: float = 0.95
    staircase: bool = True
    burn_in: float = 0.0
    burn_in_steps: int = 0
    lowest: float = 0.0

    def at(self, step: int, fraction: float) -> float:
        """Return the rate of `step`, counted from 0."""
        if step < self.burn_in_steps:
            return max(self.burn_in or self.initial, self.lowest)
        exponent = (step - self.burn_in_steps) / self.decay_steps
        if self.staircase:
            exponent = math.floor(exponent)
        return float(max(self.initial * self.factor**exponent, self.lowest))


@dataclass(frozen=True)
class ManualSteps:
    """`rates[0]` at first, `rates[i + 1]` from step `boundaries[i]` on.

    With `warm_up` the rate grows linearly from the first rate to the second until the first
    boundary.

    Raises:
        ValueError: boundaries are not increasing from above 0, or there is not one more rate.
    """

    boundaries: tuple[int, ...] = ()
    rates: tuple[float, ...] = (0.002,)
    warm_up: bool = False

    def __post_init__(self) -> None:
        if sorted({0, *self.boundaries}) != [0, *self.boundaries]:
            raise ValueError(f"boundaries must be above 0 and increasing, not {self.boundaries}")
        if len(self.rates) != len(self.boundaries) + 1:
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {len(self.boundaries) + 1} rates"
            )

    def at(self, step: int, fraction: float) -> float:
        """Return the rate of `step`, counted from 0."""
        if self.warm_up and self.boundaries and step < self.boundaries[0]:
            first, second = self.rates[:2]
            return first + (second - first) * step / self.boundaries[0]
        return self.rates[sum(step >= boundary for boundary in self.boundaries)]


@dataclass(frozen=True)
class CosineDecay:
    """Linear from `warmup` to `peak`, held for `hold_steps`, then cosine decay to 0 at
    `total_steps`.

    Raises:
        ValueError: the warm-up starts above the peak, or leaves no step to decay in.
    """

    peak: float = 0.002
    total_steps: int = 4_000_000
    warmup: float = 0.0002
    warmup_steps: int = 10_000
    hold_steps: int = 0

    def __post_init__(self) -> None:
        if self.warmup > self.peak:
            raise ValueError(f"the warm-up starts at {self.warmup}, above the peak {self.peak}")
        if self.total_steps <= self.warmup_steps + self.hold_steps:
            raise ValueError(
                f"{self.total_steps} steps leave none for the decay after {self.warmup_steps} of "
                f"warm-up and {self.hold_steps} of hold"
            )

    def at(self, step: int, fraction: float) -> float:
        """Return the rate of `step`, counted from 0."""
        flat = self.warmup_steps + self.hold_steps
        if step < self.warmup_steps:
            return self.warmup + (self.peak - self.warmup) * step / self.warmup_steps
        if step > self.total_steps:
            return 0.0
        angle = math.pi * max(step - flat, 0) / (self.total_steps - flat)
        return 0.5 * self.peak * (1 + math.cos(angle))


LearningRate = BudgetCosine | Constant | ExponentialDecay | ManualSteps | CosineDecay
