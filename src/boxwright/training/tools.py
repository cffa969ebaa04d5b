"""The engine, validator and clock of a training, which tests can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from boxwright.training.schedule import MAX_LOST
from boxwright.training.validation import ValidationSet, Validator


class EngineModule(Protocol):
    """A module with a training engine: `training.step_tensorflow` or `training.step_jax`."""

    @property
    def Engine(self) -> Callable[..., Any]:  # noqa: N802  # a class in these modules
        """Return a `step.Engine`."""

    @property
    def faster_precision(self) -> Callable[[], str]:
        """Return the Keras dtype policy that is faster on this machine."""


@dataclass(frozen=True)
class Tools:
    """The engine, validator and clock of a training.

    Attributes:
        engines: the engine's module; None takes that of the Keras backend.
        validator: creates the validator of a validation set.
        clock: gives seconds, as `time.monotonic` does.
        max_lost: maximum seconds of work that a crash may lose; sets the checkpoint interval.
    """

    engines: EngineModule | None = None
    validator: Callable[[ValidationSet], Validator] = Validator
    clock: Callable[[], float] = time.monotonic
    max_lost: float = MAX_LOST
