"""TensorFlow's part of training: the compiled step, gradients, fused Adam, weight averaging."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models import framework
from boxwright.models.norm import EPSILON, ConvNorm
from boxwright.training.augment import augment
from boxwright.training.objective import Loss, detection_loss
from boxwright.training.recipe import Recipe

tf: Any = framework.tensorflow()
# A second moment that forgets within a hundred steps: a run is over after some hundreds, and the
# first, large gradients would slow down all of it.
BETA_1, BETA_2, TINY = 0.9, 0.99, 1e-7


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


def fused_batch_norm(outputs: Any, gamma: Any, beta: Any) -> tuple[Any, Any, Any]:
    """`models.norm.batch_norm` as one op: less than half the time of its parts."""
    unused = tf.zeros([0])
    normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=outputs, scale=gamma, offset=beta, mean=unused, variance=unused,
        epsilon=EPSILON, is_training=True,
    )  # fmt: skip
    return normalised, mean, variance


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
        statistics: Keras variables that change by themselves (batch norm's) and are averaged too.
        anchors: `(A, 4)` normalised yxyx.
        recipe: sizes and rates.
        scale, offset: from pixels to the network's input range.
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
    ) -> None:
        self._model = model
        for layer in model.layers:
            if isinstance(layer, ConvNorm):
                layer.batch_norm = fused_batch_norm
        self._anchors = tf.constant(anchors)
        self._recipe = recipe
        self._scale, self._offset = scale, offset
        self._trained = [variable.value for variable in variables]
        self._averaged = [*self._trained, *(variable.value for variable in statistics)]
        self._averages = [tf.Variable(value) for value in self._averaged]
        self._first = [tf.Variable(tf.zeros_like(value)) for value in self._trained]
        self._second = [tf.Variable(tf.zeros_like(value)) for value in self._trained]
        self._compiled = tf.function(self._step)

    def step(
        self,
        photos: NDArray[np.uint8],
        boxes: NDArray[np.float32],
        labels: NDArray[np.int32],
        dice: NDArray[np.float32],
        *,
        number: int,
        learning_rate: float,
    ) -> Loss:
        """One step on a batch; `number` counts from 0. Returns the losses before it, floats."""
        decay = min(self._recipe.average, (1 + number) / (10 + number))
        powers = BETA_1 ** (number + 1), BETA_2 ** (number + 1)
        rates = tf.constant([learning_rate, decay, *powers], tf.float32)
        loss = self._compiled(photos, boxes, labels, dice, rates)
        return Loss(*(float(value) for value in loss))

    def averages(self) -> list[NDArray[np.float32]]:
        """The averaged values of `variables`, then of `statistics`."""
        return [value.numpy() for value in self._averages]

    def state(self) -> dict[str, NDArray[np.float32]]:
        """All that a checkpoint needs."""
        return {
            f"{kind}/{i}": value.numpy()
            for kind, values in self._parts()
            for i, value in enumerate(values)
        }

    def restore(self, state: dict[str, NDArray[np.float32]]) -> None:
        """The inverse of `state`."""
        for kind, values in self._parts():
            for i, value in enumerate(values):
                value.assign(state[f"{kind}/{i}"])

    def _parts(self) -> tuple[tuple[str, list[Any]], ...]:
        return (
            ("average", self._averages),
            ("first_moment", self._first),
            ("second_moment", self._second),
        )

    def _step(self, photos: Any, boxes: Any, labels: Any, dice: Any, rates: Any) -> Loss:
        learning_rate, decay, beta_1_power, beta_2_power = tf.unstack(rates)
        images, boxes, labels, weights = augment(
            photos,
            boxes,
            labels,
            dice,
            side=self._recipe.input_size,
            crop=crop,
            limits=self._recipe.augmentation,
        )
        images = images * self._scale + self._offset
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._trained)
            outputs = self._model(images, training=True)
            loss = detection_loss(
                outputs, boxes, labels, weights, self._anchors, self._recipe.class_weight
            )
        gradients = tape.gradient(loss.total, self._trained)
        for variable, first, second, gradient in zip(
            self._trained, self._first, self._second, gradients, strict=True
        ):
            # Keras' Adam is a dozen small ops per variable; this is one.
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=beta_1_power,
                beta2_power=beta_2_power,
                lr=learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=TINY,
                grad=gradient,
            )
        for average, variable in zip(self._averages, self._averaged, strict=True):
            average.assign_sub((average - variable) * (1 - decay))
        return loss
