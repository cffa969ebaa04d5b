"""A small network, a clock that waits, and steps that cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainings import Clock, SmallTrainer, Steps, engines

from boxwright.training.tools import Tools
from squares import Squares


@pytest.fixture
def squares(tmp_path: Path) -> Squares:
    return Squares(tmp_path / "squares")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def small_trainer(small_network: None) -> SmallTrainer:
    return SmallTrainer(Tools(engines=engines()))


@pytest.fixture(scope="module")
def module_squares(tmp_path_factory: pytest.TempPathFactory) -> Squares:
    return Squares(tmp_path_factory.mktemp("squares"))


@pytest.fixture
def steps(small_network: None, centers: None, clock: Clock) -> Steps:
    return Steps(clock)
