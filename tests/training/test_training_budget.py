"""A budget as it is written."""

from __future__ import annotations

import pytest

from boxwright.errors import ArgumentError
from boxwright.training.budget import seconds_of

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        *(("90", 90), ("90s", 90), ("2m", 120), ("1.5h", 5400), ("0.5m", 30), (" 2M ", 120)),
        *(("15", 15), (90, 90), (22.5, 22.5)),
    ],
)
def test_a_budget_is_a_time(budget: str | float, seconds: float) -> None:
    assert seconds_of(budget) == seconds


@pytest.mark.parametrize(
    "budget", ["soon", "-30s", "1d", "m", "1e3", "2m30s", "5s", "0", "0.1m", 5, -60, float("nan")]
)
def test_anything_else_is_a_coded_error(budget: str | float) -> None:
    with pytest.raises(ArgumentError, match=str(budget)) as caught:
        seconds_of(budget)
    assert caught.value.code == "BW801"
