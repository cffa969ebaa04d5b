"""Learning rates: the curves of the budget and those of the Object Detection API."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from boxwright.training.learning_rates import (
    FLOOR,
    BudgetCosine,
    Constant,
    CosineDecay,
    ExponentialDecay,
    LearningRate,
    ManualSteps,
)

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("fraction", "step", "expected"),
    [
        pytest.param(0.0, 0, 1 / 20, id="the first step of the warm-up"),
        pytest.param(0.0, 9, 10 / 20, id="half of the warm-up"),
        pytest.param(0.0, 19, 1.0, id="at its peak"),
        pytest.param(0.25, 500, FLOOR + (1 - FLOOR) * (2 + math.sqrt(2)) / 4, id="a quarter"),
        pytest.param(0.5, 500, FLOOR + (1 - FLOOR) / 2, id="half"),
        pytest.param(1.0, 500, FLOOR, id="at the end"),
    ],
)
def test_over_a_budget(fraction: float, step: int, expected: float) -> None:
    rate = BudgetCosine(3e-3, warmup_steps=20)
    assert rate.at(step, fraction) == pytest.approx(3e-3 * expected)


def test_without_a_warm_up_it_starts_at_its_peak() -> None:
    assert BudgetCosine(0.1, warmup_steps=0).at(0, 0.0) == 0.1


@pytest.mark.shared
def test_the_staircase_of_the_object_detection_api(shared: Path) -> None:
    golden = np.load(shared / "golden/optimizer.npz")
    rate = ExponentialDecay(0.004, decay_steps=800720, factor=0.95)
    ours = [rate.at(int(step), 0.0) for step in golden["lr_steps"]]
    np.testing.assert_allclose(ours, golden["lr_values"], rtol=1e-7)


STAIRS = ExponentialDecay(0.1, 100, 0.5)
SLOPE = ExponentialDecay(0.1, 100, 0.5, staircase=False)
BURNT_IN = ExponentialDecay(0.1, 100, 0.5, burn_in=0.01, burn_in_steps=50, lowest=0.04)
STEPS = ManualSteps((10, 20), (0.1, 0.02, 0.003))
RISING = ManualSteps((10, 20), (0.1, 0.2, 0.003), warm_up=True)
COSINE = CosineDecay(0.1, total_steps=120, warmup=0.02, warmup_steps=10, hold_steps=10)


@pytest.mark.parametrize(
    ("rate", "at"),
    [
        pytest.param(Constant(0.3), {0: 0.3, 10**9: 0.3}, id="constant"),
        pytest.param(STAIRS, {0: 0.1, 99: 0.1, 100: 0.05, 250: 0.025}, id="staircase"),
        pytest.param(SLOPE, {0: 0.1, 50: 0.1 * 0.5**0.5, 100: 0.05}, id="slope"),
        pytest.param(
            BURNT_IN,
            {0: 0.04, 49: 0.04, 50: 0.1, 149: 0.1, 150: 0.05, 250: 0.04},
            id="burn-in, and a lowest rate",
        ),
        pytest.param(
            ExponentialDecay(0.1, 100, 0.5, burn_in_steps=50), {0: 0.1, 149: 0.1}, id="no burn-in"
        ),
        pytest.param(
            STEPS, {0: 0.1, 9: 0.1, 10: 0.02, 19: 0.02, 20: 0.003, 999: 0.003}, id="manual"
        ),
        pytest.param(
            RISING, {0: 0.1, 5: 0.15, 9: 0.19, 10: 0.2, 20: 0.003}, id="manual with warm-up"
        ),
        pytest.param(ManualSteps((), (0.1,)), {0: 0.1, 99: 0.1}, id="manual without steps"),
        pytest.param(
            COSINE,
            {0: 0.02, 5: 0.06, 10: 0.1, 20: 0.1, 70: 0.05, 120: 0.0, 121: 0.0},
            id="cosine",
        ),
    ],
)
def test_by_step(rate: LearningRate, at: dict[int, float]) -> None:
    found = {step: rate.at(step, 0.5) for step in at}
    assert found == pytest.approx(at, abs=1e-12)


def test_a_first_step_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0 and increasing"):
        ManualSteps((0, 10), (0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="above 0 and increasing"):
        ManualSteps((20, 10), (0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="need 2 rates"):
        ManualSteps((10,), (0.1,))


def test_a_cosine_needs_steps_and_a_rise() -> None:
    with pytest.raises(ValueError, match="leave none for the decay"):
        CosineDecay(total_steps=100, warmup_steps=100)
    with pytest.raises(ValueError, match="above the peak"):
        CosineDecay(0.1, warmup=0.2)
