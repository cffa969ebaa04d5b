"""Work in child processes, which may end at any time."""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path

import pytest

from boxwright.parallel.processes import Ahead, Processes, Told

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


def number_until(told: Told, limit: float, start: float = 0) -> tuple[float, bool]:
    """Work for `Ahead`: what it got, and whether it was told to stop before a limit of seconds."""
    end = time.monotonic() + limit
    while not told() and time.monotonic() < end:
        time.sleep(0.01)
    return start, told()


def end_early(told: Told) -> None:
    os._exit(3)


def test_work_ahead_goes_on_until_its_results_are_wanted() -> None:
    with Ahead[tuple[float, bool]]() as ahead:
        ahead.begin(number_until, 600, start=1)
        ahead.begin(number_until, 600, start=2)
        assert ahead.results() == [(1, True), (2, True)]


def test_work_ahead_may_be_done_before_its_results_are_wanted() -> None:
    with Ahead[tuple[float, bool]]() as ahead:
        ahead.begin(number_until, -1, start=1)
        (found,) = ahead.results()
    assert found[0] == 1


def test_a_child_that_ends_early_has_done_nothing_ahead() -> None:
    with Ahead[object]() as ahead:
        ahead.begin(end_early)
        ahead.begin(number_until, 600)
        assert ahead.results() == [(0, True)]


def test_without_a_child_nothing_is_done_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "no such program")
    with Ahead[tuple[float, bool]]() as ahead:
        ahead.begin(number_until, 600)
        assert ahead.results() == []


def test_work_ahead_ends_with_the_block() -> None:
    with Ahead[tuple[float, bool]]() as ahead:
        ahead.begin(number_until, 600)
    assert [child.poll() is None for child in ahead._children] == [False]
