"""Quantization-aware training (QAT) for a minute, so that int8 files lose less accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from boxwright.augment.transforms import Transform
from boxwright.backend import framework
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.inference.tiling import Tiling
from boxwright.io.scratch import scratch_folder
from boxwright.models.layers.quantized import is_range
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset
from boxwright.training.cache import Cache
from boxwright.training.config import Quantization
from boxwright.training.data import images_to_cache
from boxwright.training.events import Subscriber
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.loop import train_by_recipe
from boxwright.training.preparation import Plan
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.settings import AUGMENTATION, SET
from boxwright.training.start import Start, built, quantization_spec_of

SECONDS = 60.0
PEAK = 2e-4  # learning rate: trained weights need only small changes


def train_quantization_aware(
    model: DetectionModel,
    artifact: Artifact,
    dataset: Dataset,
    *,
    seconds: float | None = SECONDS,
    steps: int | None = None,
    on_event: Subscriber | Sequence[Subscriber] = (),
) -> DetectionModel:
    """Fine-tune a copy of `model` with kernels and feature maps quantized as in TFLite's int8
    files: kernels per channel, symmetric around zero.

    Args:
        model: a float model of a family that is `quantization_aware`.
        artifact: the artifact of its run.
        dataset: images; test images are not used.
        seconds, steps: the budget.
        on_event: as in `loop.train`.

    Returns:
        A float model like `model`.

    Raises:
        TrainingError: as `loop.train`.
    """
    spec = model.spec
    images = images_to_cache(dataset)
    recipe = recipe_for(
        images,
        pretrained=True,
        seconds=seconds,
        steps=steps,
        input_size=spec.input_size,
        tile=tile_of(artifact),
        model=model.family,
    )
    recipe = replace(
        recipe,
        quantization=Quantization(by_channel=True),
        learning_rate=BudgetCosine(PEAK),
        held_out=0.0,
        augmentation=set_augmentation(artifact) or recipe.augmentation,
        reasons={},
    )

    def begin(recipe: Recipe, precision: str, images: Cache) -> Start:
        quantized = replace(spec, quantization=quantization_spec_of(recipe))
        copy = built(type(model), quantized, recipe, precision)
        copy_weights(model.network, copy.network)
        return Start(copy, artifact.preprocessing, "the run", precision)

    with scratch_folder() as scratch:
        run = Run(scratch / "run")
        train_by_recipe(Plan(recipe, images, run, begin, dataset.root), on_event=on_event)
        trained = model.build(spec)
        copy_weights(run.build_model().network, trained.network)
    return trained


def tile_of(artifact: Artifact) -> tuple[int, int] | None:
    """Return the tiles that the artifact's run has learned from."""
    tiling = Tiling.trained(artifact)
    return (tiling.height, tiling.width) if tiling else None


def set_augmentation(artifact: Artifact) -> tuple[Transform, ...]:
    """Return the augmentation of the artifact's run if the user has set some of it; it applies to
    the same images here."""
    trained = Recipe.from_json(artifact.provenance.get("recipe", {"input_size": 0}))
    own = [path for path, why in trained.reasons.items() if why == SET]
    return trained.augmentation if any(path.startswith(AUGMENTATION) for path in own) else ()


def copy_weights(source: Any, target: Any) -> None:
    """Copy weights between a float network and a quantized one with the same layers."""
    for layer in target.layers:
        own = [variable for variable in layer.weights if not is_range(variable)]
        values = [v for v in source.get_layer(layer.name).weights if not is_range(v)]
        for variable, value in zip(own, values, strict=True):
            variable.assign(framework.keras().ops.convert_to_tensor(value))
