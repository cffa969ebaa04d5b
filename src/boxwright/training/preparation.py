"""Preparation before the first step: images, network, compiled step, validator."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright import __version__
from boxwright.backend import framework
from boxwright.datasets.source import HELD_OUT, DataSource
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.inference.tiling import SIZES, sizes_of
from boxwright.models.weights import zoo
from boxwright.structures.dataset import Dataset
from boxwright.training import following
from boxwright.training.cache import Cache
from boxwright.training.data import TrainingData, prepare
from boxwright.training.events import Note
from boxwright.training.placement import placement_of
from boxwright.training.processes import Processes
from boxwright.training.recipe import Recipe
from boxwright.training.sanity_checks import check_trainable
from boxwright.training.tiles import cut
from boxwright.training.tools import EngineModule, Tools
from boxwright.training.validation import ValidationSet, Validator

if TYPE_CHECKING:  # these import Keras, which takes seconds
    from boxwright.training.session import Session
    from boxwright.training.start import Start

Begin = Callable[[Recipe, str, Cache], "Start"]


@dataclass(frozen=True)
class Plan:
    """The plan of a training.

    Attributes:
        recipe: the recipe.
        dataset: training and validation images.
        run: the run folder to write.
        begin: returns the network to start from, in the given Keras dtype policy or a better one;
            called with the training images.
        source: the source of `dataset`.
        notes: the first messages.
    """

    recipe: Recipe
    dataset: Dataset
    run: Run
    begin: Begin
    source: str | Path | DataSource
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Prepared:
    """A training before its first step.

    Attributes:
        data: training and validation images.
        begun: the initial network, or that of the checkpoint.
        session: the network and its compiled step.
        validator: evaluates weights.
        artifact: description of the network.
        processes: the processes that train.
    """

    data: TrainingData
    begun: Start
    session: Session
    validator: Validator
    artifact: Artifact
    processes: Processes


def preparation(plan: Plan, tools: Tools) -> Generator[Note, None, Prepared]:
    """Decode images, build the network and its compiled step, and yield notes on them.

    Raises:
        DataError, WeightsError, TrainingError: images, weights or run cannot be used.
    """
    recipe = plan.recipe
    importing = framework.importing()  # takes seconds, in which images are decoded
    yield from map(Note, plan.notes)
    resources = tools.resources
    resources.processes.broadcast(following.invitation(recipe, plan.source, resources.devices))
    placement = placement_of(resources, recipe.batch_size)
    if placement:
        yield Note(str(placement))
    data = prepare(plan.dataset, recipe, resources)
    yield from (Note(str(finding)) for finding in data.findings)
    check_trainable(data.training.dataset)

    importing.join()
    if recipe.deterministic:
        framework.make_deterministic()
    from boxwright.training.session import Session
    from boxwright.training.step import engine_module

    engines = tools.engines or engine_module()
    begun = plan.begin(recipe, _precision(recipe, engines), data.training)
    depth_range = plan.dataset.decoding.depth_range
    begun = replace(begun, preprocessing=replace(begun.preprocessing, depth_range=depth_range))
    if begun.checkpoint:
        begun.checkpoint.check_data(data.fingerprint, plan.run.folder)
    precision = begun.precision.removeprefix("mixed_")
    yield Note(f"start: {begun.origin}; convolutions in {precision}")
    yield from (Note(str(class_head_init)) for class_head_init in begun.class_head_inits)
    session = Session(begun, recipe, engines, data.training, placement)
    images = ValidationSet.read(data.validation, begun.preprocessing, recipe.seed)
    artifact = Artifact(
        begun.model.to_json(),
        plan.dataset.classes,
        begun.preprocessing,
        provenance=_provenance(plan, data, begun.weights),
    )
    validator = tools.validator(images)
    return Prepared(data, begun, session, validator, artifact, resources.processes)


def _precision(recipe: Recipe, engines: EngineModule) -> str:
    """Return the Keras dtype policy: the faster one by measurement. Deterministic runs, trained
    batch norm (whose conversions cost more than bfloat16 gains) and QAT need float32."""
    exact = recipe.train_norm or recipe.quantization is not None or recipe.deterministic
    return "float32" if exact else engines.faster_precision()


def _provenance(plan: Plan, data: TrainingData, weights: str | None) -> dict[str, Any]:
    return {
        "boxwright": __version__,
        **DataSource.of(plan.source).to_provenance(data.fingerprint),
        **({HELD_OUT: list(dict.fromkeys(data.validation.names))} if data.held_out else {}),
        SIZES: sizes_of(cut(plan.dataset, plan.recipe.tiling, plan.recipe.input_size)),
        "weights": weights,
        "license": zoo.license(weights),
        "recipe": plan.recipe.to_json(),
    }
