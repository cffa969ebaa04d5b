"""The schedule: it ends when the budget does, however fast the machine turns out to be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from boxwright.training.schedule import EVALUATE_AT, Schedule

if TYPE_CHECKING:
    from conftest import Clock

pytestmark = pytest.mark.tiny


@dataclass
class Walk:
    """A schedule walked to its end by the clock."""

    steps: int = 0
    longest: float = 0.0
    fractions: list[float] = field(default_factory=list)
    evaluated_at: list[float] = field(default_factory=list)


def walk(
    schedule: Schedule,
    clock: Clock,
    step_seconds: Callable[[int], float],
    evaluation_seconds: float = 0.0,
) -> Walk:
    walked = Walk()
    while not schedule.done:
        seconds = step_seconds(walked.steps)
        clock.now += seconds
        schedule.advance(seconds, compiled=walked.steps > 0)
        walked.steps += 1
        walked.longest = max(walked.longest, seconds)
        walked.fractions.append(schedule.fraction)
        if schedule.evaluation_due():
            walked.evaluated_at.append(schedule.fraction)
            clock.now += evaluation_seconds
            schedule.evaluated(evaluation_seconds)
        assert walked.steps < 10_000, "the schedule has no end"
    return walked


def test_either_steps_or_a_deadline() -> None:
    with pytest.raises(ValueError, match="either steps or a deadline"):
        Schedule(steps=None, deadline=None)
    with pytest.raises(ValueError, match="either steps or a deadline"):
        Schedule(steps=5, deadline=5.0)


# ---- Steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 12, 49, 1000])
def test_as_many_steps_as_asked_for(steps: int, clock: Clock) -> None:
    walked = walk(Schedule(steps=steps, deadline=None), clock, lambda _: 1.0)
    assert walked.steps == steps
    assert walked.fractions == pytest.approx([(i + 1) / steps for i in range(steps)])
    assert walked.fractions[-1] == 1


def test_the_time_left_is_that_of_the_steps_left(clock: Clock) -> None:
    schedule = Schedule(steps=10, deadline=None)
    schedule.advance(60.0, compiled=False)
    assert schedule.step_seconds == 0, "the first step is no measure of the others"
    for seconds in (1.0, 2.0, 30.0):
        schedule.advance(seconds, compiled=True)
    assert schedule.step_seconds == 2
    assert schedule.seconds_left == pytest.approx(6 * 2)


@pytest.mark.parametrize("done", [0, 1, 5, 11])
def test_a_resumed_run_takes_the_steps_that_were_left(done: int, clock: Clock) -> None:
    first = Schedule(steps=12, deadline=None)
    for step in range(done):
        first.advance(1.0, compiled=step > 0)
    second = Schedule(steps=12, deadline=None, fraction=first.fraction)
    assert walk(second, clock, lambda _: 1.0).steps == 12 - done


# ---- Deadline ----------------------------------------------------------------------------------

MACHINES: dict[str, Callable[[int], float]] = {
    "steady": lambda step: 0.2,
    "slow to start": lambda step: 8.0 if step == 0 else 0.2,
    "slowing down": lambda step: 0.1 if step < 200 else 0.4,
    "speeding up": lambda step: 0.4 if step < 100 else 0.1,
    "uneven": lambda step: 0.2 + 0.15 * math.sin(step),
    "hiccups": lambda step: 2.0 if step % 50 == 49 else 0.1,
    "few long steps": lambda step: 7.0,
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("evaluation_seconds", [0.0, 1.5])
def test_the_last_step_ends_at_the_deadline(
    machine: str, evaluation_seconds: float, clock: Clock
) -> None:
    deadline = clock.now + 60
    schedule = Schedule(steps=None, deadline=deadline)
    walked = walk(schedule, clock, MACHINES[machine], evaluation_seconds)
    assert clock.now == pytest.approx(deadline, abs=walked.longest)
    assert walked.fractions == sorted(walked.fractions)
    assert walked.fractions[-1] == 1


def test_on_a_steady_machine_the_curve_is_straight(clock: Clock) -> None:
    schedule = Schedule(steps=None, deadline=clock.now + 60)
    walked = walk(schedule, clock, lambda step: 0.2)
    expected = [(i + 1) / walked.steps for i in range(walked.steps)]
    assert walked.fractions == pytest.approx(expected, abs=0.01)


def test_when_the_machine_slows_down_the_curve_gets_steeper_not_shorter(clock: Clock) -> None:
    """The learning rate still falls all the way: no step at the end skips a tenth of it."""
    schedule = Schedule(steps=None, deadline=clock.now + 60)
    walked = walk(schedule, clock, MACHINES["slowing down"])
    jumps = [after - before for before, after in pairwise(walked.fractions)]
    assert max(jumps) < 0.1
    assert walked.fractions[-2] > 0.9


def test_a_deadline_that_has_passed_ends_the_run_at_the_next_measured_step(clock: Clock) -> None:
    schedule = Schedule(steps=None, deadline=clock.now - 5)
    assert schedule.seconds_left == 0
    assert walk(schedule, clock, lambda _: 1.0).steps == 2


# ---- Evaluations -------------------------------------------------------------------------------


def test_every_mark_is_due_once(clock: Clock) -> None:
    walked = walk(Schedule(steps=1000, deadline=None), clock, lambda _: 1.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT, abs=0.002)
    assert walked.evaluated_at[-1] == 1


def test_marks_passed_in_one_step_are_one_evaluation(clock: Clock) -> None:
    walked = walk(Schedule(steps=2, deadline=None), clock, lambda _: 1.0)
    assert walked.evaluated_at == [0.5, 1]


def test_a_resumed_run_does_not_go_back_to_earlier_marks(clock: Clock) -> None:
    passed = EVALUATE_AT[2]
    schedule = Schedule(steps=1000, deadline=None, fraction=passed)
    walked = walk(schedule, clock, lambda _: 1.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT[3:], abs=0.002)


def test_by_steps_alone_nothing_goes_by_the_clock(clock: Clock) -> None:
    walked = walk(Schedule(steps=1000, deadline=None, by_clock=False), clock, lambda _: 100.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT, abs=0.002)


@pytest.mark.parametrize("step_seconds", [0.2, 4.0, 20.0])
@pytest.mark.parametrize("evaluation_seconds", [0.0, 3.0, 20.0])
def test_half_a_minute_of_work_is_the_most_to_be_lost(
    step_seconds: float, evaluation_seconds: float, clock: Clock
) -> None:
    """Or a step and an evaluation, where these take longer."""
    schedule, written, lost = Schedule(steps=1000, deadline=None), clock.now, []
    while not schedule.done:
        clock.now += step_seconds
        schedule.advance(step_seconds, compiled=True)
        evaluated = schedule.evaluation_due()
        if evaluated:
            clock.now += evaluation_seconds
            schedule.evaluated(evaluation_seconds)
        if evaluated or schedule.checkpoint_due():
            lost.append(clock.now - written)
            schedule.checkpointed()
            written = clock.now
    assert max(lost) < max(30, 13 + step_seconds + evaluation_seconds)
    assert len(lost) < 2.2 * 1000 * step_seconds / 25 + 8, "and not much oftener than needed"


def test_a_long_run_is_judged_every_ten_minutes(clock: Clock) -> None:
    schedule = Schedule(steps=1_000_000, deadline=None)
    walked = [clock.now]
    for _ in range(1000):
        clock.now += 5.0
        schedule.advance(5.0, compiled=True)
        if schedule.evaluation_due():
            schedule.evaluated(1.0)
            walked.append(clock.now)
    assert len(walked) > 8
    assert all(600 < later - earlier <= 605 for earlier, later in pairwise(walked))
