"""TensorFlow's part of training: the compiled step, gradients, optimisers, weight averaging."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models import framework
from boxwright.models.norm import ConvNorm
from boxwright.models.postprocess import box_scales
from boxwright.models.quantised import range_rate, ranges
from boxwright.training.augment import augment
from boxwright.training.objective import Loss, detection_loss, penalty
from boxwright.training.optimisers import AVERAGE, Adam, Momentum, Optimiser, RmsProp
from boxwright.training.parts import Pipeline
from boxwright.training.pipeline import follow
from boxwright.training.recipe import Recipe

tf: Any = framework.tensorflow()


def crop(photos: Any, windows: Any, side: int) -> Any:
    """Bilinear crop-and-resize with half-pixel centres; grey outside. See `augment.Crop`.

    TensorFlow's own op places the first and last samples on the window's edges; the windows are
    moved inwards so that each sample stands in the middle of its pixel.
    """
    last = tf.cast(tf.shape(photos)[1] - 1, tf.float32)  # photos are square
    start, end = windows[:, :2], windows[:, 2:]
    half = (end - start) / (2 * side)
    first_sample = ((start + half) * (last + 1) - 0.5) / last
    last_sample = ((end - half) * (last + 1) - 0.5) / last
    places = tf.concat([first_sample, last_sample], axis=1)
    rows = tf.range(tf.shape(photos)[0])
    return tf.image.crop_and_resize(photos, places, rows, [side, side], extrapolation_value=127.0)


def fused_batch_norm(outputs: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """`models.norm.batch_norm` as one op: less than half the time of its parts."""
    unused = tf.zeros([0])
    normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=outputs, scale=gamma, offset=beta, mean=unused, variance=unused,
        epsilon=epsilon, is_training=True,
    )  # fmt: skip
    return normalised, mean, variance


def fused_fake_quant(values: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    """`models.quantised.fake_quant` as one op."""
    return tf.quantization.fake_quant_with_min_max_vars(values, low, high, bits, narrow)


def suppress(boxes: Any, scores: Any, most: int, iou_threshold: float) -> Any:
    """Greedy non-maximum suppression within each photo. See `models.mining.Suppress`."""
    kept = [
        tf.scatter_nd(index[:, None], tf.ones_like(index), [own.shape[0]])
        for own, score in zip(tf.unstack(boxes), tf.unstack(scores), strict=True)
        for index in [tf.image.non_max_suppression(own, score, most, iou_threshold)]
    ]
    return tf.cast(tf.stack(kept), tf.bool)


def apply_gradient(
    optimiser: Optimiser,
    variable: Any,
    slots: Sequence[Any],
    gradient: Any,
    learning_rate: Any,
    bias: tuple[Any, Any],
) -> None:
    """One step of one variable, as one op: Keras' Adam is a dozen small ones.

    Args:
        optimiser: which, and its constants.
        variable: to change.
        slots: what the optimiser keeps beside it, in the order of `optimiser.slots`.
        gradient: of the variable.
        learning_rate: of this step.
        bias: Adam's betas to the power of the step, from 1; of no use to the others.
    """
    handles = [slot.handle for slot in slots]
    match optimiser:
        case Adam():
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=handles[0], v=handles[1],
                beta1_power=bias[0], beta2_power=bias[1], lr=learning_rate,
                beta1=optimiser.beta_1, beta2=optimiser.beta_2, epsilon=optimiser.epsilon,
                grad=gradient,
            )  # fmt: skip
        case RmsProp():
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle, ms=handles[0], mom=handles[1], lr=learning_rate,
                rho=optimiser.decay, momentum=optimiser.momentum, epsilon=optimiser.epsilon,
                grad=gradient,
            )  # fmt: skip
        case Momentum():
            tf.raw_ops.ResourceApplyMomentum(
                var=variable.handle, accum=handles[0], lr=learning_rate, grad=gradient,
                momentum=optimiser.momentum,
            )  # fmt: skip


def faster_precision() -> str:
    """`mixed_bfloat16` if this processor convolves faster in bfloat16, else `float32`."""

    @tf.function  # type: ignore[untyped-decorator]
    def convolve(images: Any, kernel: Any) -> Any:
        return tf.reduce_sum(tf.nn.conv2d(images, kernel, 1, "SAME"))

    seconds = {}
    for dtype in (tf.float32, tf.bfloat16):
        arguments = tf.ones((4, 38, 38, 256), dtype), tf.ones((1, 1, 256, 256), dtype)
        convolve(*arguments)
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            convolve(*arguments).numpy()
            runs.append(time.perf_counter() - start)
        seconds[dtype] = min(runs)
    return "mixed_bfloat16" if seconds[tf.bfloat16] < 0.8 * seconds[tf.float32] else "float32"


class Engine:
    """Trains the variables it is given and keeps their moving average.

    Args:
        model: the network, in the precision to train in.
        variables: Keras variables to train.
        statistics: Keras variables that change by themselves: batch norm's, then ranges.
        anchors: `(A, 4)` normalised yxyx.
        recipe: sizes and rates.
        scale, offset: from pixels to the network's input range.
        kernels: Keras variables to regularise, each with its weights of L2 and L1.
    """

    def __init__(
        self,
        model: Any,
        variables: Sequence[Any],
        statistics: Sequence[Any],
        anchors: NDArray[np.float32],
        recipe: Recipe,
        *,
        scale: float,
        offset: float,
        kernels: Sequence[tuple[Any, float, float]] = (),
    ) -> None:
        self._model = model
        for layer in model.layers:
            if isinstance(layer, ConvNorm):
                layer.batch_norm = fused_batch_norm
        self._quantiser = model.quantiser
        if self._quantiser:
            self._quantiser.fake_quant = fused_fake_quant
        self._anchors = tf.constant(anchors)
        self._recipe = recipe
        self._scale, self._offset = scale, offset
        self._trained = [variable.value for variable in variables]
        faster = recipe.bias_gradients
        self._factors = [faster if variable.name == "bias" else 1.0 for variable in variables]
        self._statistics = [variable.value for variable in statistics]
        self._kernels = [(kernel.value, l2, l1) for kernel, l2, l1 in kernels]
        self._slots = {
            name: [tf.Variable(tf.fill(value.shape, start)) for value in self._trained]
            for name, start in recipe.optimiser.slots.items()
        }
        averaging = recipe.averaging
        self._averaged = [] if averaging is None else [*self._trained]
        if averaging is not None and averaging.statistics:
            averages = {id(variable.value) for variable in ranges(model)}  # they are some already
            self._averaged += [value for value in self._statistics if id(value) not in averages]
        self._averages = [tf.Variable(value) for value in self._averaged]
        self._compiled = tf.function(self._step, autograph=False)  # its Python is meant as it is

    def step(
        self,
        photos: NDArray[np.uint8],
        boxes: NDArray[np.float32],
        labels: NDArray[np.int32],
        sizes: NDArray[np.float32],
        dice: NDArray[np.float32],
        *,
        number: int,
        learning_rate: float,
    ) -> Loss:
        """One step on a batch, see `pipeline.follow`; `number` counts from 0. Returns the losses
        before it, floats."""
        averaging, optimiser = self._recipe.averaging, self._recipe.optimiser
        decay = 0.0 if averaging is None else averaging.decay_at(number)
        betas = (optimiser.beta_1, optimiser.beta_2) if isinstance(optimiser, Adam) else (0.0, 0.0)
        powers = (beta ** (number + 1) for beta in betas)
        rates = tf.constant([learning_rate, decay, range_rate(number), *powers], tf.float32)
        how = self._recipe.quantisation
        rounds = how is not None and number >= how.delay
        loss = self._compiled(photos, boxes, labels, sizes, dice, rates, rounds)
        return Loss(*(float(value) for value in loss))

    def kept(self) -> list[NDArray[np.float32]]:
        """What is worth keeping of `variables`, then of `statistics`: their averages, or what
        they are where the recipe does not average them."""
        averaging = self._recipe.averaging
        averages = self._averages if averaging and averaging.kept else []
        current = [*self._trained, *self._statistics][len(averages) :]
        return [value.numpy() for value in (*averages, *current)]

    def slots(self) -> dict[str, list[NDArray[np.float32]]]:
        """What stands beside each of `variables`, by the name it has in a TensorFlow 1
        checkpoint: the optimiser's slots and the average."""
        values = dict(self._slots)
        if self._averages:
            values[AVERAGE] = self._averages[: len(self._trained)]
        return {name: [value.numpy() for value in own] for name, own in values.items()}

    def state(self) -> dict[str, NDArray[np.float32]]:
        """All that a checkpoint needs."""
        return {
            f"{kind}/{i}": value.numpy()
            for kind, values in self._parts().items()
            for i, value in enumerate(values)
        }

    def restore(self, state: dict[str, NDArray[np.float32]]) -> None:
        """The inverse of `state`."""
        for kind, values in self._parts().items():
            for i, value in enumerate(values):
                value.assign(state[f"{kind}/{i}"])

    def _parts(self) -> dict[str, list[Any]]:
        return {"average": self._averages, **self._slots}

    def _step(
        self,
        photos: Any,
        boxes: Any,
        labels: Any,
        sizes: Any,
        dice: Any,
        rates: Any,
        rounds: bool,  # from Python, so that there is a graph that rounds and one that does not
    ) -> Loss:
        learning_rate, decay, rate_of_ranges, *bias = tf.unstack(rates)
        if self._quantiser:
            self._quantiser.rounds = rounds
            self._quantiser.rate.assign(rate_of_ranges)
        how, side = self._recipe.augmentation, self._recipe.input_size
        if isinstance(how, Pipeline):
            seen = follow(how.steps, photos, boxes, labels, sizes, dice, side=side, read=crop)
        else:
            seen = augment(photos, boxes, labels, dice, side=side, crop=crop, limits=how)
        images, boxes, labels, weights = seen
        images = images * self._scale + self._offset
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._trained)
            outputs = self._model(images, training=True)
            loss = detection_loss(
                outputs, boxes, labels, weights, self._anchors, self._recipe.objective, suppress,
                box_scales(self._model),
            )  # fmt: skip
            if self._kernels:
                extra = penalty(self._kernels)
                loss = loss._replace(total=loss.total + extra, penalty=extra)
        gradients = [
            gradient * factor if factor != 1 else gradient
            for gradient, factor in zip(
                tape.gradient(loss.total, self._trained), self._factors, strict=True
            )
        ]
        if self._recipe.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._recipe.clip_norm)
        for variable, gradient, *slots in zip(
            self._trained, gradients, *self._slots.values(), strict=True
        ):
            apply_gradient(
                self._recipe.optimiser, variable, slots, gradient, learning_rate, (bias[0], bias[1])
            )
        for average, variable in zip(self._averages, self._averaged, strict=True):
            average.assign_sub((average - variable) * (1 - decay))
        return loss
