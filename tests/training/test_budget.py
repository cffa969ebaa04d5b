"""The budget of a training: when it ends, and what a resumed one still has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from boxwright.training import loop
from boxwright.training.checkpoint import RESTART_SECONDS, Checkpoint
from boxwright.training.events import Step

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares


@pytest.mark.parametrize("used_before", [0.0, 12.0])
def test_the_last_step_ends_when_the_budget_does(
    steps: Steps, squares: Squares, tmp_path: Path, used_before: float
) -> None:
    """Less what it takes to write the run and leave; the time before `train` counts as well."""
    begun = steps.clock.now - used_before
    _, listener = steps.train(squares.dataset(train=4), tmp_path / "run", seconds=60, started=begun)
    ended = steps.clock.now - begun
    assert ended == pytest.approx(60 - loop.FINISH_SECONDS, abs=steps.seconds)
    assert len(steps.rates) == pytest.approx((60 - used_before) / steps.seconds, rel=0.1)
    assert listener.reports[-1].fraction == 1
    assert listener.reports[-1].seconds_left <= steps.seconds
    assert steps.rates[-1] < 0.05 * max(steps.rates)


def test_a_resumed_run_takes_the_steps_that_an_undisturbed_one_takes(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    """Its budget has become a step count, so no clock changes what it learns."""
    dataset = squares.dataset(train=4)
    steps.train(dataset, tmp_path / "whole", seconds=60)
    whole = [*steps.rates]
    steps.rates.clear()
    stopped, _ = steps.train(dataset, tmp_path / "run", seconds=60, interrupt_at=40)
    assert Checkpoint.load(stopped.run.checkpoint).step == 40
    steps.seconds *= 3
    steps.train(dataset, tmp_path / "run", resume=True)
    assert steps.rates == whole


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_a_change_of_speed_changes_the_plan_which_the_checkpoint_keeps(
    steps: Steps, squares: Squares, tmp_path: Path, factor: float
) -> None:
    dataset = squares.dataset(train=4)
    begun = steps.clock.now

    def change(event: object) -> None:
        if isinstance(event, Step) and event.step == 40:
            steps.seconds *= factor

    outcome, listener = steps.train(dataset, tmp_path / "run", seconds=60, on_event=change)
    assert steps.clock.now - begun == pytest.approx(60 - loop.FINISH_SECONDS, abs=3 * factor)
    assert any("the speed has changed" in line for line in listener.said)
    kept = Checkpoint.load(outcome.run.checkpoint).schedule["plan"]
    assert len(kept) > 2
    assert kept[-1] == [len(steps.rates), 1.0]


def test_a_run_that_stopped_before_it_had_a_plan_gets_the_time_that_was_left(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4)
    stopped, _ = steps.train(dataset, tmp_path / "run", seconds=60, interrupt_at=2)
    done = Checkpoint.load(stopped.run.checkpoint)
    begun = steps.clock.now
    steps.train(dataset, tmp_path / "run", resume=True)
    left = 60 - done.seconds + RESTART_SECONDS - loop.FINISH_SECONDS
    assert steps.clock.now - begun == pytest.approx(left, abs=steps.seconds)


def test_without_a_budget_and_images_that_judge_there_is_an_end_too(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    begun = steps.clock.now
    _, listener = steps.train(squares.dataset(train=4), tmp_path / "run")
    assert steps.clock.now - begun == pytest.approx(loop.UNVALIDATED_SECONDS, rel=0.02)
    assert any("no validation set to decide when to stop" in line for line in listener.said)


def test_without_a_budget_it_trains_until_the_ap_stops_rising(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    """These steps learn nothing, so that it never rises."""
    _, listener = steps.train(squares.dataset(train=4, val=2), tmp_path / "run")
    assert any("stopped rising at step" in line for line in listener.said)
    assert listener.reports[0].seconds_left is None
    assert listener.reports[-1].fraction == 1
    assert steps.rates[-1] < 0.05 * max(steps.rates)
