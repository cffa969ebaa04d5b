"""What a training works with: engine, validator and clock, which tests can replace, and devices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from boxwright.backend import framework
from boxwright.training.candidates import Machine
from boxwright.training.resources import ONE_DEVICE, Resources
from boxwright.training.schedule import MAX_LOST
from boxwright.training.validation import ValidationSet, Validator


class EngineModule(Protocol):
    """A module with a training engine: `training.step_tensorflow` or `training.step_jax`."""

    @property
    def Engine(self) -> Callable[..., Any]:  # noqa: N802  # a class in these modules
        """Return a `step.Engine`."""

    @property
    def compiled(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return the framework's compiler of functions."""

    @property
    def gradient(self) -> Callable[[Callable[..., Any], Sequence[int]], Callable[..., Any]]:
        """Return a function that compiles the gradients of another one, which sums up its result,
        for the arguments with these numbers."""

    @property
    def faster_precision(self) -> Callable[[], str]:
        """Return the Keras dtype policy that is faster on this machine."""


@dataclass(frozen=True)
class Tools:
    """What a training works with.

    Attributes:
        engines: the engine's module; None takes that of the Keras backend.
        validator: creates the validator of a validation set.
        clock: gives seconds, as `time.monotonic` does.
        max_lost: maximum seconds of work that a crash may lose; sets the checkpoint interval.
        resources: devices, processes and storage.
    """

    engines: EngineModule | None = None
    validator: Callable[[ValidationSet], Validator] = Validator
    clock: Callable[[], float] = time.monotonic
    max_lost: float = MAX_LOST
    resources: Resources = ONE_DEVICE


def measured_machine(tools: Tools, deadline: float) -> Machine:
    """Measure the machine's speed for a training that ends at `deadline` by the clock."""
    framework.importing().join()
    from boxwright.training.speed import measured
    from boxwright.training.step import engine_module

    speed = measured(tools.engines or engine_module())
    return Machine(speed, deadline - tools.clock())
