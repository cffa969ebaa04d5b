"""The stream of a training's events: what comes when, who hears it, and how it is stopped."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright.inference.run import Run
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.control import Control, TrainingClock
from boxwright.training.events import (
    CheckpointDue,
    Evaluated,
    Event,
    Finished,
    Note,
    Started,
    Step,
)

if TYPE_CHECKING:
    from trainings import Clock, Steps

    from squares import Squares


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_the_events_of_a_short_run_in_order(steps: Steps, squares: Squares, tmp_path: Path) -> None:
    """Weights are kept after half of it and at the end, where no image validates them."""
    _, listener = steps.train(squares.dataset(train=4), tmp_path / "run", steps=3)
    assert kinds(listener.events) == [
        "Note",  # where the network starts from
        "CheckpointDue",
        "Started",
        "Step",
        "Evaluated",
        "CheckpointDue",
        "Step",
        "Evaluated",
        "CheckpointDue",
        "Step",
        "Finished",
    ]
    events = listener.events
    (started,) = (event for event in events if isinstance(event, Started))
    assert (started.step, started.steps, started.recipe.steps) == (0, 3, 3)
    assert (started.train_images, started.validation_images, started.best) == (4, 0, None)
    done = [event for event in events if isinstance(event, Step)]
    assert [event.step for event in done] == [1, 2, 3]
    assert [event.fraction for event in done] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [event.images_per_second for event in done] == [None, 32, 32]
    assert [event.seconds_left for event in done] == [0, 0.5, 0]
    assert [event.learning_rate for event in done] == steps.rates
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    assert [(event.step, event.result, event.is_best) for event in evaluated] == [
        (2, None, True),
        (3, None, True),
    ]
    assert events[-1] == Finished(3, interrupted=False, best_step=3, best=None)


def test_a_run_that_goes_on_starts_where_it_stopped(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4, val=1)
    stopped, _ = steps.train(dataset, tmp_path / "run", steps=10, interrupt_at=4)
    _, listener = steps.train(dataset, tmp_path / "run", resume=True)
    first, *_ = (event for event in listener.events if not isinstance(event, Note))
    assert isinstance(first, Started), "its checkpoint is there already"
    assert (first.step, first.best.ap) == (4, stopped.evaluation.ap)


# ---- Subscribers -------------------------------------------------------------------------------


def test_every_subscriber_hears_everything_in_turn(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    heard: list[tuple[str, Event]] = []
    others = [lambda event: heard.append(("a", event)), lambda event: heard.append(("b", event))]
    _, listener = steps.train(squares.dataset(train=4), tmp_path / "run", steps=2, on_event=others)
    assert [name for name, _ in heard] == ["a", "b"] * len(listener.events)
    assert [event for _, event in heard[::2]] == [event for _, event in heard[1::2]]
    assert [event for _, event in heard[::2]] == listener.events


class BrokenError(Exception):
    """Of a subscriber's own."""


@pytest.mark.parametrize("kind", [Started, Step, Evaluated, CheckpointDue, Finished])
def test_what_a_subscriber_raises_ends_a_run_that_can_be_used_and_resumed(
    kind: type[Event], steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset, run = squares.dataset(train=4, val=1), Run(tmp_path / "run")
    started: list[Event] = []

    def broken(event: Event) -> None:
        if isinstance(event, Started):
            started.append(event)
        if started and isinstance(event, kind):
            raise BrokenError

    with pytest.raises(BrokenError):
        steps.train(dataset, run.folder, steps=4, on_event=broken)
    run.build_model()
    written = Checkpoint.load(run.checkpoint)
    if kind is Finished:
        assert written.step == 4
        return
    outcome, listener = steps.train(dataset, run.folder, resume=True)
    assert not outcome.interrupted
    assert listener.reports[0].step == written.step + 1
    assert Checkpoint.load(run.checkpoint).step == 4


def test_a_files_own_writers_come_first(steps: Steps, squares: Squares, tmp_path: Path) -> None:
    run, found = Run(tmp_path / "run"), []

    def looks(event: Event) -> None:
        if isinstance(event, Started):
            found.append(run.exists())
        if isinstance(event, Evaluated):
            found.append(run.artifact.provenance["step"] == event.step)
        if isinstance(event, CheckpointDue):
            found.append(Checkpoint.load(run.checkpoint).step == event.step)

    steps.train(squares.dataset(train=4), run.folder, steps=3, on_event=looks)
    assert found == [True] * 6


# ---- Weights, for those who ask ----------------------------------------------------------------


@dataclass
class Asked:
    """Counts what is asked of a snapshot's session."""

    of: Any
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self.of, name)


def test_a_snapshot_computes_what_it_is_asked_for_once() -> None:
    from boxwright.training.session import Snapshot

    session = Asked(
        type("Session", (), {
            "model": "model", "averaged": lambda _: "averaged", "slots": lambda _: {"slot": 1},
            "arrays": lambda _, step: {"step": step},
        })()
    )  # fmt: skip
    snapshot = Snapshot(7, session)  # type: ignore[arg-type]
    assert not session.calls
    for _ in range(2):
        assert snapshot.averaged == "averaged"
        assert snapshot.slots == {"slot": 1}
        assert snapshot.arrays == {"step": 7}
    assert session.calls == ["averaged", "slots", "arrays"]


def test_the_weights_of_every_step_can_be_had(
    centers: None, small_trainer: Any, squares: Squares, tmp_path: Path
) -> None:
    """The network's own change from step to step, and their average follows."""
    own, averaged, slots = [], [], []

    def takes(event: Event) -> None:
        if isinstance(event, Step):
            own.append([np.array(weight) for weight in event.snapshot.model.network.get_weights()])
            averaged.append([np.array(w) for w in event.snapshot.averaged.network.get_weights()])
            slots.append(event.snapshot.slots)

    outcome, _ = small_trainer(
        squares.dataset(train=4), tmp_path / "run", model="centers", steps=3, on_event=takes
    )
    assert all(any((a != b).any() for a, b in zip(own[0], each, strict=True)) for each in own[1:])
    assert any((a != b).any() for a, b in zip(own[2], averaged[2], strict=True))
    for kept, last in zip(
        outcome.run.build_model().network.get_weights(), averaged[2], strict=True
    ):
        np.testing.assert_array_equal(kept, last)
    assert {name.rpartition("/")[2] for name in slots[0]} == {
        "Adam", "Adam_1", "ExponentialMovingAverage",
    }  # fmt: skip


# ---- Stopping and pausing ----------------------------------------------------------------------


def test_stopped_from_another_thread_it_ends_like_ctrl_c(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset, control = squares.dataset(train=4), Control()

    def stops(event: Event) -> None:
        if isinstance(event, Step) and event.step == 3:
            thread = threading.Thread(target=control.stop)
            thread.start()
            thread.join()

    outcome, listener = steps.train(
        dataset, tmp_path / "run", steps=20, control=control, on_event=stops
    )
    assert (outcome.interrupted, outcome.step) == (True, 3)
    assert kinds(listener.events)[-4:] == ["Step", "Evaluated", "CheckpointDue", "Finished"]
    outcome.run.build_model()
    outcome, listener = steps.train(dataset, tmp_path / "run", resume=True)
    assert (outcome.interrupted, outcome.step) == (False, 20)
    assert listener.reports[0].step == 4


def test_stopped_after_its_last_step_it_is_finished(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    outcome, listener = steps.train(
        squares.dataset(train=4), tmp_path / "run", steps=3, interrupt_at=3
    )
    assert not outcome.interrupted
    assert kinds(listener.events).count("Evaluated") == 2


class AnHour(Control):
    """Every pause of it takes an hour by the clock, until another thread ends it."""

    def __init__(self, clock: Clock, ends: str) -> None:
        super().__init__()
        self._clock, self._ends = clock, ends

    def wait(self) -> None:
        self._clock.now += 3600.0
        thread = threading.Thread(target=getattr(self, self._ends))
        thread.start()
        super().wait()
        thread.join()


@pytest.mark.parametrize("ends", ["resume", "stop"])
def test_a_pause_waits_with_a_checkpoint_and_uses_up_no_budget(
    ends: str, steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    """The run is what it would be without."""
    dataset, control = squares.dataset(train=4), AnHour(steps.clock, ends)
    steps.train(dataset, tmp_path / "whole", seconds=60)
    whole = [*steps.rates]
    steps.rates.clear()
    written: list[int] = []

    def pauses(event: Event) -> None:
        if isinstance(event, Step) and event.step == 40:
            control.pause()
        if isinstance(event, CheckpointDue) and control.paused:
            written.append(event.step)

    run = tmp_path / "run"
    outcome, listener = steps.train(dataset, run, seconds=60, control=control, on_event=pauses)
    assert written == [40]
    if ends == "stop":
        assert (outcome.interrupted, outcome.step) == (True, 40)
    else:
        assert steps.rates == whole
        assert listener.reports[-1].images_per_second == pytest.approx(16 / steps.seconds)
    assert Checkpoint.load(outcome.run.checkpoint).seconds < 60


@pytest.mark.tiny
def test_a_stop_ends_a_pause_and_lasts() -> None:
    control = Control()
    control.pause()
    assert (control.paused, control.stopped) == (True, False)
    control.stop()
    control.wait()
    control.pause()
    assert (control.paused, control.stopped) == (False, True)


@pytest.mark.tiny
def test_a_clock_stands_still_while_nothing_is_trained(clock: Clock) -> None:
    training = TrainingClock(clock)
    before = training()
    clock.now += 2
    with training.standing_still():
        clock.now += 100
    clock.now += 3
    assert training() - before == 5
