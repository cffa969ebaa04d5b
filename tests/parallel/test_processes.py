"""Work in child processes, which may end at any time."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import pytest

from boxwright.parallel.processes import Processes

pytestmark = pytest.mark.tiny


def test_work_is_done_in_one_child_and_then_it_ends() -> None:
    with Processes() as processes:
        first, second = (processes.run(os.getpid) for _ in range(2))
        assert processes.run(math.gcd, 12, 18) == 6
    assert first == second != os.getpid()


@pytest.mark.parametrize("executable", ["no such program", os.devnull])
def test_without_a_child_the_work_is_done_here(
    executable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with Processes() as processes:
        assert processes.run(os.getpid) == os.getpid()


def test_an_error_and_the_end_of_a_child_are_those_of_the_work_here(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with Processes() as processes:
        with pytest.raises(FileNotFoundError, match="marker"):
            processes.run(os.stat, str(marker))
        assert processes.run(os.getpid) != os.getpid()


def test_what_work_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with Processes() as processes:
        assert processes.run(print, "loud") is None
    assert "loud" in capfd.readouterr().err
