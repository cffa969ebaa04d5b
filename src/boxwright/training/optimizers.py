"""Configs of optimizers and weight averages; an engine implements them.

`slots` maps the slots of an optimizer, by their names in a TensorFlow 1 checkpoint, to their
initial values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

AVERAGE = "ExponentialMovingAverage"  # the average's name in a checkpoint


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015, with the epsilon of the text before its section 2.1.

    The default second moment decays within a hundred steps: a run has only some hundreds, and the
    large initial gradients would slow down all of it.
    """

    slots: ClassVar[Mapping[str, float]] = {"Adam": 0.0, "Adam_1": 0.0}
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1e-7


@dataclass(frozen=True)
class RmsProp:
    """Tieleman and Hinton 2012 as in TensorFlow 1: epsilon inside the root, the mean of
    squares starting at one, and a momentum of the steps."""

    slots: ClassVar[Mapping[str, float]] = {"RMSProp": 1.0, "RMSProp_1": 0.0}
    decay: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with Polyak's momentum: `a = momentum * a + g`, a step of `-rate * a`; with
    `accumulates_steps` as in Keras `a = momentum * a - rate * g`, a step of `a`. They differ where
    the rate changes."""

    slots: ClassVar[Mapping[str, float]] = {"Momentum": 0.0}
    momentum: float = 0.9
    accumulates_steps: bool = False


Optimizer = Adam | RmsProp | Momentum


@dataclass(frozen=True)
class Averaging:
    """The exponential moving average of the weights: `average -= (1 - decay) * (average - w)`.

    Attributes:
        decay: decay of the average.
        warm_up: True to use `(1 + t) / (10 + t)` at step `t` where that is less.
        statistics: True to average batch norm statistics too.
        kept: True to evaluate and keep the averages instead of the weights themselves.
    """

    decay: float = 0.99
    warm_up: bool = True
    statistics: bool = True
    kept: bool = True

    def decay_at(self, step: int) -> float:
        """Return the decay after `step`, counted from 0."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warm_up else self.decay
