"""Checkpoints: what is written is read bit for bit, and anything else is refused."""

from __future__ import annotations

import errno
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.errors import SystemFaultError, TrainingError
from boxwright.training.checkpoint import RESTART_SECONDS, Checkpoint
from boxwright.training.recipe import Recipe

pytestmark = pytest.mark.tiny

ODD = np.array([0.1, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38], np.float32)
ARRAYS = {
    "average/0": ODD,
    "Adam/0": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "weight/0": np.float32(7).reshape(()),
    "weight/1": np.zeros((0, 3), np.float32),
    "weight/10": ODD[::-1],
    **{f"weight/{i}": np.full(3, i, np.float32) for i in range(2, 10)},
}


def stopped(**changes: Any) -> Checkpoint:
    """A run stopped after 7 of 12 steps."""
    run = Checkpoint(
        step=7,
        fraction=7 / 12,
        seconds=31.4,
        best_ap=0.1 + 0.2,
        best_step=5,
        recipe=Recipe(96, steps=12, reasons={"input_size": "asked for"}).to_json(),
        precision="float32",
        fingerprint="0123456789abcdef",
        arrays=ARRAYS,
    )
    return replace(run, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


def test_round_trip_bit_for_bit(path: Path) -> None:
    before = stopped()
    before.save(path)
    after = Checkpoint.load(path)
    assert replace(after, arrays={}, recipe={}) == replace(before, arrays={}, recipe={})
    assert Recipe.from_json(after.recipe) == Recipe.from_json(before.recipe)
    assert after.arrays.keys() == before.arrays.keys()
    for name, array in before.arrays.items():
        read = after.arrays[name]
        assert (read.dtype, read.shape, read.tobytes()) == (
            array.dtype,
            array.shape,
            array.tobytes(),
        )


def test_weights_come_in_the_models_order(path: Path) -> None:
    stopped().save(path)
    weights = Checkpoint.load(path).weights
    assert len(weights) == 11
    assert [int(w[0]) for w in weights[2:10]] == list(range(2, 10))
    np.testing.assert_array_equal(weights[10], ODD[::-1])


# ---- Damage ------------------------------------------------------------------------------------


def refused(path: Path) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        Checkpoint.load(path)
    assert caught.value.code == "BW305"
    assert caught.value.where == str(path)
    return caught.value


def test_nothing_to_resume_from(path: Path) -> None:
    assert refused(path).message == "there is no checkpoint to resume from."


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not a checkpoint", b"\x93NUMPY\x01\x00", b"\x80\x04K\x01.", bytes(1000)],
    ids=["empty", "two bytes", "text", "a cut .npy", "a pickle", "zeros"],
)
def test_another_kind_of_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is damaged" in refused(path).message


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_file_cut_off(path: Path, part: float) -> None:
    stopped().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    refused(path)


def test_a_byte_turned_over_is_noticed_wherever_it_matters(path: Path) -> None:
    arrays = {"weight/0": ODD, "weight/1": np.arange(9, dtype=np.float32)}
    stopped(arrays=arrays).save(path)
    content = path.read_bytes()
    refusals = 0
    for place in range(0, len(content), 5):
        damaged = bytearray(content)
        damaged[place] ^= 255
        path.write_bytes(damaged)
        try:
            read = Checkpoint.load(path)
        except TrainingError as error:
            refusals += error.code == "BW305"
        else:
            assert (read.step, read.seconds) == (7, 31.4)
            assert [w.tobytes() for w in read.weights] == [w.tobytes() for w in arrays.values()]
    assert refusals > len(content) / 5 / 2


def test_an_archive_of_something_else(path: Path) -> None:
    np.savez(path, weights=ODD)
    refused(path)


def test_a_description_that_lacks_something(path: Path) -> None:
    np.savez(path, description=np.frombuffer(b'{"step": 7}', np.uint8), **ARRAYS)
    refused(path)


def test_a_folder_of_that_name(path: Path) -> None:
    path.mkdir()
    refused(path)


def test_nothing_in_it_is_unpickled(path: Path) -> None:
    stopped(arrays={"weight/0": np.array([{"a": 1}], object)}).save(path)
    with zipfile.ZipFile(path) as archive:
        assert "weight/0.npy" in archive.namelist()
    refused(path)


def test_a_full_disk_leaves_the_earlier_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, **_: Any) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    stopped(step=5).save(path)
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SystemFaultError) as caught:
        stopped(step=9).save(path)
    assert caught.value.code == "BW902"
    assert Checkpoint.load(path).step == 5
    assert list(path.parent.iterdir()) == [path], "no half-written file is left"


# ---- Going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "seconds", "steps", "after"),
    [
        pytest.param((None, 12), None, None, (None, 12), id="the steps it had"),
        pytest.param((None, 12), None, 20, (None, 20), id="more steps"),
        pytest.param((None, 12), 90.0, None, (90.0, None), id="from now on by time"),
        pytest.param((60.0, None), None, None, (28.6 + RESTART_SECONDS, None), id="time left"),
        pytest.param((30.0, None), None, None, (RESTART_SECONDS, None), id="no time left"),
        pytest.param((60.0, None), 120.0, None, (120.0, None), id="more time"),
        pytest.param((60.0, None), None, 20, (None, 20), id="from now on by steps"),
    ],
)
def test_the_budget_that_is_left(
    before: tuple[float | None, int | None],
    seconds: float | None,
    steps: int | None,
    after: tuple[float | None, int | None],
) -> None:
    recipe = Recipe(96, seconds=before[0], steps=before[1], seed=3)
    left = stopped(recipe=recipe.to_json()).remaining_recipe(seconds, steps)
    assert (left.seconds, left.steps) == (pytest.approx(after[0]), after[1])
    assert replace(left, seconds=None, steps=None) == replace(recipe, seconds=None, steps=None)


def test_a_budget_that_has_become_a_plan_goes_on_as_planned() -> None:
    recipe = Recipe(96, seconds=60.0)
    run = stopped(recipe=recipe.to_json(), schedule={"plan": [[0, 0.0], [321, 1.0]]})
    assert run.remaining_recipe(None, None) == replace(recipe, seconds=None, steps=321)
    assert run.remaining_recipe(90.0, None) == replace(recipe, seconds=90.0, steps=None)


def test_a_finished_run_does_not_go_on() -> None:
    with pytest.raises(TrainingError, match="all 12 steps") as caught:
        stopped(step=12, fraction=1.0).remaining_recipe(None, None)
    assert caught.value.code == "BW307"


def test_a_run_by_steps_alone_does_not_go_on_by_time() -> None:
    recipe = Recipe(96, steps=12, deterministic=True)
    run = stopped(recipe=recipe.to_json())
    assert run.remaining_recipe(None, 20).steps == 20
    with pytest.raises(TrainingError, match="a number of steps, not a time") as caught:
        run.remaining_recipe(60.0, None)
    assert caught.value.code == "BW310"


def test_a_run_goes_on_with_the_same_data_only() -> None:
    stopped().check_data("0123456789abcdef", Path("run"))
    with pytest.raises(TrainingError, match="have changed") as caught:
        stopped().check_data("fedcba9876543210", Path("run"))
    assert caught.value.code == "BW306"
