"""The schedule: it ends when the budget does, however fast the machine turns out to be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from boxwright.training.schedule import EVALUATE_AT, EVALUATING, PATIENCE, TOLERANCE, Schedule

if TYPE_CHECKING:
    from trainings import Clock

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


def test_steps_or_a_deadline_not_both() -> None:
    with pytest.raises(ValueError, match="steps or a deadline, not both"):
        Schedule(steps=5, deadline=5.0)


# ---- Steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 12, 49, 1000])
def test_as_many_steps_as_asked_for(steps: int, clock: Clock) -> None:
    walked = walk(Schedule(clock=clock, steps=steps), clock, lambda _: 1.0)
    assert walked.steps == steps
    assert walked.fractions == pytest.approx([(i + 1) / steps for i in range(steps)])
    assert walked.fractions[-1] == 1


def test_the_time_left_is_that_of_the_steps_left(clock: Clock) -> None:
    schedule = Schedule(clock=clock, steps=10)
    schedule.advance(60.0, compiled=False)
    assert schedule.step_seconds == 0, "the first step is no measure of the others"
    for seconds in (1.0, 2.0, 30.0):
        schedule.advance(seconds, compiled=True)
    assert schedule.step_seconds == 2
    assert schedule.seconds_left == pytest.approx(6 * 2)


@pytest.mark.parametrize("done", [0, 1, 5, 11])
def test_a_resumed_run_takes_the_steps_that_were_left(done: int, clock: Clock) -> None:
    first = Schedule(clock=clock, steps=12)
    for step in range(done):
        first.advance(1.0, compiled=step > 0)
    second = Schedule(clock=clock, steps=12, step=done, state=first.state)
    walked = walk(second, clock, lambda _: 1.0)
    assert walked.steps == 12 - done
    undisturbed = walk(Schedule(clock=clock, steps=12), clock, lambda _: 1.0)
    assert walked.fractions == undisturbed.fractions[done:], "to the last bit"


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
    schedule = Schedule(clock=clock, deadline=deadline)
    walked = walk(schedule, clock, MACHINES[machine], evaluation_seconds)
    assert clock.now == pytest.approx(deadline, abs=max(walked.longest, TOLERANCE * 60))
    assert walked.fractions == sorted(walked.fractions)
    assert walked.fractions[-1] == 1


@pytest.mark.parametrize("evaluation_seconds", [0.1, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("expected", [0.2, 1.0])
def test_evaluations_take_a_limited_part_of_a_budget(
    evaluation_seconds: float, expected: float, clock: Clock
) -> None:
    """Whether they take as long as expected or not; and the last one always takes place."""
    steps = expected * evaluation_seconds / 0.2
    schedule = Schedule(clock=clock, deadline=clock.now + 60, evaluation_steps=steps)
    walked = walk(schedule, clock, lambda _: 0.2, evaluation_seconds)
    spent = evaluation_seconds * len(walked.evaluated_at)
    assert walked.evaluated_at[-1] == 1
    assert spent <= EVALUATING * 60 or spent <= 2 * evaluation_seconds
    if evaluation_seconds < 1.2:
        assert len(walked.evaluated_at) == len(EVALUATE_AT)
    if expected == 1:
        assert spent <= max(EVALUATING * 60, evaluation_seconds)


def test_on_a_steady_machine_the_curve_is_straight(clock: Clock) -> None:
    schedule = Schedule(clock=clock, deadline=clock.now + 60)
    walked = walk(schedule, clock, lambda step: 0.2)
    probe = walked.fractions.count(0.0)
    assert probe * 0.2 < 2.5, "the speed is known after two seconds and the first, slow step"
    expected = [(i + 1) / walked.steps for i in range(probe, walked.steps)]
    assert walked.fractions[probe:] == pytest.approx(expected, abs=1e-9)
    assert walked.steps == pytest.approx(60 / 0.2, abs=1)


def test_when_the_machine_slows_down_the_curve_gets_steeper_not_shorter(clock: Clock) -> None:
    """The learning rate still falls all the way: no step at the end skips a tenth of it."""
    schedule = Schedule(clock=clock, deadline=clock.now + 60)
    walked = walk(schedule, clock, MACHINES["slowing down"])
    jumps = [after - before for before, after in pairwise(walked.fractions)]
    assert max(jumps) < 0.1
    assert len(schedule.plan) < 12, "it is planned anew where it has to be, and only there"
    assert walked.fractions[-2] > 0.9


def test_a_deadline_that_has_passed_ends_the_run_at_the_next_measured_step(clock: Clock) -> None:
    schedule = Schedule(clock=clock, deadline=clock.now - 5)
    assert schedule.seconds_left == 0
    assert walk(schedule, clock, lambda _: 1.0).steps == 2


def test_a_run_that_goes_on_has_the_plan_that_it_had(clock: Clock) -> None:
    """No clock decides any more: the same steps, and the same fractions to the last bit."""
    whole = walk(Schedule(clock=clock, deadline=clock.now + 60), clock, lambda _: 0.2)
    halfway = Schedule(clock=clock, deadline=clock.now + 60)
    for step in range(250):
        clock.now += 0.2
        halfway.advance(0.2, compiled=step > 0)
    again = Schedule(
        clock=clock, steps=halfway.steps, step=250, state=json.loads(json.dumps(halfway.state))
    )
    rest = walk(again, clock, lambda _: 3.0)
    assert rest.fractions == whole.fractions[250:]


def test_a_run_that_goes_on_may_get_another_budget(clock: Clock) -> None:
    first = Schedule(clock=clock, deadline=clock.now + 60)
    for step in range(100):
        clock.now += 0.2
        first.advance(0.2, compiled=step > 0)
    deadline = clock.now + 200
    again = Schedule(clock=clock, deadline=deadline, step=100, state=first.state)
    assert again.fraction == first.fraction
    walked = walk(again, clock, lambda _: 0.2)
    assert clock.now == pytest.approx(deadline, abs=0.4)
    assert walked.fractions == sorted(walked.fractions)


# ---- Without an end ----------------------------------------------------------------------------


def judge(schedule: Schedule, aps: Callable[[int], float], most: int = 10_000) -> list[int]:
    """The steps at which a schedule was judged, walked to its end."""
    looks: list[int] = []
    while not schedule.done and schedule.step < most:
        schedule.advance(0.2, compiled=True)
        if schedule.evaluation_due():
            looks.append(schedule.step)
            schedule.judged(aps(schedule.step), noise=0.01)
            schedule.evaluated(0.5)
    return looks


def test_without_a_budget_it_ends_when_the_ap_stops_rising(clock: Clock) -> None:
    schedule = Schedule(clock=clock)
    assert (schedule.seconds_left, schedule.steps) == (None, None)
    judge(schedule, lambda step: min(step / 1000, 0.5))
    assert schedule.done
    falls_from = schedule.plan[1][0]
    assert falls_from > 500, "no sooner than it stops"
    assert schedule.plan[-1][0] == pytest.approx(1.5 * falls_from, abs=1)
    assert schedule.fraction == 1


def test_while_the_ap_rises_it_goes_on_and_looks_ever_more_rarely(clock: Clock) -> None:
    schedule = Schedule(clock=clock)
    looks = judge(schedule, lambda step: step / 10_000, most=9_000)
    assert not schedule.plan
    assert schedule.fraction == 0
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert gaps == sorted(gaps)


def test_a_rise_within_the_noise_is_none(clock: Clock) -> None:
    schedule = Schedule(clock=clock)
    looks = judge(schedule, lambda step: 0.4 + step * 1e-6)
    assert schedule.plan[1][0] == looks[PATIENCE]


def test_a_run_without_an_end_that_goes_on_remembers_what_it_was_judged(clock: Clock) -> None:
    whole, first = Schedule(clock=clock), Schedule(clock=clock)
    judge(whole, lambda _: 0.4)
    judge(first, lambda _: 0.4, most=150)
    again = Schedule(clock=clock, step=150, state=json.loads(json.dumps(first.state)))
    judge(again, lambda _: 0.4)
    assert again.plan == whole.plan


# ---- Evaluations -------------------------------------------------------------------------------


def test_every_mark_is_due_once(clock: Clock) -> None:
    walked = walk(Schedule(clock=clock, steps=1000), clock, lambda _: 1.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT, abs=0.002)
    assert walked.evaluated_at[-1] == 1


def test_where_nothing_judges_the_weights_are_kept_twice(clock: Clock) -> None:
    walked = walk(Schedule(clock=clock, steps=1000, judged=False), clock, lambda _: 1.0)
    assert walked.evaluated_at == [0.5, 1]


def test_marks_passed_in_one_step_are_one_evaluation(clock: Clock) -> None:
    walked = walk(Schedule(clock=clock, steps=2), clock, lambda _: 1.0)
    assert walked.evaluated_at == [0.5, 1]


def test_a_resumed_run_does_not_go_back_to_earlier_marks(clock: Clock) -> None:
    passed = EVALUATE_AT[2]
    schedule = Schedule(clock=clock, steps=1000, step=round(1000 * passed))
    walked = walk(schedule, clock, lambda _: 1.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT[3:], abs=0.002)


def test_by_steps_alone_nothing_goes_by_the_clock(clock: Clock) -> None:
    walked = walk(Schedule(clock=clock, steps=1000, by_clock=False), clock, lambda _: 100.0)
    assert walked.evaluated_at == pytest.approx(EVALUATE_AT, abs=0.002)


@pytest.mark.parametrize("step_seconds", [0.2, 4.0, 20.0])
@pytest.mark.parametrize("evaluation_seconds", [0.0, 3.0, 20.0])
def test_half_a_minute_of_work_is_the_most_to_be_lost(
    step_seconds: float, evaluation_seconds: float, clock: Clock
) -> None:
    """Or a step and an evaluation, where these take longer."""
    schedule, written, lost = Schedule(clock=clock, steps=1000), clock.now, []
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
    schedule = Schedule(clock=clock, steps=1_000_000)
    walked = [clock.now]
    for _ in range(1000):
        clock.now += 5.0
        schedule.advance(5.0, compiled=True)
        if schedule.evaluation_due():
            schedule.evaluated(1.0)
            walked.append(clock.now)
    assert len(walked) > 8
    assert all(600 < later - earlier <= 605 for earlier, later in pairwise(walked))
