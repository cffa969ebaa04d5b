"""A forecast from trainings on quarters, halves and all images."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright.learning_curve.extrapolation import extrapolated

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("quarters", "halves", "whole", "expected"),
    [
        pytest.param([0.4] * 4, [0.5] * 2, [0.55] * 2, 0.575, id="each gains half of the last"),
        pytest.param([0.4] * 4, [0.48] * 2, [0.56] * 2, 0.64, id="each gains the same"),
        pytest.param([0.5] * 4, [0.5] * 2, [0.5] * 2, 0.5, id="no gain"),
    ],
)
def test_what_fits_exactly(
    quarters: list[float], halves: list[float], whole: list[float], expected: float
) -> None:
    found = extrapolated(quarters, halves, whole)
    assert found.ap == pytest.approx(expected, abs=0.02)
    assert found.interval[0] < found.ap < found.interval[1]


def test_trainings_that_scatter_make_it_wide() -> None:
    still, scattered = (
        extrapolated([0.4 + by, 0.4 - by] * 2, [0.5 + by, 0.5 - by], [0.55, 0.55])
        for by in (0.0, 0.05)
    )
    assert np.ptp(scattered.interval) > 3 * np.ptp(still.interval)
    assert scattered.spread > 5 * still.spread


def test_the_interval_holds_in_about_four_of_five() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(150):
        now, gain, ratio = rng.uniform(0.4, 0.7), rng.uniform(0, 0.08), rng.uniform(0.3, 1)
        curve = (now - gain - gain / ratio, now - gain, now, now + gain * ratio)
        noise = rng.normal(0, 0.015, 9)
        measured = np.repeat(curve, (4, 2, 2, 1)) + noise
        low, high = extrapolated(measured[:4], measured[4:6], measured[6:8]).interval
        held.append(low <= measured[8] <= high)
    assert 0.7 <= np.mean(held) <= 0.93


@pytest.mark.parametrize("ap", [0.0, 1.0])
def test_it_stays_a_number_between_0_and_1(ap: float) -> None:
    low, high = extrapolated([ap] * 4, [ap] * 2, [ap] * 2).interval
    assert 0 <= low <= high <= 1
