"""The model that training starts from: built, with pretrained weights, ready to train."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import TrainingError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.quantized import QuantizationSpec, ranges
from boxwright.models.model import DetectionModel, Truth
from boxwright.models.registry import family, restored
from boxwright.models.weights import zoo
from boxwright.models.weights.statistics import estimate_statistics
from boxwright.training.cache import Cache
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.config import LayerGroupValues
from boxwright.training.recipe import Recipe
from boxwright.training.validation import ValidationSet

keras: Any = framework.keras()

PROBE_IMAGES = 48  # for the class head initialization
STATISTICS_IMAGES = 8  # each gives thousands of values per channel


@dataclass(frozen=True)
class Start:
    """A model ready to train.

    Attributes:
        model: the detector, its network in the precision to train in.
        preprocessing: preprocessing of its input.
        origin: a text on the origin of its weights.
        precision: Keras dtype policy of the network.
        weights: the name of the pretrained file, if there was one.
        class_head_inits: texts on the initialization of its class head.
        probe: labeled images to compare a poor result with the start on; None from scratch.
        checkpoint: the checkpoint of a resumed run.
    """

    model: DetectionModel
    preprocessing: Preprocessing
    origin: str
    precision: str
    weights: str | None = None
    class_head_inits: tuple[object, ...] = ()
    probe: ValidationSet | None = None
    checkpoint: Checkpoint | None = None


def from_scratch(recipe: Recipe, classes: Sequence[str], precision: str) -> Start:
    """Return an untrained network."""
    kind = family(recipe.model)
    spec = kind.spec_for(
        len(classes),
        recipe.input_size,
        depth_multiplier=recipe.depth_multiplier,
        objective=recipe.objective,
        quantization=quantization_spec_of(recipe),
    )
    model = built(kind, spec, recipe, precision)
    return Start(model, Preprocessing(recipe.input_size), "from scratch", precision)


def from_weights(
    path: str | Path, recipe: Recipe, classes: tuple[str, ...], precision: str, cache: Cache
) -> Start:
    """Return a pretrained network with folded batch norm and an initialized class head.

    Args:
        path: the pretrained file.
        recipe: the recipe.
        classes: the new classes' names.
        precision: Keras dtype policy to train in.
        cache: the training images; some are used for initialization.

    Raises:
        WeightsError: the file cannot be used; BW207 the family has no weights.
    """
    kind = family(recipe.model)
    pretrained = kind.read_pretrained(path)
    spec = kind.spec_for(
        len(classes),
        recipe.input_size,
        objective=recipe.objective,
        quantization=quantization_spec_of(recipe),
        like=pretrained.spec,
    )
    preprocessing = replace(pretrained.preprocessing, size=recipe.input_size)
    model = built(kind, spec, recipe, precision)
    report = model.load(pretrained)
    sample = np.random.default_rng(recipe.seed).permutation(len(cache))[:PROBE_IMAGES]
    pixels, boxes, labels = cache.batch(sample)
    pixels = np.stack([preprocessing.resize(image) for image in pixels])
    images = pixels.astype(np.float32) * preprocessing.scale + preprocessing.offset
    if not (pretrained.statistics_known or _absorbed(recipe)):  # an absorbed norm needs none
        estimate_statistics(model.network, images[:STATISTICS_IMAGES])
    if _absorbed(recipe):
        for layer in _conv_norms(model):
            layer.absorb_scale()
    class_head_inits: Sequence[object] = ()
    if recipe.class_head_init:
        truth = Truth(boxes, labels, np.ones(labels.shape, np.float32))
        class_head_inits = model.start_classes(pretrained, images, truth, classes)
    probe = ValidationSet(cache.dataset.select(sample), pixels, preprocessing)
    title = zoo.title(Path(path))
    origin = f"{title}: {report}"
    return Start(model, preprocessing, origin, precision, title, tuple(class_head_inits), probe)


def from_checkpoint(artifact: Artifact, recipe: Recipe, checkpoint: Checkpoint) -> Start:
    """Return the model of a stopped run, in its original precision."""
    start = from_run(artifact, recipe, checkpoint.weights, checkpoint.precision)
    return replace(start, origin="the stopped run", checkpoint=checkpoint)


def from_run(
    artifact: Artifact, recipe: Recipe, weights: Sequence[NDArray[Any]], precision: str
) -> Start:
    """Return the model of a run with the given weights, to be trained on by its recipe.

    Raises:
        TrainingError: BW305 the weights are of another network.
    """
    model = built(*restored(artifact.model), recipe, precision)
    try:
        model.network.set_weights(weights)
    except ValueError as error:
        raise TrainingError("BW305", "the weights do not fit the network.") from error
    for layer in _conv_norms(model):
        layer.scale_is_one = _absorbed(recipe) and not layer.shares_kernel
    return Start(
        model,
        artifact.preprocessing,
        "the weights of a run",
        precision,
        artifact.provenance.get("weights"),
    )


def trained_variables(model: DetectionModel, recipe: Recipe) -> list[Any]:
    """Return the variables that the recipe trains, in the model's order."""
    fixed = _fixed(model, recipe)
    variables: list[Any] = []
    for layer in model.network.layers:
        if not layer.trainable:
            continue
        if not isinstance(layer, ConvNorm):
            variables += layer.trainable_variables
            continue
        if recipe.train_depthwise or not layer.depthwise:
            variables.append(layer.kernel)
        if layer.spec.scale and not _absorbed(recipe):
            variables.append(layer.gamma)
        if layer.spec.center:
            variables.append(layer.beta)
    once = {id(variable): variable for variable in variables}  # a kernel may be of several layers
    return [variable for key, variable in once.items() if key not in fixed]


def named_slots(
    model: DetectionModel, trained: Sequence[Any], slots: Mapping[str, Sequence[NDArray[Any]]]
) -> dict[str, NDArray[Any]]:
    """Return slots of all trained variables by their checkpoint names: `VARIABLE/SLOT`."""
    names = {id(variable): name for name, variable in model.named_variables().items()}
    return {
        f"{names[id(variable)]}/{slot}": value
        for slot, values in slots.items()
        for variable, value in zip(trained, values, strict=True)
    }


def regularized_kernels(model: DetectionModel, recipe: Recipe) -> list[tuple[Any, float, float]]:
    """Return every kernel that the recipe regularizes, frozen ones included, with its weights of
    L2 and L1."""
    weights = {
        id(layer.kernel): (
            layer.kernel,
            _by_layer_group(recipe.l2, model, layer),
            _by_layer_group(recipe.l1, model, layer),
        )
        for layer in model.network.layers
        if hasattr(layer, "kernel") and getattr(layer, "regularized", True)
    }
    return [(kernel, l2, l1) for kernel, l2, l1 in weights.values() if l2 or l1]


def statistics_of(model: DetectionModel, recipe: Recipe) -> list[Any]:
    """Return variables that change without gradients: batch norm statistics, then ranges."""
    moving = [
        variable
        for layer in _conv_norms(model)
        for variable in (layer.moving_mean, layer.moving_variance)
    ]
    return (moving if recipe.train_norm else []) + ranges(model.network)


def quantization_spec_of(recipe: Recipe) -> QuantizationSpec | None:
    """Return the quantization part of the recipe's `ModelSpec`."""
    how = recipe.quantization
    return (
        None
        if how is None
        else QuantizationSpec(how.weight_bits, how.activation_bits, how.by_channel)
    )


def built(
    kind: type[DetectionModel], spec: Any, recipe: Recipe, precision: str, **options: Any
) -> Any:
    """Build a family's model from a spec, with initial weights and the recipe's batch norm
    settings; options are passed to the family's `build_network`."""
    keras.utils.set_random_seed(recipe.seed)  # for the initial weights
    model = kind.build(
        spec,
        recipe.objective,
        precision=precision,
        frozen_through=recipe.frozen_through,
        **options,
    )
    for layer in _conv_norms(model):
        layer.norm_frozen = not recipe.train_norm
        layer.decay = _by_layer_group(recipe.norm_decay, model, layer)
    return model


def _conv_norms(model: DetectionModel) -> list[ConvNorm]:
    return [layer for layer in model.network.layers if isinstance(layer, ConvNorm)]


def _absorbed(recipe: Recipe) -> bool:
    return recipe.absorb_scale and not recipe.train_norm


def _by_layer_group(values: LayerGroupValues, model: DetectionModel, layer: Any) -> float:
    match model.layer_group_of(layer.name):
        case "heads":
            return values.heads
        case "extras":
            return values.extras
    other = values.depthwise if getattr(layer, "depthwise", False) else None
    return values.backbone if other is None else other


def _fixed(model: DetectionModel, recipe: Recipe) -> set[int]:
    """Return the ids of variables that the recipe's name patterns freeze."""
    trained, frozen = recipe.trained_names, recipe.frozen_names
    if not trained and not frozen:
        return set()

    def fits(name: str, patterns: Sequence[str]) -> bool:
        return any(re.search(pattern, name) for pattern in patterns)

    return {
        id(variable)
        for name, variable in model.named_variables().items()
        if fits(name, frozen) or (trained and not fits(name, trained))
    }
