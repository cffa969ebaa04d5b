"""Rungs that need a run: its weights, and whether its recipe can learn."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.api import load, write
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading
from boxwright.diagnosis.registry import RUNGS
from boxwright.diagnosis.rungs.overfit import differences, learned
from boxwright.diagnosis.starts import StartOfRun, few
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.loop import train
from boxwright.training.recipe import recipe_for
from eagerly import op_by_op
from squares import Squares

pytestmark = pytest.mark.slow
STEPS = 40


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, centers: None) -> Path:
    """A run of a few steps on squares."""
    root = tmp_path_factory.mktemp("run")
    write(Squares(root / "drawn").dataset(train=12, val=4), root / "squares", "voc")
    dataset = load(root / "squares")
    with op_by_op():
        train(dataset, out=root / "run", weights=None, model="centers", steps=2, input_size=64)
    return root / "run"


def case_of(run: Path) -> Case:
    return Case.of(run, Detector.load(run), None)


def read(rung: str, run: Path) -> Reading:
    return RUNGS[rung].read(case_of(run))


def spoil(values: np.ndarray) -> np.ndarray:
    values.ravel()[0] = np.nan
    return values


def other(values: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, values.shape)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (spoil, "weights are not numbers"),
        (other, "the weights are not those of the run"),
        (lambda values: values, ""),
    ],
    ids=["NaN", "other", "same"],
)
def test_changed_weights_are_named(
    change: Callable[[Any], Any], cause: str, run: Path, tmp_path: Path
) -> None:
    copy = Run(shutil.copytree(run, tmp_path / "copy"))
    model = copy.build_model()
    model.network.set_weights([change(each) for each in model.network.get_weights()])
    copy.save(copy.artifact, model)
    reading = read("weights", copy.folder)
    assert reading.cause == cause
    assert reading.found == "it was trained from scratch" or cause


def test_a_run_of_two_steps_was_trained_too_little(run: Path) -> None:
    reading = read("training", run)
    assert reading.cause == "trained too little"
    assert reading.found.endswith("on 12 training images after 2 steps")


def test_four_images_are_learned_unless_layers_are_frozen(run: Path) -> None:
    case = case_of(run)
    assert case.training
    recipe = recipe_for(case.training, pretrained=False, steps=9, input_size=64, model="centers")
    images, start = few(case.training), StartOfRun(Run(run), recipe)
    assert len(images) == 4
    frozen = replace(recipe, frozen_names=(".",))
    free, fixed = (learned(start, each, images, STEPS).ap50 for each in (recipe, frozen))
    assert free > 0.3
    assert fixed < 0.1
    fast = replace(frozen, learning_rate=BudgetCosine(1.0))
    assert [*differences(fast, recipe)] == [
        "learning_rate.peak is 1, not 0.01",
        "learning_rate.warmup_steps is 20, not 50",
        "frozen_names is ., not none",
    ]
