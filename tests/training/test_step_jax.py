"""JAX: the same three steps as TensorFlow's, and a run that TensorFlow detects with.

Keras is on one engine in a process, so others are asked.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.augment.transforms import Transform
from boxwright.errors import DetectorError
from boxwright.export.child import export_in_child
from boxwright.export.export import export
from boxwright.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="jax is not installed: boxwright[jax]"
    ),
]
PROGRAM = Path(__file__).with_name("steps_of_engines.py")
VERIFIED = ((1, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))  # as in PROGRAM
UNKNOWN = ("varifocal", "nanodet", "faithful")
RECIPES = ("varifocal", "rounded", "nanodet", "faithful")
QUICK = (  # to compile
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
)

Arrays = dict[str, NDArray[Any]]


def on(engine: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Python with these arguments in a process of that engine."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "XLA_FLAGS": " ".join(QUICK), "KERAS_BACKEND": engine},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- Steps ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arrays, Arrays]:
    """Of `steps_of_engines.py` on TensorFlow, and on JAX."""
    folder = tmp_path_factory.mktemp("steps")
    engines = [(folder / f"{name}.npz", name) for name in ("tensorflow", "jax")]
    for process in [on(engine, PROGRAM, path) for path, engine in engines]:
        _, complained = process.communicate()
        assert process.returncode == 0, complained
    one, other = (dict(np.load(path)) for path, _ in engines)
    return one, other


@pytest.mark.parametrize("recipe", RECIPES)
def test_losses_are_those_of_tensorflow(recipe: str, steps: tuple[Arrays, Arrays]) -> None:
    for number in range(3):
        one, other = (arrays[f"{recipe}/{number}/loss"] for arrays in steps)
        np.testing.assert_allclose(other, one, rtol=1e-4)


@pytest.mark.parametrize("recipe", RECIPES)
def test_gradients_and_all_that_follows_are_those_of_tensorflow(
    recipe: str, steps: tuple[Arrays, Arrays]
) -> None:
    """The optimiser's slots hold the gradients; then there are averages, weights, statistics and
    ranges. What differs is under 1e-4 of the whole kind's norm."""
    tensorflow, jax = steps
    assert tensorflow.keys() == jax.keys()
    kinds: dict[tuple[str, str], list[str]] = {}
    for name in tensorflow:
        own, number, kind, *rest = name.split("/")
        if own == recipe and kind != "loss" and number != "verified":
            kinds.setdefault((number, rest[-1] if kind == "weight" else kind), []).append(name)
    assert {"average", "kernel", "moving_variance"} < {kind for _, kind in kinds}
    for kind, names in kinds.items():
        one, other = (np.concatenate([a[n].ravel() for n in names]) for a in steps)
        error, norm = np.linalg.norm(other - one), np.linalg.norm(one)
        assert error <= 1e-4 * norm, f"{kind}: {error} of {norm}"


@pytest.mark.parametrize("recipe", RECIPES)
def test_they_did_change(recipe: str, steps: tuple[Arrays, Arrays]) -> None:
    for arrays in steps:
        first, last = (arrays[f"{recipe}/{number}/average/0"] for number in (0, 2))
        assert np.abs(last - first).max() > 1e-6


def test_every_transform_is_that_of_tensorflow(steps: tuple[Arrays, Arrays]) -> None:
    tensorflow, jax = steps
    tried = {name.partition("/")[0] for name in tensorflow if "/augmented/" in name}
    assert {kind.__name__ for kind in get_args(Transform)} < tried
    tolerance = {"images": 0.01, "boxes": 1e-6, "labels": 0, "weights": 0}
    for name in tried:
        for part, atol in tolerance.items():
            one, other = (arrays[f"{name}/augmented/{part}"] for arrays in (tensorflow, jax))
            np.testing.assert_allclose(other, one, rtol=0, atol=atol, err_msg=f"{name}: {part}")


# ---- Classes that nobody looked for --------------------------------------------------------------


@pytest.mark.parametrize("recipe", UNKNOWN)
def test_unknown_classes_cost_nothing_and_are_not_learned(
    recipe: str, steps: tuple[Arrays, Arrays]
) -> None:
    unknown = np.array(VERIFIED) == 0
    shown = slice(3)  # the last image has no object, so that no anchor of it may be mined
    for arrays in steps:
        parts = {
            name.removeprefix(f"{recipe}/verified/"): value
            for name, value in arrays.items()
            if name.startswith(f"{recipe}/verified/")
        }
        assert parts["unknown/loss"] == parts["moved/loss"] < parts["known/loss"]
        learned = {
            name: np.abs(parts[f"{name}/gradient"]).sum(axis=1) > 0 for name in ("unknown", "known")
        }
        assert not learned["unknown"][unknown].any()
        assert learned["unknown"][shown][~unknown[shown]].all()
        assert learned["known"][shown].all()
        assert np.array_equal(parts["known/gradient"], parts["absent/gradient"])
        assert parts["known/loss"] == parts["absent/loss"]
        if recipe == "faithful":
            background = (np.abs(parts[f"{name}/background"]).sum() for name in learned)
            assert next(background) < next(background)


@pytest.mark.parametrize("recipe", UNKNOWN)
def test_the_gradients_of_known_classes_are_those_of_tensorflow(
    recipe: str, steps: tuple[Arrays, Arrays]
) -> None:
    for part in ("unknown/gradient", "known/gradient"):
        one, other = (arrays[f"{recipe}/verified/{part}"] for arrays in steps)
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-6)


# ---- A run ---------------------------------------------------------------------------------------


def test_a_run_on_jax_is_one_for_tensorflow(voc_folder: VocFolder, tmp_path: Path) -> None:
    """It is judged and exported where it was trained; the proof of that is TensorFlow's, which
    detects with the run and with the file."""
    for i in range(6):
        voc_folder.pair(f"photo{i}")
    data, run = voc_folder.root, tmp_path / "run"
    process = on("jax", PROGRAM.with_name("run_on_jax.py"), data, run)
    said, complained = process.communicate()
    assert said == "jax 2 True detector.tflite\n", complained
    assert complained == ""
    assert Checkpoint.load(run / "checkpoint.npz").step == 2


def test_what_goes_wrong_in_the_child_is_what_goes_wrong(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as caught:
        export_in_child(print, run=tmp_path / "no run")
    with pytest.raises(DetectorError) as known:
        export(tmp_path / "no run")
    assert vars(caught.value) == vars(known.value)
