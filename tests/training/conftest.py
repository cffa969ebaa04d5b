"""A small network, a clock that waits, and steps that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright.augment.transforms import CropAroundObject, default_transforms
from boxwright.structures.dataset import Dataset
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.reporter import Progress
from squares import Squares

if TYPE_CHECKING:
    from boxwright.training.loop import Outcome


@pytest.fixture
def squares(tmp_path: Path) -> Squares:
    return Squares(tmp_path / "squares")


@dataclass
class Clock:
    """Stands in for a module's `time`; it moves only when told."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which schedules walk."""
    from boxwright.training import schedule

    clock = Clock()
    monkeypatch.setattr(schedule, "time", clock)
    return clock


@dataclass
class Listener:
    """A reporter that remembers everything, and may press Ctrl-C."""

    interrupt_at: int | None = None
    said: list[str] = field(default_factory=list)
    reports: list[Progress] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def progress(self, progress: Progress) -> None:
        self.reports.append(progress)
        if progress.step == self.interrupt_at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def small_trainer(small_network: None) -> Iterator[Callable[..., tuple[Outcome, Listener]]]:
    """`train` on a small network from scratch in float32, at a pace for a dozen steps, every one
    of them reported.

    Which precision is faster is measured, and may come out differently from run to run.
    """
    from boxwright.training import loop, recipe, step_tensorflow

    def brisk(*photos: Any, **wanted: Any) -> recipe.Recipe:
        gentle = default_transforms(CropAroundObject((0.8, 1.1)))
        decided = recipe.recipe_for(*photos, **wanted)
        return replace(
            decided, batch_size=16, learning_rate=BudgetCosine(1e-2, 5), augmentation=gentle
        )

    def train(
        dataset: Dataset, out: Path, *, interrupt_at: int | None = None, **options: Any
    ) -> tuple[Outcome, Listener]:
        listener = Listener(interrupt_at)
        chosen = {"weights": None, "input_size": 64, "depth_multiplier": 0.1, **options}
        return loop.train(dataset, out=out, reporter=listener, **chosen), listener

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "REPORT_SECONDS", -1.0)
        patch.setattr(loop, "recipe_for", brisk)
        patch.setattr(step_tensorflow, "faster_precision", lambda: "float32")
        yield train


@pytest.fixture(scope="module")
def module_squares(tmp_path_factory: pytest.TempPathFactory) -> Squares:
    return Squares(tmp_path_factory.mktemp("squares"))


@dataclass
class Steps:
    """What happens in place of training steps, where it does not matter what is learnt."""

    clock: Clock
    seconds: float = 0.5  # a step takes, by the clock
    broken_at: int | None = None  # the step whose loss is not a number
    broken_after: int | None = None  # the step that leaves weights that are none
    rates: list[float] = field(default_factory=list)
    batches: list[tuple[Any, ...]] = field(default_factory=list)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Steps:
    """Steps that cost nothing and only move the clock, of a network of one layer."""
    from boxwright.backend import framework
    from boxwright.models import ssd
    from boxwright.training import loop, step_tensorflow
    from boxwright.training.objective import Loss

    steps = Steps(clock)

    class Idle:
        def __init__(self, model: Any, variables: Any, statistics: Any, *_: Any, **__: Any) -> None:
            self._values = [variable.numpy() for variable in (*variables, *statistics)]

        def resident(self, photos: Any) -> Any:
            return photos

        def step(self, *batch: Any, number: int, learning_rate: float) -> Any:
            steps.clock.now += steps.seconds
            steps.batches.append(batch)
            steps.rates.append(learning_rate)
            classes = float("nan") if number == steps.broken_at else 2.0
            return Loss(classes + 1.0, classes, 1.0)

        def kept(self) -> list[Any]:
            return self._values

        def state(self) -> dict[str, Any]:
            broken = steps.broken_after is not None and len(steps.rates) > steps.broken_after
            return {"average/0": np.array([1.0, np.nan])} if broken else {}

        def restore(self, state: dict[str, Any]) -> None:
            assert state.keys() == {k for k in state if k.startswith("weight/")}

    def one_layer(spec: Any, **_: Any) -> Any:
        keras, anchors = framework.keras(), len(ssd.anchors(spec))
        inputs = keras.Input((spec.input_size, spec.input_size, 3))
        seen = keras.layers.GlobalAveragePooling2D()(inputs)
        raw = {
            name: keras.layers.Reshape((anchors, columns))(
                keras.layers.Dense(anchors * columns)(seen)
            )
            for name, columns in (("box_encodings", 4), ("class_logits", spec.num_classes))
        }
        return keras.Model(inputs, raw)

    monkeypatch.setattr(ssd, "build", one_layer)
    monkeypatch.setattr(step_tensorflow, "Engine", Idle)
    monkeypatch.setattr(loop, "time", clock)
    return steps
