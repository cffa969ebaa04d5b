"""A small network, a clock that waits, and steps that cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from boxwright.augment.transforms import CropAroundObject, default_transforms
from boxwright.models.registry import DEFAULT
from boxwright.structures.dataset import Dataset
from boxwright.training.data import images_to_cache
from boxwright.training.events import Event, Note, Step
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.progress import Meter, Progress
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.resources import ONE_DEVICE, Resources
from boxwright.training.tools import Tools
from boxwright.training.validation import Validator

if TYPE_CHECKING:
    from boxwright.training.loop import Outcome


@dataclass
class Clock:
    """Stands in for `time.monotonic`; it moves only when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Listener:
    """A subscriber that remembers everything, and may press Ctrl-C."""

    interrupt_at: int | None = None
    said: list[str] = field(default_factory=list)
    reports: list[Progress] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._meter = Meter(self.reports.append, every=-1.0)

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Note):
            self.said.append(event.text)
        self._meter(event)
        if isinstance(event, Step) and event.step == self.interrupt_at:
            raise KeyboardInterrupt


def brisk(dataset: Dataset, *, weights: Any = None, **wanted: Any) -> Recipe:
    """The recipe for these photos, at a pace for a dozen steps."""
    options = {name: wanted.get(name) for name in ("seconds", "steps", "input_size")}
    decided = recipe_for(
        images_to_cache(dataset),
        pretrained=weights is not None,
        depth_multiplier=wanted.get("depth_multiplier"),
        model=wanted.get("model", DEFAULT),
        seed=wanted.get("seed", 0),
        **options,
    )
    gentle = default_transforms(CropAroundObject((0.8, 1.1)))
    return replace(decided, batch_size=16, learning_rate=BudgetCosine(1e-2, 5), augmentation=gentle)


def engines(precision: str = "float32") -> Any:
    """TensorFlow's. Which precision is faster is measured, and may come out differently from run
    to run."""
    from boxwright.training import step_tensorflow

    return SimpleNamespace(Engine=step_tensorflow.Engine, faster_precision=lambda: precision)


@dataclass
class SmallTrainer:
    """`train` on a small network from scratch, at a pace for a dozen steps, every one of them
    reported."""

    tools: Tools

    def __call__(
        self,
        dataset: Dataset,
        out: Path,
        *,
        interrupt_at: int | None = None,
        on_event: Any = (),
        **options: Any,
    ) -> tuple[Outcome, Listener]:
        from boxwright.training import loop

        listener = Listener(interrupt_at)
        chosen = {"weights": None, "input_size": 64, "depth_multiplier": 0.1, **options}
        if not chosen.get("resume") and "recipe" not in chosen:
            chosen["recipe"] = brisk(dataset, **chosen)
        heard = [listener, *([on_event] if callable(on_event) else on_event)]
        return loop.train(
            dataset, out=out, on_event=heard, **{"tools": self.tools, **chosen}
        ), listener


@dataclass
class Steps:
    """What happens in place of training steps, where it does not matter what is learnt: they cost
    nothing and only move the clock."""

    clock: Clock
    seconds: float = 0.5  # a step takes, by the clock
    broken_at: int | None = None  # the step whose loss is not a number
    broken_after: int | None = None  # the step that leaves weights that are none
    rates: list[float] = field(default_factory=list)
    batches: list[tuple[Any, ...]] = field(default_factory=list)
    validator: Callable[..., Validator] = Validator
    resources: Resources = ONE_DEVICE

    def train(self, dataset: Dataset, out: Path, **options: Any) -> tuple[Outcome, Listener]:
        """As `small_trainer`, with these steps, and a network that is built in no time."""
        module = SimpleNamespace(
            Engine=lambda *given, **_: Idle(self, *given), faster_precision=lambda: "float32"
        )
        tools = Tools(
            engines=module,
            validator=self.validator,
            clock=self.clock,
            resources=self.resources,
        )
        return SmallTrainer(tools)(dataset, out, **{"model": "centers", **options})


class Idle:
    """An engine that changes nothing."""

    def __init__(self, steps: Steps, model: Any, variables: Any, statistics: Any, *_: Any) -> None:
        self._steps = steps
        self._values = [variable.numpy() for variable in (*variables, *statistics)]

    def resident(self, images: Any) -> Any:
        return images

    def step(self, *batch: Any, number: int, learning_rate: float) -> Any:
        from boxwright.models.model import Loss

        steps = self._steps
        steps.clock.now += steps.seconds
        steps.batches.append(batch)
        steps.rates.append(learning_rate)
        classes = float("nan") if number == steps.broken_at else 2.0
        return Loss(classes + 1.0, classes, 1.0)

    def kept(self) -> list[Any]:
        return self._values

    def slots(self) -> dict[str, list[Any]]:
        return {}

    def state(self) -> dict[str, Any]:
        broken = self._steps.broken_after is not None
        broken = broken and len(self._steps.rates) > self._steps.broken_after
        return {"average/0": np.array([1.0, np.nan])} if broken else {}

    def restore(self, state: dict[str, Any]) -> None:
        assert state.keys() == {k for k in state if k.startswith("weight/")}
