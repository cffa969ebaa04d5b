"""A small, seeded part of `benchmarks/crashes.py`: commands that are killed or disturbed lose
nothing, and succeed when they are repeated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the benchmark limits file sizes")


def test_a_split_that_was_killed_or_disturbed_succeeds_when_repeated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(__file__).parents[2] / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the folder benchmarks is not here")
    monkeypatch.syspath_prepend(folder)
    import crashes

    whole = crashes.Place(tmp_path / "whole")
    whole.temporary.mkdir(parents=True)
    squares = crashes.Squares(tmp_path / "squares")
    crashes.write(squares.dataset(train=12, val=3), whole.images, "voc")
    assert not crashes.tried("split", whole, whole, trials=2, seed=1)
    assert capsys.readouterr().out.count(" 0 failures") == 3
