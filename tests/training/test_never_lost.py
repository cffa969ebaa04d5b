"""Killed at any moment, a training goes on as if nothing had happened, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from mortal import KILLED_AT

from boxwright.api import write
from boxwright.errors import SystemFaultError, TrainingError
from boxwright.inference.run import Run
from boxwright.io.files import locked
from boxwright.structures.dataset import Dataset
from boxwright.training import loop
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.events import CheckpointDue, Evaluated, Event, Started, Subscriber
from boxwright.training.run_folder import check_options

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares

MORTAL = Path(__file__).with_name("mortal.py")
FIRST_MARK = 4  # the first step that is judged, of 12


def begin(moment: str, images: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """A training that dies at that moment, if it is one."""
    command = [sys.executable, MORTAL, moment, images, out, *more]
    return subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8",
    )  # fmt: skip


def said(process: subprocess.Popen[str], *, killed: bool) -> str:
    text, _ = process.communicate(timeout=300)
    assert (process.returncode != 0) == killed, text
    assert "Traceback" not in text
    assert "BW9" not in text
    return text


@pytest.mark.slow
def test_killed_again_and_again_it_becomes_the_undisturbed_run(
    squares: Squares, tmp_path: Path
) -> None:
    images, out = tmp_path / "photos", tmp_path / "disturbed"
    write(squares.dataset(train=12, val=3), images, "voc")
    whole = begin("never", images, tmp_path / "whole")

    said(begin("as_it_starts", images, out), killed=True)
    assert not Run(out).exists(), "so that the same command may begin anew"
    said(begin("half_a_checkpoint", images, out), killed=True)
    assert Checkpoint.load(Run(out).checkpoint).step == KILLED_AT - 1
    said(begin("judged_but_not_written", images, out, "--resume"), killed=True)
    assert Run(out).artifact.provenance["step"] == FIRST_MARK
    assert Checkpoint.load(Run(out).checkpoint).step == FIRST_MARK - 1
    text = said(begin("never", images, out, "--resume"), killed=False)
    assert "start: the stopped run; convolutions in float32" in text
    said(whole, killed=False)

    disturbed, undisturbed = Run(out), Run(tmp_path / "whole")
    one, other = (Checkpoint.load(run.checkpoint) for run in (disturbed, undisturbed))
    assert (one.step, one.best_ap, one.best_step) == (other.step, other.best_ap, other.best_step)
    same(one.arrays, other.arrays)
    same(*(arrays_in(run.weights) for run in (disturbed, undisturbed)))
    assert disturbed.artifact == undisturbed.artifact
    left, expected = (
        {path.name for path in run.folder.iterdir()} for run in (disturbed, undisturbed)
    )
    assert left == expected, "nothing half-written"


def arrays_in(path: Path) -> dict[str, Any]:
    """Everything that an HDF5 file holds."""
    arrays: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: arrays.update({name: item[()]} if hasattr(item, "dtype") else {})
        )
    return arrays


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


# ---- What is on the disk at a moment -----------------------------------------------------------


class Killed(BaseException):
    """Goes through everything that stops for errors or Ctrl-C."""


def killed_at(kind: type[Event]) -> Subscriber:
    """Kills the training at its first event of a kind, after the run's own files are written."""

    def kill(event: Event) -> None:
        if isinstance(event, kind):
            raise Killed

    return kill


def test_without_an_evaluation_the_last_checkpoint_is_seconds_old(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4)
    with pytest.raises(Killed):  # when weights are kept for the first time, after 250 s
        steps.train(dataset, tmp_path / "run", steps=1000, on_event=killed_at(Evaluated))
    lost = 500 - Checkpoint.load(tmp_path / "run/checkpoint.npz").step
    assert 0 < lost * steps.seconds <= 30


def test_a_run_that_was_killed_before_its_first_step_goes_on(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset, run = squares.dataset(train=4), Run(tmp_path / "run")
    with pytest.raises(Killed):
        steps.train(dataset, run.folder, steps=3, on_event=killed_at(Started))
    assert Checkpoint.load(run.checkpoint).step == 0
    _, listener = steps.train(dataset, run.folder, resume=True)
    assert [report.step for report in listener.reports] == [1, 2, 3]


@pytest.mark.parametrize("again", [{"resume": True}, {"steps": 3}])
def test_a_run_killed_after_its_first_checkpoint_continues_or_begins_anew(
    again: dict[str, Any], steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    """For some milliseconds the checkpoint is there, and description and weights are not."""
    dataset, run = squares.dataset(train=4), Run(tmp_path / "run")
    with pytest.raises(Killed):
        steps.train(dataset, run.folder, steps=3, on_event=killed_at(CheckpointDue))
    assert run.checkpoint.is_file()
    assert not run.exists()
    outcome, _ = steps.train(dataset, run.folder, **again)
    assert (outcome.step, run.artifact.classes) == (3, dataset.classes)
    run.build_model()


# ---- Numbers that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "step", "good"),
    [
        pytest.param("broken_at", 9, 9, id="the loss of the last step"),
        pytest.param("broken_at", 5, 5, id="the loss after an evaluation"),
        pytest.param("broken_after", 9, 9, id="weights after the last step, whose loss was one"),
        pytest.param("broken_after", 4, 3, id="weights after a step that is evaluated"),
        pytest.param("broken_after", 5, 5, id="weights between two evaluations"),
    ],
)
def test_weights_that_are_no_numbers_are_never_kept(
    where: str,
    step: int,
    good: int,
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
) -> None:
    setattr(steps, where, step)
    dataset, run = squares.dataset(train=4, val=1), Run(tmp_path / "run")
    with pytest.raises(TrainingError) as caught:
        steps.train(dataset, run.folder, steps=10)
    assert caught.value.code == "BW303"
    assert all(name in caught.value.message for name in dataset.split("train").names)
    assert Checkpoint.load(run.checkpoint).step == run.artifact.provenance["step"] == good


# ---- The folder --------------------------------------------------------------------------------


def test_two_trainings_do_not_write_into_one_folder(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset, run = squares.dataset(train=4), Run(tmp_path / "run")
    with locked(run.lock):
        with pytest.raises(TrainingError) as caught:
            steps.train(dataset, run.folder, steps=3)
        assert [path.name for path in run.folder.iterdir()] == [".lock"]
    assert (caught.value.code, caught.value.where) == ("BW309", str(run.folder))
    assert f"process {os.getpid()}" in caught.value.message
    steps.train(dataset, run.folder, steps=3)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_done(
    squares: Squares, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    absent = Dataset.of(squares.root, [squares.image(drawn=False)])  # to decode it would fail
    with pytest.raises(SystemFaultError) as caught:
        loop.train(absent, out=tmp_path / "file/run", weights=None, steps=3)
    assert caught.value.code == "BW903"


# ---- Other options -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", 3, "with --seed 0 and cannot continue with --seed 3"),
        ("--input-size", 96, "with --input-size 64 and cannot continue with --input-size 96"),
        ("--weights", "a.tflite", "without --weights and cannot continue with --weights a.tflite"),
        ("--deterministic", True, "without --deterministic and cannot continue with --determ"),
        ("--depth-multiplier", 0.5, "with --depth-multiplier 0.1 and cannot continue with"),
        ("--model", "ssd", "with --model centers and cannot continue with --model ssd"),
        ("--model", "centers", None),
        ("--seed", 0, None),
        ("--from-scratch", True, None),
        ("--weights", None, None),
    ],
)
def test_options_beside_resume_must_be_those_of_the_run(
    option: str,
    value: Any,
    said: str | None,
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
) -> None:
    outcome, _ = steps.train(squares.dataset(train=4), tmp_path / "run", steps=1)
    with nullcontext() if said is None else pytest.raises(TrainingError, match=said) as caught:
        check_options(outcome.run, {option: value})
    if caught:
        assert caught.value.code == "BW310"
        assert f"Remove {option}" in caught.value.remedy


def test_where_there_is_no_run_others_say_so(tmp_path: Path) -> None:
    check_options(Run(tmp_path), {"--seed": 3})
