"""A network in training: its steps, and its state between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models.model import DetectionModel, Loss
from boxwright.training import start
from boxwright.training.cache import Cache
from boxwright.training.placement import Placement
from boxwright.training.recipe import Recipe
from boxwright.training.sanity_checks import LossWatch, check_loss, check_state
from boxwright.training.start import Start
from boxwright.training.step import Engine
from boxwright.training.tools import EngineModule


class Session:
    """A network in training, with a float32 copy for the weights to keep.

    Args:
        begun: the network to train, and the engine's state of a resumed run.
        recipe: the recipe.
        engines: the engine's module.
        cache: the training images.
        placement: several devices to train on.
    """

    def __init__(
        self,
        begun: Start,
        recipe: Recipe,
        engines: EngineModule,
        cache: Cache,
        placement: Placement | None = None,
    ) -> None:
        self.model = begun.model
        network = self.model.network
        self._trained = start.trained_variables(self.model, recipe)
        statistics = start.statistics_of(self.model, recipe)
        indices = {id(variable): i for i, variable in enumerate(network.weights)}
        self._changing = [indices[id(variable)] for variable in (*self._trained, *statistics)]
        self._engine: Engine = engines.Engine(
            self.model,
            self._trained,
            statistics,
            recipe,
            scale=begun.preprocessing.scale,
            offset=begun.preprocessing.offset,
            kernels=start.regularized_kernels(self.model, recipe),
            placement=placement,
        )
        if begun.checkpoint:
            self._engine.restore(begun.checkpoint.arrays)
        self._first = self._engine.kept() if begun.probe else ()  # to compare a poor result with
        self._batch: list[str] = []  # images of the last step
        self._watch = LossWatch()
        self._images = replace(cache, images=self._engine.resident(cache.images))

    def expect(self, rows: NDArray[np.int64]) -> None:
        """Begin to read the images of a later step, if they are not in memory."""
        images = self._images
        if hasattr(images.images, "expect"):
            images.images.expect(images.rows[rows])

    def step(
        self,
        rows: NDArray[np.int64],
        random_draws: NDArray[np.float32],
        *,
        number: int,
        learning_rate: float,
    ) -> Loss:
        """Train one step on the images of some rows; `number` counts from 0. Returns the losses
        before the step, as floats.

        Raises:
            TrainingError: BW303 the loss is not finite, BW314 it has exploded.
        """
        images = self._images
        batch: tuple[Any, ...] = (*images.batch(rows), images.sizes(rows), random_draws)
        if (verified := images.verified(rows)) is not None:
            batch += (verified,)
        loss = self._engine.step(*batch, number=number, learning_rate=learning_rate)
        self._batch = [self._images.dataset.names[row] for row in rows]
        check_loss(loss, number, self._batch)
        self._watch.check(loss, number, learning_rate)
        return loss

    def averaged(self) -> DetectionModel:
        """Return the float32 copy with the weights to keep: averaged, if the recipe averages
        them."""
        return self._copy_with(self._engine.kept())

    def untrained(self) -> DetectionModel:
        """Return the float32 copy with the weights of a start that has a probe; it is the object
        that `averaged` returns."""
        return self._copy_with(self._first)

    def _copy_with(self, values: Sequence[Any]) -> DetectionModel:
        weights = self._kept.network.weights
        for index, value in zip(self._changing, values, strict=True):
            weights[index].assign(value)
        return self._kept

    @cached_property
    def _kept(self) -> DetectionModel:
        """The float32 copy. It is built when it is first needed, not before the first step."""
        kept = self.model.build(self.model.spec)
        kept.network.set_weights(self.model.network.get_weights())
        return kept

    def slots(self) -> dict[str, NDArray[Any]]:
        """As `Snapshot.slots`."""
        return start.named_slots(self.model, self._trained, self._engine.slots())

    def arrays(self, step: int) -> dict[str, Any]:
        """As `Snapshot.arrays`, after `step` steps."""
        weights = {f"weight/{i}": w for i, w in enumerate(self.model.network.get_weights())}
        arrays = self._engine.state() | weights
        check_state(arrays, step, self._batch)
        return arrays


@dataclass(frozen=True)
class Snapshot:
    """The weights of a training at a step, computed on first access.

    It is only valid while its event is handled: the next step changes the networks.

    Attributes:
        step: steps done.
        session: the training.
    """

    step: int
    session: Session

    @property
    def model(self) -> DetectionModel:
        """Return the detector in training, with weights that are not averaged."""
        return self.session.model

    @cached_property
    def averaged(self) -> DetectionModel:
        """Return the detector in float32 with the weights to keep: the moving average if the recipe
        has one. It is the same object at every step."""
        return self.session.averaged()

    @cached_property
    def slots(self) -> Mapping[str, NDArray[Any]]:
        """Return the optimizer's slots and the averages, by their names in a checkpoint of the
        Object Detection API."""
        return self.session.slots()

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """Return the state of the training as `Checkpoint.arrays`.

        Raises:
            TrainingError: BW303 some values are not finite.
        """
        return self.session.arrays(self.step)
