"""What a training is carried out with, so that another machine, or a test, may bring its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from boxwright.training.schedule import MAX_LOST
from boxwright.training.validation import ValidationSet, Validator


class EngineModule(Protocol):
    """What carries out steps: `training.step_tensorflow` or `training.step_jax`."""

    @property
    def Engine(self) -> Callable[..., Any]:  # noqa: N802  # a class in these modules
        """Makes a `step.Engine`."""

    @property
    def faster_precision(self) -> Callable[[], str]:
        """Gives the Keras dtype policy that is faster on this machine."""


@dataclass(frozen=True)
class Tools:
    """What a training is carried out with.

    Attributes:
        engines: makes what carries out steps; None takes the one for Keras' backend.
        validator: makes what measures weights, of validation images.
        clock: gives seconds, as `time.monotonic` does.
        max_lost: seconds of work that a crash may cost; a checkpoint is written as often.
    """

    engines: EngineModule | None = None
    validator: Callable[[ValidationSet], Validator] = Validator
    clock: Callable[[], float] = time.monotonic
    max_lost: float = MAX_LOST
