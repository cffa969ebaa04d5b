"""A small, seeded part of `benchmarks/fuzz.py`: no damage to a file is more than a coded error."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats

INPUTS = 300


@pytest.fixture(scope="module")
def fuzz() -> Callable[..., Any]:
    script = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"
    benchmark = runpy.run_path(str(script))
    benchmark["fuzz"].__globals__["_limit_memory"] = lambda: None  # it would bind all other tests
    found: Callable[..., Any] = benchmark["fuzz"]
    return found


@pytest.mark.parametrize("name", formats.FORMATS)
def test_damaged_annotations_are_read_or_refused(fuzz: Callable[..., Any], name: str) -> None:
    outcome = fuzz(name, seed=1, inputs=INPUTS)
    assert outcome.failures == []
    assert outcome.read > 0
    assert outcome.refused > 0
