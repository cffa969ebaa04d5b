"""The rung that compares exported files with their run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxwright.diagnosis.rungs import file
from boxwright.export.verify import Comparison

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("loss", "interval", "agreeing", "status"),
    [
        pytest.param(0.002, (-0.01, 0.01), 20, "passed", id="as good"),
        pytest.param(0.03, (0.006, 0.05), 20, "passed", id="within chance of what is accepted"),
        pytest.param(0.03, (0.02, 0.05), 20, "failed", id="surely worse"),
        pytest.param(0.03, None, 20, "failed", id="an interval is unknown"),
        pytest.param(0.002, (-0.01, 0.01), 9, "failed", id="other detections"),
    ],
)
def test_a_loss_counts_if_it_is_shown_to_exceed_what_an_export_accepts(
    loss: float,
    interval: tuple[float, float] | None,
    agreeing: int,
    status: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Comparison("labeled", (), {"labeled": 40}, loss, interval, 0.01, 20, agreeing, 16)
    reference: Any = SimpleNamespace(compare=lambda detector, tolerance: found)
    detector: Any = SimpleNamespace(
        artifact=SimpleNamespace(provenance={"quantize": "int8"}), path=None
    )
    monkeypatch.setattr(file, "diagnose", lambda *_: [])
    reading = file._compared(reference, detector, Path("run/detector.tflite"))
    assert reading.status == status
    assert "run/detector.tflite".rpartition("/")[2] in reading.found
