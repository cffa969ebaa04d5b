"""Training on TensorFlow: the compiled step, gradients, optimizers, weight averaging."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.model import Loss
from boxwright.training import step
from boxwright.training.optimizers import Adam, Momentum, Optimizer, RmsProp

tf: Any = framework.tensorflow()


def crop(images: Any, windows: Any, side: int) -> Any:
    """Bilinear, with half-pixel centers, gray outside: `augment.pipeline.CropAndResize`.

    TensorFlow's op places the first and last samples on the window's edges; the windows are
    moved inwards so that each sample is in the center of its pixel.
    """
    last = tf.cast(tf.shape(images)[1] - 1, tf.float32)  # images are square
    start, end = windows[:, :2], windows[:, 2:]
    half = (end - start) / (2 * side)
    first_sample = ((start + half) * (last + 1) - 0.5) / last
    last_sample = ((end - half) * (last + 1) - 0.5) / last
    corners = tf.concat([first_sample, last_sample], axis=1)
    rows = tf.range(tf.shape(images)[0])
    return tf.image.crop_and_resize(images, corners, rows, [side, side], extrapolation_value=127.0)


def fused_batch_norm(outputs: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """`models.layers.conv_norm.batch_norm` as one op: less than half the time of its parts."""
    unused = tf.zeros([0])
    normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=outputs, scale=gamma, offset=beta, mean=unused, variance=unused,
        epsilon=epsilon, is_training=True,
    )  # fmt: skip
    return normalized, mean, variance


def fused_fake_quant(values: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    """`models.layers.quantized.fake_quant` as one op."""
    return tf.quantization.fake_quant_with_min_max_vars(values, low, high, bits, narrow)


def suppress(boxes: Any, scores: Any, max_total: int, iou_threshold: float) -> Any:
    """Greedy non-maximum suppression (NMS) within each image. See `models.model.Suppress`."""
    kept = [
        tf.scatter_nd(index[:, None], tf.ones_like(index), [own.shape[0]])
        for own, score in zip(tf.unstack(boxes), tf.unstack(scores), strict=True)
        for index in [tf.image.non_max_suppression(own, score, max_total, iou_threshold)]
    ]
    return tf.cast(tf.stack(kept), tf.bool)


def apply_gradient(
    optimizer: Optimizer,
    variable: Any,
    slots: Sequence[Any],
    gradient: Any,
    learning_rate: Any,
    bias: tuple[Any, Any],
) -> None:
    """Update one variable with one op, where Keras' Adam needs a dozen small ones.

    Args:
        optimizer: the optimizer with its constants.
        variable: the variable to update.
        slots: its slots, in the order of `optimizer.slots`.
        gradient: gradient of the variable.
        learning_rate: learning rate of this step.
        bias: Adam's betas to the power of the step, from 1; only used by Adam.
    """
    handles = [slot.handle for slot in slots]
    match optimizer:
        case Adam():
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=handles[0], v=handles[1],
                beta1_power=bias[0], beta2_power=bias[1], lr=learning_rate,
                beta1=optimizer.beta_1, beta2=optimizer.beta_2, epsilon=optimizer.epsilon,
                grad=gradient,
            )  # fmt: skip
        case RmsProp():
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle, ms=handles[0], mom=handles[1], lr=learning_rate,
                rho=optimizer.decay, momentum=optimizer.momentum, epsilon=optimizer.epsilon,
                grad=gradient,
            )  # fmt: skip
        case Momentum():
            apply = (
                tf.raw_ops.ResourceApplyKerasMomentum
                if optimizer.accumulates_steps
                else tf.raw_ops.ResourceApplyMomentum
            )
            apply(
                var=variable.handle, accum=handles[0], lr=learning_rate, grad=gradient,
                momentum=optimizer.momentum,
            )  # fmt: skip


compiled = functools.partial(tf.function, autograph=False)  # the Python is meant as it is
faster_precision = functools.partial(step.measured_precision, compiled)


def gradient(function: Callable[..., Any], arguments: Sequence[int]) -> Callable[..., Any]:
    """As `tools.EngineModule`."""

    def differentiated(*values: Any) -> Any:
        wanted = [values[i] for i in arguments]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(wanted)
            result = function(*values)
        return tape.gradient(result, wanted)

    return compiled(differentiated)  # type: ignore[no-any-return]


class Engine(step.Engine):
    """Training on TensorFlow."""

    crop = staticmethod(crop)
    suppress = staticmethod(suppress)

    def _prepare(self) -> None:
        for layer in self._model.network.layers:
            if isinstance(layer, ConvNorm):
                layer.batch_norm = fused_batch_norm
                layer.add_bias = tf.nn.bias_add  # its gradient becomes a part of the kernel's
        if self._quantizer:
            self._quantizer.fake_quant = fused_fake_quant
        self._compiled = compiled(self._traced)

    def _step(self, batch: tuple[Any, ...], rates: NDArray[np.float32], quantizing: bool) -> Loss:
        loss: Loss = self._compiled(batch, rates, quantizing)
        return loss

    def _traced(
        self,
        batch: tuple[Any, ...],
        rates: Any,
        quantizing: bool,  # a Python bool: one graph with rounding, one without
    ) -> Loss:
        learning_rate, decay, rate_of_ranges, *bias = tf.unstack(rates)
        if self._quantizer:
            self._quantizer.quantizing = quantizing
            self._quantizer.rate.assign(rate_of_ranges)
        trained = [variable.value for variable in self._trained]
        seen = self._seen(*batch)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trained)
            loss = self._loss(*seen)
        gradients = self._weighed(tape.gradient(loss.total, trained))
        if self._recipe.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._recipe.clip_norm)
        for variable, gradient, *slots in zip(
            trained, gradients, *self._slots.values(), strict=True
        ):
            apply_gradient(
                self._recipe.optimizer,
                variable,
                [slot.value for slot in slots],
                gradient,
                learning_rate,
                (bias[0], bias[1]),
            )
        for average, variable in zip(self._averages, self._averaged, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(  # average -= (1 - decay) * difference
                var=average.value.handle, alpha=1 - decay, delta=average.value - variable.value
            )
        return loss
