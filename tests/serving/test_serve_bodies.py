"""A small, seeded part of `benchmarks/fuzz_serve.py`: no request is more than a refusal."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from detecting import Fake, running

from boxwright.serving.connections import Patience
from boxwright.serving.settings import Settings

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("seed", [1, 2])
def test_requests_that_would_do_harm_are_refused(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    fuzz = runpy.run_path(str(BENCHMARKS / "fuzz_serve.py"))["fuzz"]
    settings = Settings(workers=2, timeout=20, max_bytes=1 << 22)
    with running([Fake().model("detector")], settings, patience=Patience(1, 2, 2)) as server:
        outcome = fuzz(server.port, 100, seed, timeout=settings.timeout)
        unexpected = [line for line in server.lines if "traceback" in line]
    assert outcome.failures == []
    assert unexpected == []
    assert outcome.statuses["good", 200] > 0
    assert sum(n for (_, status), n in outcome.statuses.items() if status == 400) > 20
