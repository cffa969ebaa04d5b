"""Code that the engines share. The compiled step is framework-specific."""

from __future__ import annotations

import importlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.augment import pipeline
from boxwright.backend import framework
from boxwright.errors import TrainingError
from boxwright.models.layers.quantized import range_rate, ranges
from boxwright.models.model import DetectionModel, Loss, Suppress, Truth
from boxwright.training.decoded import DecodedImages
from boxwright.training.optimizers import AVERAGE, Adam
from boxwright.training.placement import Placement
from boxwright.training.recipe import Recipe

keras: Any = framework.keras()
ops: Any = keras.ops

ENGINES = ("tensorflow", "jax")  # each has a module of its name


def engine_module() -> Any:
    """Return the engine's module for the Keras backend, with `Engine` and `faster_precision`.

    Raises:
        TrainingError: BW308 there is none for this backend.
    """
    name = framework.engine()
    if name not in ENGINES:
        raise TrainingError("BW308", f"KERAS_BACKEND is {name}, which training does not support.")
    return importlib.import_module(f"boxwright.training.step_{name}")


def measured_precision(compiled: Callable[[Any], Any]) -> str:
    """Return `mixed_bfloat16` if convolutions are faster in bfloat16 here, else `float32`.

    Args:
        compiled: the framework's compiler of functions.
    """
    convolve = compiled(lambda images, kernel: ops.sum(ops.conv(images, kernel, padding="same")))
    arguments = {
        dtype: (ops.ones((4, 38, 38, 256), dtype), ops.ones((1, 1, 256, 256), dtype))
        for dtype in ("float32", "bfloat16")
    }
    seconds = dict.fromkeys(arguments, math.inf)
    for _ in range(12):  # in turns, so that other load affects both
        for dtype, own in arguments.items():
            start = time.perf_counter()
            float(convolve(*own))
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - start)
    return "mixed_bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32"


class Engine(ABC):
    """Trains the given variables and keeps their moving average.

    Args:
        model: the detector, its network in the precision to train in.
        variables: Keras variables to train.
        statistics: Keras variables that change by themselves: batch norm's, then ranges.
        recipe: the recipe.
        scale, offset: from pixels to the network's input range.
        kernels: Keras variables to regularize, each with its weights of L2 and L1.
        placement: several devices, on an engine that supports them.
    """

    crop: pipeline.CropAndResize  # the framework's own
    suppress: Suppress

    def __init__(
        self,
        model: DetectionModel,
        variables: Sequence[Any],
        statistics: Sequence[Any],
        recipe: Recipe,
        *,
        scale: float,
        offset: float,
        kernels: Sequence[tuple[Any, float, float]] = (),
        placement: Placement | None = None,
    ) -> None:
        self._model, self._quantizer = model, model.quantizer
        self._recipe, self._placement = recipe, placement
        self._scale, self._offset = scale, offset
        self._trained, self._statistics = list(variables), list(statistics)
        faster = recipe.bias_gradients
        self._factors = [faster if variable.name == "bias" else 1.0 for variable in variables]
        self._kernels = list(kernels)
        self._slots = {
            name: [_beside(np.full(variable.shape, start, np.float32)) for variable in variables]
            for name, start in recipe.optimizer.slots.items()
        }
        averaging = recipe.averaging
        self._averaged = [] if averaging is None else [*self._trained]
        if averaging is not None and averaging.statistics:
            averages = {id(variable) for variable in ranges(model.network)}  # already averages
            self._averaged += [each for each in self._statistics if id(each) not in averages]
        self._averages = [_beside(variable.numpy()) for variable in self._averaged]
        self._prepare()

    def resident(self, images: NDArray[np.uint8] | DecodedImages) -> Any:
        """Move the training images to where a step accesses them fastest. Rows of the result are
        passed to `step` as `images`."""
        return images

    def step(
        self,
        images: Any,
        boxes: NDArray[np.float32],
        labels: NDArray[np.int32],
        sizes: NDArray[np.float32],
        draws: NDArray[np.float32],
        verified: NDArray[np.float32] | None = None,
        *,
        number: int,
        learning_rate: float,
    ) -> Loss:
        """One step on a batch, see `pipeline.apply` and `Truth.verified`; `number` counts from 0.
        Returns the losses before it, floats."""
        averaging, optimizer = self._recipe.averaging, self._recipe.optimizer
        decay = 0.0 if averaging is None else averaging.decay_at(number)
        betas = (optimizer.beta_1, optimizer.beta_2) if isinstance(optimizer, Adam) else (0.0, 0.0)
        powers = (beta ** (number + 1) for beta in betas)
        rates = np.array([learning_rate, decay, range_rate(number), *powers], np.float32)
        how = self._recipe.quantization
        quantizing = how is not None and number >= how.delay
        batch = (images, boxes, labels, sizes, draws)
        loss = self._step(batch if verified is None else (*batch, verified), rates, quantizing)
        return Loss(*(float(value) for value in loss))

    def kept(self) -> list[NDArray[np.float32]]:
        """Return the weights to keep, of `variables`, then of `statistics`: their averages if the
        recipe averages them, else their values."""
        averaging = self._recipe.averaging
        averages = self._averages if averaging and averaging.kept else []
        current = [*self._trained, *self._statistics][len(averages) :]
        return [variable.numpy() for variable in (*averages, *current)]

    def slots(self) -> dict[str, list[NDArray[np.float32]]]:
        """Return the optimizer's slots and the averages of `variables`, by their names in a
        TensorFlow 1 checkpoint."""
        values = dict(self._slots)
        if self._averages:
            values[AVERAGE] = self._averages[: len(self._trained)]
        return {name: [variable.numpy() for variable in own] for name, own in values.items()}

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Return the state for a checkpoint."""
        return {
            f"{kind}/{i}": variable.numpy()
            for kind, variables in self._parts().items()
            for i, variable in enumerate(variables)
        }

    def restore(self, state: dict[str, NDArray[np.float32]]) -> None:
        """Restore a `state`. Raises TrainingError: BW305 it is that of another network."""
        for kind, variables in self._parts().items():
            for i, variable in enumerate(variables):
                value = state.get(f"{kind}/{i}")
                if value is None or value.shape != tuple(variable.shape):
                    message = f"the checkpoint does not fit the network: its array {kind}/{i}."
                    raise TrainingError("BW305", message)
                variable.assign(value)

    def _parts(self) -> dict[str, list[Any]]:
        return {"average": self._averages, **self._slots}

    @abstractmethod
    def _prepare(self) -> None:
        """Set up the framework before the first step."""

    @abstractmethod
    def _step(self, batch: tuple[Any, ...], rates: NDArray[np.float32], quantizing: bool) -> Loss:
        """Update all variables by one step.

        Args:
            batch: images, boxes, labels, sizes, random draws, and verified classes if the images
                have them.
            rates: `(5,)`: learning rate, decay of the averages, `range_rate`, and Adam's betas to
                the power of the step, from 1.
            quantizing: True if a quantized network rounds.
        """

    # ---- In the graph ----------------------------------------------------------------------------

    def _seen(
        self, images: Any, boxes: Any, labels: Any, sizes: Any, draws: Any, *verified: Any
    ) -> tuple[Any, ...]:
        """Return the augmented network inputs, with their truth."""
        inputs, *truth = pipeline.apply(
            self._recipe.augmentation, images, boxes, labels, sizes, draws,
            side=self._recipe.input_size, crop_and_resize=self.crop,
        )  # fmt: skip
        return inputs * self._scale + self._offset, *truth, *verified

    def _loss(self, images: Any, *truth: Any) -> Loss:
        outputs = self._model.network(images, training=True)
        loss = self._model.losses(outputs, Truth(*truth), self.suppress)
        if self._kernels:
            extra = penalty(self._kernels)
            loss = loss._replace(total=loss.total + extra, penalty=extra)
        return loss

    def _weighed(self, gradients: Sequence[Any]) -> list[Any]:
        """Return the gradients of the trained variables, weighted as in the recipe."""
        return [
            gradient if factor == 1 else gradient * factor
            for gradient, factor in zip(gradients, self._factors, strict=True)
        ]


def penalty(kernels: Sequence[tuple[Any, float, float]]) -> Any:
    """The sum of `l2 / 2 * sum(kernel ** 2) + l1 * sum(abs(kernel))` over kernels, l2 and l1."""
    parts = [0.5 * l2 * ops.sum(ops.square(kernel)) for kernel, l2, _ in kernels if l2]
    return sum(parts + [l1 * ops.sum(ops.abs(kernel)) for kernel, _, l1 in kernels if l1])


def _beside(value: NDArray[np.float32]) -> Any:
    """Return a non-trainable variable with this value."""
    return keras.Variable(value, trainable=False, dtype="float32")
