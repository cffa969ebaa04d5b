"""The model that training starts from: built, given pretrained weights, ready to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.data.preprocessing import Preprocessing
from boxwright.models import framework, ssd, weights, zoo
from boxwright.models.norm import ConvNorm
from boxwright.models.ssd import ModelSpec
from boxwright.models.statistics import estimate_statistics
from boxwright.runtime.artifact import Artifact
from boxwright.training.cache import Cache
from boxwright.training.choosing import Jury
from boxwright.training.head_start import HeadStart, apply_head_start, find_head_start
from boxwright.training.recipe import Recipe

keras: Any = framework.keras()

PROBE_PHOTOS = 48  # for the head start
STATISTICS_PHOTOS = 8  # each gives thousands of values per channel


@dataclass(frozen=True)
class Start:
    """A model ready to learn.

    Attributes:
        model: the network in the precision to train in.
        spec: what it is.
        preprocessing: what its input expects.
        origin: where its weights come from, for people.
        head_starts: where its class head starts from.
        probe: labelled photos to judge it on before training; None where that says nothing.
    """

    model: Any
    spec: ModelSpec
    preprocessing: Preprocessing
    origin: str
    head_starts: tuple[HeadStart, ...] = ()
    probe: Jury | None = None


def from_scratch(recipe: Recipe, classes: Sequence[str], precision: str) -> Start:
    """A network that knows nothing yet; its anchors have the pixel sizes of the published one,
    so that they stand as close to each other as there."""
    spec = ModelSpec(len(classes), recipe.depth_multiplier or 1.0).resized(recipe.input_size)
    model = _built(spec, recipe, precision)
    return Start(model, spec, Preprocessing(recipe.input_size), "from scratch")


def from_weights(
    path: str | Path, recipe: Recipe, classes: tuple[str, ...], precision: str, photos: Cache
) -> Start:
    """A pretrained network, its batch norm folded, its new class head not starting from nothing.

    Args:
        path: the pretrained file.
        recipe: what trains and at which input size; pretrained anchors keep their pixel size.
        classes: the new classes' names.
        precision: Keras dtype policy to train in.
        photos: photos to train on, of which some are looked at.
    """
    pretrained = weights.read_pretrained(path)
    spec = replace(pretrained.spec.resized(recipe.input_size), num_classes=len(classes))
    preprocessing = replace(pretrained.preprocessing, size=recipe.input_size)
    model = _built(spec, recipe, precision)
    report = weights.load(model, pretrained)
    sample = np.random.default_rng(recipe.seed).permutation(len(photos))[:PROBE_PHOTOS]
    pixels, boxes, labels = photos.batch(sample)
    pixels = np.stack([preprocessing.resize(photo) for photo in pixels])
    images = pixels.astype(np.float32) * preprocessing.scale + preprocessing.offset
    if not pretrained.statistics_known:
        estimate_statistics(model, images[:STATISTICS_PHOTOS])
    if not recipe.train_norm:
        for layer in _conv_norms(model):
            layer.absorb_scale()
    head_starts = find_head_start(
        model,
        pretrained,
        images,
        boxes,
        labels,
        ssd.anchors(spec),
        classes,
    )
    apply_head_start(model, pretrained, head_starts, classes)
    probe = Jury(photos.dataset.select(sample), pixels, preprocessing)
    origin = f"{zoo.title(Path(path))}: {report}"
    return Start(model, spec, preprocessing, origin, tuple(head_starts), probe)


def from_checkpoint(
    artifact: Artifact, recipe: Recipe, precision: str, values: Sequence[NDArray[np.float32]]
) -> Start:
    """The model of a stopped run; `values` are its weights in the model's order."""
    spec = ModelSpec.from_json(artifact.model)
    model = _built(spec, recipe, precision)
    model.set_weights(values)
    for layer in _conv_norms(model):
        layer.scale_is_one = not recipe.train_norm
    return Start(model, spec, artifact.preprocessing, "the stopped run")


def trained_variables(model: Any, recipe: Recipe) -> list[Any]:
    """What the recipe trains, in the model's order."""
    variables: list[Any] = []
    for layer in model.layers:
        if not layer.trainable:
            continue
        if not isinstance(layer, ConvNorm):
            variables += layer.trainable_variables
            continue
        if recipe.train_depthwise or not layer.depthwise:
            variables.append(layer.kernel)
        if recipe.train_norm:
            variables.append(layer.gamma)
        variables.append(layer.beta)
    return variables


def statistics_of(model: Any, recipe: Recipe) -> list[Any]:
    """Variables that batch norm changes by itself while training."""
    if not recipe.train_norm:
        return []
    return [
        variable
        for layer in _conv_norms(model)
        for variable in (layer.moving_mean, layer.moving_variance)
    ]


def _built(spec: ModelSpec, recipe: Recipe, precision: str) -> Any:
    keras.utils.set_random_seed(recipe.seed)  # of the layers' first weights
    model = ssd.build(spec, precision=precision, frozen_through=recipe.frozen_through)
    for layer in _conv_norms(model):
        layer.norm_frozen = not recipe.train_norm
    return model


def _conv_norms(model: Any) -> list[ConvNorm]:
    return [layer for layer in model.layers if isinstance(layer, ConvNorm)]
