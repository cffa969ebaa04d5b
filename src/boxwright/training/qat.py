"""A minute of training that rounds: weights that lose less where a file has 8 bits."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxwright.backend import framework
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.models import ssd
from boxwright.models.layers.quantized import is_range
from boxwright.structures.dataset import Dataset
from boxwright.training.cache import Cache
from boxwright.training.config import Quantisation
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.loop import follow
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.reporter import Reporter, Silent
from boxwright.training.start import Start, bits_of, built
from boxwright.training.validation import photos_to_cache

SECONDS = 60.0
PEAK = 2e-4  # of the learning rate: the weights are good already, and only move between steps


def trained_for_rounding(
    model: Any,
    artifact: Artifact,
    dataset: Dataset,
    *,
    seconds: float | None = SECONDS,
    steps: int | None = None,
    reporter: Reporter | None = None,
) -> Any:
    """Train a copy of `model` further, its kernels and maps rounded as TFLite's files of 8 bits
    round them: kernels by channel, symmetric around zero.

    Args:
        model: Keras model of `models.ssd.build`, of floats.
        artifact: of its run.
        dataset: photos; those for testing are not looked at.
        seconds, steps: how long.
        reporter: told what happens.

    Returns:
        A model of floats like `model`.

    Raises:
        TrainingError: as `loop.train`.
    """
    spec = ssd.ModelSpec.from_json(artifact.model)
    photos = photos_to_cache(dataset)
    recipe = recipe_for(
        photos, pretrained=True, seconds=seconds, steps=steps, input_size=spec.input_size
    )
    recipe = replace(
        recipe,
        quantisation=Quantisation(by_channel=True),
        learning_rate=BudgetCosine(PEAK),
        held_out=0.0,
        reasons={},
    )

    def begin(recipe: Recipe, precision: str, photos: Cache) -> Start:
        rounding = replace(spec, bits=bits_of(recipe))
        copy = built(rounding, recipe, precision)
        copy_weights(model, copy)
        return Start(copy, rounding, artifact.preprocessing, "the run", precision)

    with tempfile.TemporaryDirectory(prefix="boxwright-", ignore_cleanup_errors=True) as scratch:
        run = Run(Path(scratch) / "run")
        follow(recipe, photos, run, begin, reporter=reporter or Silent(), started=time.monotonic())
        trained = ssd.build(spec)
        copy_weights(run.build_model(), trained)
    return trained


def copy_weights(source: Any, target: Any) -> None:
    """The weights of a network for one of the same layers that rounds, or does not."""
    for layer in target.layers:
        own = [variable for variable in layer.weights if not is_range(variable)]
        values = [v for v in source.get_layer(layer.name).weights if not is_range(v)]
        for variable, value in zip(own, values, strict=True):
            variable.assign(framework.keras().ops.convert_to_tensor(value))
