"""Start of a training by a pipeline.config: from fine_tune_checkpoint, or resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import TfodError, WeightsError
from boxwright.models.model import DetectionModel
from boxwright.models.weights import zoo
from boxwright.models.weights.checkpoint import read_variables, reason_to_ignore
from boxwright.models.weights.loading import LoadReport
from boxwright.models.weights.network import PREPROCESSING
from boxwright.models.weights.published import Published
from boxwright.models.weights.statistics import estimate_statistics
from boxwright.models.weights.tflite import read_tflite
from boxwright.models.weights.variables import EXTRACTOR, place_of, variables_by_name
from boxwright.tfod.checkpoint import resume
from boxwright.tfod.commands import Say
from boxwright.tfod.config import Checked, Config
from boxwright.tfod.config.paths import TFLITE
from boxwright.tfod.config.pipeline import TrainConfig
from boxwright.tfod.mapping.network import family_of, initializers_of, spec_of
from boxwright.tfod.mapping.recipe import recipe_of
from boxwright.training import start
from boxwright.training.cache import Cache
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.optimizers import AVERAGE
from boxwright.training.recipe import Recipe
from boxwright.training.start import Start

FULL = "full"
DETECTORS = (FULL, "fine_tune")  # further spellings of fine_tune_checkpoint_type: detection
PRECISION = "float32"  # as in the Object Detection API
SCOPE = f"{EXTRACTOR}/"


def first(config: Config, checked: Checked, recipe: Recipe, cache: Cache, say: Say) -> Start:
    """Build the config's network with the weights of its fine_tune_checkpoint, if it has one.

    Prints a table of loaded, reset and ignored variables. A model of the zoo is downloaded. For a
    .tflite, which has no statistics of batch norm, some images of the cache give them.

    Raises:
        WeightsError: BW202 the checkpoint is damaged, or has no weights of this network; BW203,
            BW204 it cannot be downloaded.
    """
    network = _network(config, recipe)
    if checked.checkpoint is None:
        return network
    source = checked.checkpoint
    path = source if isinstance(source, Path) else _fetched(source, say)
    variables = _variables(network.model.network, path)
    report = _loaded(config, network, path, variables)
    for row in report.table():
        say("  {:<8} {}: {}".format(*row))
    if path.suffix == TFLITE:
        estimate_statistics(network.model.network, _images(network, cache, recipe))
    name = zoo.title(path)
    kind = "classification" if _is_classifier(variables) else "detection"
    stated = checked.pipeline.train_config.fine_tune_checkpoint_type
    same = {"", kind} if kind == "classification" else {"", kind, *DETECTORS}
    seen = f", detected type {kind}, not {stated}" if stated not in same else ""
    return replace(network, origin=f"{name}{seen}: {report}", weights=name)


def fitting(config: Config, path: Path) -> LoadReport:
    """Return what a checkpoint or a .tflite file has for the config's network.

    Raises:
        WeightsError: BW202 it is damaged, or has nothing.
    """
    network = _network(config, recipe_of(config.pipeline))
    return _loaded(config, network, path, _variables(network.model.network, path))


def _loaded(
    config: Config, network: Start, path: Path, variables: Mapping[str, NDArray[Any]]
) -> LoadReport:
    report = restore(network.model.network, variables, config.pipeline.train_config)
    if not report.loaded:
        raise _strange(config, path, report)
    return report


def _fetched(model: Published, say: Say) -> Path:
    """Return the local weights of a model of the zoo, after a download if necessary."""
    if zoo.find(model) is None:
        say(f"downloading {model.name}")
    return zoo.fetch(model)


def _variables(network: Any, path: Path) -> dict[str, NDArray[Any]]:
    """Return the variables of a checkpoint, or the arrays of a .tflite file by the names of the
    network's variables."""
    if path.suffix != TFLITE:
        return read_variables(path)
    layers = read_tflite(path).layers
    located = {name: place for name in variables_by_name(network) if (place := place_of(name))}
    return {
        name: layers[place.layer][place.variable]
        for name, place in located.items()
        if place.variable in layers.get(place.layer, {})
    }


def _images(network: Start, cache: Cache, recipe: Recipe) -> NDArray[np.float32]:
    """Return a few training images as the network expects them."""
    rows = np.random.default_rng(recipe.seed).permutation(len(cache))[: start.STATISTICS_IMAGES]
    pixels, *_ = cache.batch(rows)
    resized = np.stack([network.preprocessing.resize(image) for image in pixels])
    scaled: NDArray[np.float32] = (
        resized.astype(np.float32) * network.preprocessing.scale + network.preprocessing.offset
    )
    return scaled


def again(config: Config, recipe: Recipe, prefix: Path) -> Start:
    """Build the config's network from the checkpoint of a stopped training, with all slots.

    Raises:
        WeightsError: BW206 the checkpoint is from another network.
        TfodError: BW732 it was trained with another optimizer.
    """
    network = _network(config, recipe)
    step, others = resume(network.model.network, prefix)
    _check_optimizer(recipe, others, prefix)
    checkpoint = Checkpoint(
        step=step,
        fraction=step / recipe.steps if recipe.steps else 0.0,
        seconds=0.0,
        best_ap=-1.0,
        best_step=0,
        recipe=recipe.to_json(),
        precision=PRECISION,
        fingerprint="",
        arrays=_slots(network.model, recipe, others),
    )
    return replace(network, origin=f"{prefix}, step {step}", checkpoint=checkpoint)


def _check_optimizer(recipe: Recipe, others: Mapping[str, Any], prefix: Path) -> None:
    slots = recipe.optimizer.slots
    if not set(slots) <= {name.rpartition("/")[2] for name in others}:
        raise TfodError(
            "BW732",
            "the checkpoint was trained with another optimizer: it has no slots of "
            f"{type(recipe.optimizer).__name__} ({', '.join(slots)}).",
            where=prefix,
            prefix=prefix.as_posix(),
        )


def _slots(
    model: DetectionModel, recipe: Recipe, others: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return slots and averages of each trainable variable by the engine's names, SLOT/NUMBER.
    A variable that was not trained before gets initial values."""
    names = {id(variable): name for name, variable in model.named_variables().items()}
    values = framework.keras().ops.convert_to_numpy
    arrays = {}
    for i, variable in enumerate(start.trained_variables(model, recipe)):
        own = names[id(variable)]
        for slot, begin in recipe.optimizer.slots.items():
            at_first = np.full(variable.shape, begin, np.float32)
            arrays[f"{slot}/{i}"] = others.get(f"{own}/{slot}", at_first)
        if recipe.averaging:
            arrays[f"average/{i}"] = others.get(f"{own}/{AVERAGE}", values(variable))
    return arrays


def restore(model: Any, variables: Mapping[str, NDArray[Any]], config: TrainConfig) -> LoadReport:
    """Load the variables that the config selects, if name and shape match.

    A detector gives the variables of the feature extractor, or all with
    load_all_detection_checkpoint_vars or the type `full`. A classifier gives those of the feature
    extractor; its names lack the scope. The names tell which of the two it is.

    Args:
        model: Keras network of an SSD.
        variables: variables of the checkpoint by name.
        config: the train_config.
    """
    classifier = _is_classifier(variables)
    wanted = config.load_all_detection_checkpoint_vars or config.fine_tune_checkpoint_type == FULL
    everything = wanted and not classifier
    loaded, reset = [], {}
    for name, variable in variables_by_name(model).items():
        there = name.removeprefix(SCOPE) if classifier else name
        if not everything and not name.startswith(SCOPE):
            reset[name] = "heads are reinitialized without load_all_detection_checkpoint_vars"
        elif there not in variables:
            reset[name] = "not in the checkpoint"
        elif variables[there].shape != tuple(variable.shape):
            reset[name] = f"checkpoint {variables[there].shape}, network {tuple(variable.shape)}"
        else:
            variable.assign(variables[there])
            loaded.append(there)
    ignored = {
        name: "not selected" if place_of(name) else reason_to_ignore(name)
        for name in sorted(set(variables) - set(loaded))
    }
    return LoadReport(tuple(loaded), reset, ignored, "variables")


def _is_classifier(variables: Mapping[str, Any]) -> bool:
    return not any(name.startswith(SCOPE) for name in variables)


def _strange(config: Config, prefix: Path, report: LoadReport) -> WeightsError:
    name, reason = next(iter(report.reset.items()))
    return WeightsError(
        "BW202",
        f"has no weights of {config.pipeline.model.feature_extractor.type}: {name}: {reason}.",
        where=prefix,
    )


def _network(config: Config, recipe: Recipe) -> Start:
    spec = replace(spec_of(config), quantization=start.quantization_spec_of(recipe))
    kind = family_of(config.pipeline)
    model = start.built(kind, spec, recipe, PRECISION, initializers=initializers_of(config))
    preprocessing = replace(PREPROCESSING, size=spec.input_size)
    return Start(model, preprocessing, "from scratch", PRECISION)
