"""A small, seeded part of `benchmarks/fuzz_models.py`: damaged detector files end with a code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("kind", ["int8", "onnx"])
def test_damaged_files_end_with_a_code(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parents[2] / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the folder benchmarks is not here")
    monkeypatch.syspath_prepend(folder)
    import fuzz_models

    found, failures = fuzz_models.fuzz(kind, 1, 30)
    assert failures == []
    assert found.total() == 30
    assert found.keys() >= {"BW502", "accepted"}
    sys.modules.pop("fuzz_models")
