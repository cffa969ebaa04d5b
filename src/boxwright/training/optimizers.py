"""Optimisers and weight averages, as descriptions; an engine carries them out.

`slots` names what an optimiser keeps beside each variable, as TensorFlow 1 names it in a
checkpoint, with the value that it starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

AVERAGE = "ExponentialMovingAverage"  # the average's name in a checkpoint


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015, with the epsilon of the text before its section 2.1.

    The default second moment forgets within a hundred steps: a run is over after some hundreds,
    and the first, large gradients would slow down all of it.
    """

    slots: ClassVar[Mapping[str, float]] = {"Adam": 0.0, "Adam_1": 0.0}
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1e-7


@dataclass(frozen=True)
class RmsProp:
    """Tieleman and Hinton 2012 as TensorFlow 1 has it: epsilon inside the root, the mean of
    squares starting at one, and a momentum of the steps."""

    slots: ClassVar[Mapping[str, float]] = {"RMSProp": 1.0, "RMSProp_1": 0.0}
    decay: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with Polyak's momentum: `a = momentum * a + g`, a step of `rate * a`."""

    slots: ClassVar[Mapping[str, float]] = {"Momentum": 0.0}
    momentum: float = 0.9


Optimizer = Adam | RmsProp | Momentum


@dataclass(frozen=True)
class Averaging:
    """The exponential moving average of the weights: `average -= (1 - decay) * (average - w)`.

    Attributes:
        decay: how much of the average stays.
        warm_up: whether it is `(1 + t) / (10 + t)` at step `t` where that is less.
        statistics: whether batch norm's statistics are averaged too.
        kept: whether the averages are what is judged and kept, not the weights themselves.
    """

    decay: float = 0.99
    warm_up: bool = True
    statistics: bool = True
    kept: bool = True

    def decay_at(self, step: int) -> float:
        """The decay after `step`, counted from 0."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warm_up else self.decay
