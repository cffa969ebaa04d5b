"""A run folder that has a run: it is not overwritten, and a stopped one is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from boxwright.errors import TrainingError
from boxwright.structures.dataset import Dataset
from boxwright.training import loop
from boxwright.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares


@pytest.fixture
def run(steps: Steps, squares: Squares, tmp_path: Path) -> Path:
    """A run stopped at the second of four steps."""
    steps.train(squares.dataset(train=4), tmp_path / "run", steps=4, interrupt_at=2)
    return tmp_path / "run"


def dataset_of(squares: Squares) -> Dataset:
    squares.made = 0
    return squares.dataset(train=4)


def test_a_run_is_not_overwritten(run: Path, squares: Squares) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(TrainingError) as caught:
        loop.train(dataset_of(squares), out=run, weights=None, steps=4)
    assert caught.value.code == "BW304"
    assert "--resume" in caught.value.remedy
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_run_that_ended_before_its_first_checkpoint_cannot_be_resumed(
    run: Path, squares: Squares
) -> None:
    (run / "checkpoint.npz").unlink()
    for resume, code in ((True, "BW305"), (False, "BW304")):
        with pytest.raises(TrainingError) as caught:
            loop.train(dataset_of(squares), out=run, weights=None, steps=4, resume=resume)
        assert caught.value.code == code
    assert "delete the run" in caught.value.remedy


def test_a_checkpoint_of_another_network_is_refused(run: Path, squares: Squares) -> None:
    path = run / "checkpoint.npz"
    checkpoint = Checkpoint.load(path)
    checkpoint.arrays["weight/0"] = checkpoint.arrays["weight/0"][..., None]
    checkpoint.save(path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(TrainingError, match=r"BW305 .*not fit the network"):
        loop.train(dataset_of(squares), out=run, weights=None, steps=4, resume=True)
    assert before == {path: path.read_bytes() for path in before}


def test_there_must_be_a_run_to_resume(squares: Squares, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        loop.train(dataset_of(squares), out=tmp_path / "run", weights=None, resume=True)
    assert caught.value.code == "BW305"


def test_a_run_goes_on_with_the_data_it_began_with(
    run: Path, steps: Steps, squares: Squares
) -> None:
    with pytest.raises(TrainingError) as caught:
        steps.train(squares.dataset(train=4), run, resume=True)
    assert caught.value.code == "BW306"


def test_a_finished_run_does_not_go_on(run: Path, steps: Steps, squares: Squares) -> None:
    steps.train(dataset_of(squares), run, resume=True)
    with pytest.raises(TrainingError) as caught:
        steps.train(dataset_of(squares), run, resume=True)
    assert caught.value.code == "BW307"
