"""ConvNorm: a convolution and its batch norm as one layer."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from boxwright.backend import framework
from boxwright.models.layers.quantized import FakeQuant, Quantizer

keras: Any = framework.keras()
ops: Any = keras.ops

EPSILON = 1e-3
DECAY = 0.97  # of the moving statistics, per step


# (outputs (B, H, W, C), gamma (C,), beta (C,), epsilon) -> normalized outputs, mean (C,), variance
# (C,)
BatchNorm = Callable[[Any, Any, Any, float], tuple[Any, Any, Any]]
Initializer = Callable[..., Any]  # of a kernel: (shape, dtype) -> values
Activation = Literal["relu6", "relu", "leaky_relu", "linear"]
LEAK = 0.1  # slope of a leaky ReLU below zero


@dataclass(frozen=True)
class LayerSpec:
    """Settings of the convolutions of a part of the network.

    Attributes:
        activation: the activation after batch norm.
        epsilon: is added to the variance in batch norm.
        scale, center: True for a trainable gamma and beta; else they are 1 and 0.
        explicit_padding: True for equal padding on all sides; else padding as TensorFlow's `SAME`,
            which differs for a stride of 2 and an even side.
    """

    activation: Activation = "relu6"
    epsilon: float = EPSILON
    scale: bool = True
    center: bool = True
    explicit_padding: bool = False


PLAIN = LayerSpec()


def batch_norm(outputs: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalize by batch statistics (Ioffe and Szegedy 2015, algorithms 1 and 2), with the biased
    variance; the returned variance is the unbiased estimate."""
    mean, variance = ops.moments(ops.cast(outputs, "float32"), axes=(0, 1, 2))
    scale = gamma * ops.rsqrt(variance + epsilon)
    bias = beta - mean * scale
    normalized = outputs * ops.cast(scale, outputs.dtype) + ops.cast(bias, outputs.dtype)
    count = math.prod(outputs.shape[:-1])
    return normalized, mean, variance * (count / max(count - 1, 1))


class ConvNorm(keras.layers.Layer):  # type: ignore[misc]
    """Convolution without bias, batch norm, and an activation unless it is linear.

    A frozen batch norm is folded into the convolution at no cost. A training one
    (`norm_frozen = False` and `training=True`) uses batch statistics and updates the moving ones.
    All four batch-norm variables always exist, so that checkpoints of the Object Detection API can
    be read and written.

    With a quantizer, the folded kernel and the outputs are fake-quantized. With `kernel_of`, the
    kernel is that of another layer, and only the batch norm is the layer's own.

    Variables: kernel `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise; gamma, beta,
    moving_mean, moving_variance `(out,)`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        *,
        depthwise: bool = False,
        linear: bool = False,
        spec: LayerSpec = PLAIN,
        initializer: Initializer | None = None,
        quantizer: Quantizer | None = None,
        kernel_of: Any = None,
        **options: Any,
    ) -> None:
        if depthwise and strides > 1 and options.get("trainable", True):
            # oneDNN takes 20 times as long for its gradient in bfloat16.
            options["dtype"] = "float32"
        super().__init__(**options)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.depthwise = depthwise
        self.spec = spec
        self.initializer = initializer or near_identity
        self._other_kernel = (lambda: kernel_of.kernel) if kernel_of else None  # else tracked
        self.shares_kernel = kernel_of is not None
        if kernel_of:
            kernel_of.shares_kernel = True
        self.activation = _activation("linear" if linear else spec.activation)
        self.norm_frozen = True
        self.scale_is_one = False
        self.decay = DECAY
        self.batch_norm: BatchNorm = batch_norm  # an engine may have a faster one,
        self.add_bias: Callable[[Any, Any], Any] = ops.add  # likewise
        self.quantizer = quantizer
        if quantizer:
            self.weights_quant = FakeQuant(quantizer, "weights_quant", depthwise=depthwise)
            self.act_quant = FakeQuant(quantizer, "act_quant")

    def build(self, input_shape: tuple[int, ...]) -> None:
        channels = input_shape[-1]
        out = channels if self.depthwise else self.filters
        # Statistics and folding need float32, whatever the convolution's compute type.
        add = functools.partial(self.add_weight, autocast=False)
        if self._other_kernel:
            self.kernel = self._other_kernel()
        else:
            self.kernel = add(
                name="kernel",
                shape=(self.kernel_size, self.kernel_size, channels, 1 if self.depthwise else out),
                initializer=self.initializer,
            )
        scale, center = self.spec.scale, self.spec.center
        self.gamma = add(name="gamma", shape=(out,), initializer="ones", trainable=scale)
        self.beta = add(name="beta", shape=(out,), initializer="zeros", trainable=center)
        self.moving_mean = add(
            name="moving_mean", shape=(out,), initializer="zeros", trainable=False
        )
        self.moving_variance = add(
            name="moving_variance", shape=(out,), initializer="ones", trainable=False
        )
        if self.quantizer:
            self.weights_quant.build()
            self.act_quant.build()

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Defined here, since Keras would trace the layer otherwise (0.3 s per network)."""
        batch, height, width, channels = input_shape
        sides = (side and -(-side // self.strides) for side in (height, width))
        return (batch, *sides, channels if self.depthwise else self.filters)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training and not self.norm_frozen:
            outputs = self.activation(self._normalized_by_batch(inputs))
        else:
            kernel, bias = self.folded()
            if self.quantizer:
                kernel = self.weights_quant(kernel, training=training)
            outputs = self.convolve(inputs, kernel)
            outputs = self.activation(self.add_bias(outputs, ops.cast(bias, outputs.dtype)))
        return self.act_quant(outputs, training=training) if self.quantizer else outputs

    def folded(self) -> tuple[Any, Any]:
        """Kernel and bias of the convolution with folded batch norm."""
        if self.scale_is_one:
            return self.kernel, self.beta - self.moving_mean
        scale = self.gamma * ops.rsqrt(self.moving_variance + self.spec.epsilon)
        shape = (1, 1, -1, 1) if self.depthwise else (1, 1, 1, -1)
        return self.kernel * ops.reshape(scale, shape), self.beta - self.moving_mean * scale

    def convolve(self, inputs: Any, kernel: Any) -> Any:
        """The bare convolution in the layer's compute type."""
        inputs, kernel = (ops.cast(x, self.compute_dtype) for x in (inputs, kernel))
        convolution = ops.depthwise_conv if self.depthwise else ops.conv
        padding = "same"
        if self.spec.explicit_padding and self.strides > 1:  # else it is the same
            before, padding = (self.kernel_size - 1) // 2, "valid"
            sides = (before, self.kernel_size - 1 - before)
            inputs = ops.pad(inputs, ((0, 0), sides, sides, (0, 0)))
        return convolution(inputs, kernel, strides=self.strides, padding=padding)

    def _normalized_by_batch(self, inputs: Any) -> Any:
        outputs = self.convolve(inputs, self.kernel)
        normalized, mean, variance = self.batch_norm(
            outputs, self.gamma, self.beta, self.spec.epsilon
        )
        if self.quantizer:
            normalized = normalized + self._quantization_error(inputs, variance)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.decay + now * (1 - self.decay))
        return normalized

    def _quantization_error(self, inputs: Any, variance: Any) -> Any:
        """The effect of quantizing the folded kernel on outputs normalized by the batch.

        The kernel is folded with the moving statistics, as in the exported file, because batch
        statistics fluctuate from step to step; the outputs are rescaled accordingly
        (Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference",
        section 3.2.2).
        """
        folded, _ = self.folded()
        error = self.weights_quant(folded, training=True) - folded
        deviations = ops.sqrt(
            (self.moving_variance + self.spec.epsilon) / (variance + self.spec.epsilon)
        )
        # Straight-through estimator: the gradient ignores the rounding.
        error, deviations = ops.stop_gradient(error), ops.stop_gradient(deviations)
        return self.convolve(inputs, error) * deviations

    def absorb_scale(self) -> None:
        """Move the batch norm's scale into the kernel, leaving the layer's function unchanged.

        Afterwards gamma equals the moving standard deviation, so that an optimizer step on the
        kernel has the same effect for every gamma, and the forward pass is a convolution and a
        bias. Mean and variance are rescaled with the kernel and remain correct. A layer that shares
        its kernel keeps its scale.
        """
        if self.shares_kernel:
            return
        gamma, variance = self.gamma.numpy(), self.moving_variance.numpy()
        epsilon = self.spec.epsilon
        scale = gamma / np.sqrt(variance + epsilon)
        shape = (1, 1, -1, 1) if self.depthwise else (1, 1, 1, -1)
        self.kernel.assign(self.kernel.numpy() * scale.reshape(shape))
        self.moving_mean.assign(self.moving_mean.numpy() * scale)
        # A channel with a gamma near zero gets the smallest deviation that epsilon allows.
        self.gamma.assign(np.maximum(np.abs(gamma), np.sqrt(epsilon)))
        self.moving_variance.assign(np.maximum(gamma**2 - epsilon, 0))
        self.scale_is_one = True

    def set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Replace the moving statistics; gamma and beta compensate, so outputs do not change.

        Args:
            mean, variance: `(out,)` of the convolution's outputs over images.
        """
        epsilon = self.spec.epsilon
        scale = self.gamma.numpy() / np.sqrt(self.moving_variance.numpy() + epsilon)
        beta = self.beta.numpy() + (mean - self.moving_mean.numpy()) * scale
        self.gamma.assign(scale * np.sqrt(variance + epsilon))
        self.beta.assign(beta)
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)


def leaky_relu(x: Any) -> Any:
    """Leaky ReLU with the slope LEAK (Maas et al. 2013)."""
    return ops.leaky_relu(x, LEAK)


def _activation(name: Activation) -> Callable[[Any], Any]:
    return leaky_relu if name == "leaky_relu" else getattr(keras.activations, name)


def near_identity(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Kernels near the identity, so that a thin network preserves positions from the first step
    (Zagoruyko and Komodakis 2017, "DiracNets"): two dozen random layers blur them more than a short
    training can undo.

    A depthwise kernel starts near the delta, every other one with an edge filter added. A pointwise
    kernel that keeps or doubles the channels starts near the identity with reduced He noise (He et
    al. 2015, equation 10); all others use He initialization.
    """
    height, width, inputs, outputs = shape
    start = np.zeros(shape, np.float32)
    noise = float(np.sqrt(2.0 / (height * width * inputs)))
    if outputs == 1:
        start[height // 2, width // 2] = 1.0
        edge = np.outer(np.linspace(1, -1, height), np.ones(width))
        for i, filter_ in enumerate((edge, edge.T, -edge, -edge.T)):
            start[:, :, 1 + 2 * i :: 8, 0] += (0.7 * filter_ / np.linalg.norm(filter_))[:, :, None]
        noise = 0.1
    elif height == width == 1 and outputs in {inputs, 2 * inputs}:
        start[0, 0] = np.tile(np.eye(inputs), outputs // inputs)
        noise *= 0.3
    return start + keras.random.normal(shape, stddev=noise, dtype=dtype)
