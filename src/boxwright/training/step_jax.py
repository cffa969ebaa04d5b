"""Training on JAX: the compiled step, gradients, optimizers, weight averaging.

A step is one XLA program from images to updated variables. The images are on the device; each step
receives their rows, their boxes and the random draws. On several devices it is the same program of
the whole batch: XLA divides it by rows of the batch and adds what the devices must tell each other,
such as sums of gradients and of batch norm's statistics.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.backend.boxes import iou_of_pairs
from boxwright.models.model import Loss
from boxwright.training import step as engine
from boxwright.training.cache import IN_MEMORY
from boxwright.training.decoded import DecodedImages
from boxwright.training.optimizers import Adam, Momentum, Optimizer, RmsProp
from boxwright.training.placement import DividedImages

keras: Any = framework.keras()
jax: Any = framework.jax()
jnp: Any = jax.numpy

PADDING = 127.0  # gray
EDGE = 1e-6  # of an image's side: tolerance for rounding errors of full-size crops


def crop(images: Any, windows: Any, side: int) -> Any:
    """Bilinear, with half-pixel centers, gray outside: `augment.pipeline.CropAndResize`.

    Rows and columns are separate matrix products.
    """
    start, size = windows[:, :2], windows[:, 2:] - windows[:, :2]
    steps = (jnp.arange(side) + 0.5) / side
    full = images.shape[1]  # images are square
    positions = (start[..., None] + steps * size[..., None]) * full - 0.5  # (B, 2, side)
    nearest = jnp.clip(positions, 0, full - 1)
    inside = jnp.abs(positions - nearest) < EDGE * full
    shares = jax.nn.relu(1 - jnp.abs(nearest[..., None] - jnp.arange(full)))
    crops = jnp.einsum(
        "byh,bhwc,bxw->byxc", shares[:, 0], images.astype(jnp.float32), shares[:, 1],
        precision=jax.lax.Precision.HIGHEST,
    )  # fmt: skip
    return jnp.where((inside[:, 0, :, None] & inside[:, 1, None])[..., None], crops, PADDING)


def suppress(boxes: Any, scores: Any, max_total: int, iou_threshold: float) -> Any:
    """Greedy non-maximum suppression (NMS) within each image. See `models.model.Suppress`."""

    def within(boxes: Any, scores: Any) -> Any:
        def keep_best(_: int, state: tuple[Any, Any]) -> tuple[Any, Any]:
            left, kept = state
            best = jnp.argmax(jnp.where(left, scores, -jnp.inf))
            kept = kept.at[best].max(left[best])
            left &= iou_of_pairs(boxes[best], boxes) <= iou_threshold
            return left.at[best].set(False), kept

        every = jnp.ones(scores.shape, bool)
        return jax.lax.fori_loop(0, min(max_total, scores.size), keep_best, (every, ~every))[1]

    return jax.vmap(within)(boxes, scores)


def optimized(
    optimizer: Optimizer,
    slots: Sequence[Any],
    gradient: Any,
    learning_rate: Any,
    bias: tuple[Any, Any],
) -> tuple[Any, list[Any]]:
    """Return the update to subtract from a variable, and its new slots.

    Args:
        optimizer: the optimizer with its constants.
        slots: the slots of the variable, in the order of `optimizer.slots`.
        gradient: gradient of the variable.
        learning_rate: learning rate of this step.
        bias: Adam's betas to the power of the step, from 1; only used by Adam.
    """
    match optimizer:
        case Adam():
            mean = slots[0] + (gradient - slots[0]) * (1 - optimizer.beta_1)
            square = slots[1] + (gradient**2 - slots[1]) * (1 - optimizer.beta_2)
            rate = learning_rate * jnp.sqrt(1 - bias[1]) / (1 - bias[0])
            return rate * mean / (jnp.sqrt(square) + optimizer.epsilon), [mean, square]
        case RmsProp():
            square = slots[0] + (gradient**2 - slots[0]) * (1 - optimizer.decay)
            step = learning_rate * gradient / jnp.sqrt(square + optimizer.epsilon)
            step += optimizer.momentum * slots[1]
            return step, [square, step]
        case Momentum(accumulates_steps=True):
            moved = optimizer.momentum * slots[0] - learning_rate * gradient
            return -moved, [moved]
        case Momentum():
            momentum = optimizer.momentum * slots[0] + gradient
            return learning_rate * momentum, [momentum]


def clipped(gradients: Sequence[Any], max_total: float) -> list[Any]:
    """Return the gradients, clipped to a global norm of `max_total`."""
    norm = jnp.sqrt(sum(jnp.sum(gradient**2) for gradient in gradients))
    return [gradient * (max_total / jnp.maximum(norm, max_total)) for gradient in gradients]


compiled = jax.jit
faster_precision = functools.partial(engine.measured_precision, compiled)


def gradient(function: Callable[..., Any], arguments: Sequence[int]) -> Callable[..., Any]:
    """As `tools.EngineModule`."""
    total = jax.grad(lambda *values: jnp.sum(function(*values)), argnums=tuple(arguments))
    return compiled(total)  # type: ignore[no-any-return]


class Picked(NamedTuple):
    """Rows of the images on the device: `rows (B,)` of `everything (N, H, W, 3)`."""

    everything: Any
    rows: Any


@dataclass(frozen=True)
class Resident:
    """Images on the device; indexing by rows gives `Picked`."""

    images: Any

    def __getitem__(self, rows: NDArray[np.int64]) -> Picked:
        return Picked(self.images, rows.astype(np.int32))


class State(NamedTuple):
    """The variables that a step updates."""

    trained: list[Any]
    slots: list[list[Any]]  # of each trained variable
    moving: list[Any]  # statistics and seeds
    averages: list[Any]


class Engine(engine.Engine):
    """Training on JAX."""

    crop = staticmethod(crop)
    suppress = staticmethod(suppress)

    def resident(self, images: NDArray[np.uint8] | DecodedImages) -> Any:
        """Put the images on the device if they fill at most half of its memory; on a CPU, if they
        are in memory and not in a file. Several devices get only their rows, at each step."""
        if self._placement:
            return DividedImages(images, self._placement)
        if isinstance(images, DecodedImages):
            return images
        memory = jax.devices()[0].memory_stats() or {}
        room = memory.get("bytes_limit", 2 * IN_MEMORY) // 2
        return Resident(jax.device_put(images)) if images.nbytes <= room else images

    def _prepare(self) -> None:
        weights = self._model.network.weights
        known = {id(variable) for variable in weights}
        seeds = [
            each for each in self._model.network.variables if id(each) not in known
        ]  # of dropout
        self._changing = State(
            self._trained,
            [list(own) for own in zip(*self._slots.values(), strict=True)],
            [*self._statistics, *seeds],
            self._averages,
        )
        changing = {id(each) for each in (*self._trained, *self._statistics)}
        self._fixed = [each for each in weights if id(each) not in changing]
        if self._placement:
            for variable in self._fixed:
                variable.assign(self._placement.on_each(variable.value))
        everywhere = self._placement and self._placement.whole
        self._compiled = jax.jit(
            self._traced, static_argnames="quantizing", out_shardings=everywhere
        )

    def _step(self, batch: tuple[Any, ...], rates: NDArray[np.float32], quantizing: bool) -> Loss:
        before, fixed = jax.tree.map(lambda each: each.value, (self._changing, self._fixed))
        step = functools.partial(self._compiled, quantizing=quantizing)
        if self._placement:
            step = functools.partial(self._placement.run, step)
        # Nothing is donated: a Ctrl-C before the last assignment must leave variables with values.
        after, loss = step(before, fixed, batch, rates)
        jax.tree.map(lambda variable, value: variable.assign(value), self._changing, after)
        return Loss(*loss)

    def _traced(
        self,
        before: State,
        fixed: Sequence[Any],
        batch: tuple[Any, ...],
        rates: Any,
        *,
        quantizing: bool,  # static: one program with rounding, one without
    ) -> tuple[State, Loss]:
        learning_rate, decay, rate_of_ranges, *bias = rates
        images, *truth = batch
        if isinstance(images, Picked):
            images = images.everything[images.rows]
        seen = self._seen(images, *truth)
        constants = [*zip(self._fixed, fixed, strict=True)]
        if self._quantizer:
            self._quantizer.quantizing = quantizing
            constants.append((self._quantizer.rate, rate_of_ranges))

        def lowered(trained: list[Any]) -> tuple[Any, tuple[Loss, list[Any]]]:
            values = [*zip(self._trained, trained, strict=True)]
            values += zip(self._changing.moving, before.moving, strict=True)
            with keras.StatelessScope([*values, *constants]) as scope:
                loss = self._loss(*seen)
            moved = [scope.get_current_value(variable) for variable in self._changing.moving]
            return loss.total, (loss, moved)

        (_, (loss, moved)), gradients = jax.value_and_grad(lowered, has_aux=True)(before.trained)
        gradients = self._weighed(gradients)
        if self._recipe.clip_norm is not None:
            gradients = clipped(gradients, self._recipe.clip_norm)
        trained, slots = [], []
        for variable, own, gradient in zip(before.trained, before.slots, gradients, strict=True):
            step, remembered = optimized(
                self._recipe.optimizer, own, gradient, learning_rate, (bias[0], bias[1])
            )
            trained.append(variable - step)
            slots.append(remembered)
        variables = [*self._trained, *self._changing.moving]
        values = dict(zip(map(id, variables), [*trained, *moved], strict=True))
        averages = [
            average - (average - values[id(variable)]) * (1 - decay)
            for average, variable in zip(before.averages, self._averaged, strict=True)
        ]
        return State(trained, slots, moved, averages), loss
