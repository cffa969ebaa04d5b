"""Layers for QAT: kernels and activations are rounded to 256 values, as in an int8 file.

Sources: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", section 3; the rounded tensors, the names of their ranges and
their estimation follow TensorFlow 1's `tf.contrib.quantize`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boxwright.backend import framework

keras: Any = framework.keras()
ops: Any = keras.ops

DECAY = 0.999  # of an activation's range, per step
RANGES = ("weights_quant", "act_quant", "post_activation_bypass_quant")
ENDS = ("min", "max")

# (values, min (), max (), bits, narrow) -> rounded values
FakeQuantFunction = Callable[[Any, Any, Any, int, bool], Any]


@dataclass(frozen=True)
class QuantizationSpec:
    """Bits of kernels and of activations; and whether each channel of a kernel has its own range,
    symmetric around zero, as in TFLite files since TensorFlow 2."""

    weights: int = 8
    activations: int = 8
    by_channel: bool = False


def fake_quant(values: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    """Round to the nearest of `2 ** bits` equidistant numbers, or one fewer if `narrow`.

    They span `[low, high]`, shifted to include zero. The gradient is one within that range and zero
    outside (straight-through estimator). The formula is that of TensorFlow's
    `FakeQuantWithMinMaxVars`.
    """
    first, last = float(narrow), float(2**bits - 1)
    step = ops.maximum((high - low) / (last - first), keras.config.epsilon() ** 3)
    zero = ops.clip(ops.floor(first - low / step + 0.5), first, last)
    low, high = (first - zero) * step, (last - zero) * step
    clipped = ops.clip(values, low, high)
    rounded = ops.floor((clipped - low) / step - (zero - first) + 0.5) * step
    return clipped + ops.stop_gradient(rounded - clipped)


def fake_quant_by_channel(kernel: Any, bits: int, depthwise: bool) -> Any:
    """Fake-quantize a kernel `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise: each channel is
    rounded to `2 ** bits - 1` equidistant numbers symmetric around zero; the gradient is one
    (TFLite's 8-bit quantization specification)."""
    axes = (0, 1, 3) if depthwise else (0, 1, 2)
    largest = ops.max(ops.abs(kernel), axis=axes, keepdims=True)
    step = ops.maximum(largest / (2 ** (bits - 1) - 1), keras.config.epsilon() ** 3)
    return kernel + ops.stop_gradient(ops.round(kernel / step) * step - kernel)


def range_rate(number: int) -> float:
    """Update rate of an activation's range towards that of the batch at step `number`, from 0.

    It is the rate of a moving average with DECAY, and larger in the first 9,000 steps, like
    TensorFlow 1's moving averages with a step. Otherwise the range of a quickly learning network
    would lag behind and clip its best scores.
    """
    return 1 - min(DECAY, (1 + number) / (10 + number))


class Quantizer:
    """The shared state of the layers of a QAT network.

    Attributes:
        spec: bits and ranges.
        quantizing: True if layers also round in training; else they only update the ranges. In
            inference they always round.
        rate: variable, see `range_rate`.
        fake_quant: the rounding function; an engine may have a faster one.
    """

    def __init__(self, spec: QuantizationSpec) -> None:
        self.spec = spec
        self.quantizing = True
        self.rate = keras.Variable(1.0, trainable=False, dtype="float32", name="range_rate")
        self.fake_quant: FakeQuantFunction = fake_quant


class FakeQuant(keras.layers.Layer):  # type: ignore[misc]
    """Rounds a tensor within its range, which is updated in training.

    The range of a kernel is that of its current values; the range of an activation is a moving
    average over batches. It always includes zero. Before the first update the tensor is unchanged.

    Args:
        quantizer: the shared state.
        name: one of RANGES.
        depthwise: True for a depthwise kernel.

    Variables: min, max `()`.
    """

    def __init__(self, quantizer: Quantizer, name: str, *, depthwise: bool = False) -> None:
        super().__init__(name=name)
        self.quantizer, self.depthwise = quantizer, depthwise
        self.is_kernel = name == "weights_quant"

    def build(self, _: Any = None) -> None:
        self.min, self.max = (
            self.add_weight(name=end, shape=(), initializer="zeros", trainable=False)
            for end in ENDS
        )

    def call(self, values: Any, training: bool = False) -> Any:
        quantizer, spec = self.quantizer, self.quantizer.spec
        if training:
            self._watch(ops.stop_gradient(values))
            if not quantizer.quantizing:
                return values
        if self.is_kernel and spec.by_channel:
            return fake_quant_by_channel(values, spec.weights, self.depthwise)
        rounded = quantizer.fake_quant(
            values,
            ops.convert_to_tensor(self.min),
            ops.convert_to_tensor(self.max),
            spec.weights if self.is_kernel else spec.activations,
            self.is_kernel,  # avoids overflow of products, see the paper
        )
        return ops.where(self.max > self.min, rounded, values)

    def _watch(self, values: Any) -> None:
        rate = ops.where(self.max > self.min, ops.convert_to_tensor(self.quantizer.rate), 1.0)
        if self.is_kernel:
            rate = 1.0
        for end, now in (
            (self.min, ops.minimum(ops.min(values), 0.0)),
            (self.max, ops.maximum(ops.max(values), 0.0)),
        ):
            end.assign(end + (now - end) * rate)


class Predictor(keras.layers.Conv2D):  # type: ignore[misc]
    """The convolution of a head, with bias and without activation; with `weights_of`, kernel and
    bias are those of another one."""

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        quantizer: Quantizer | None = None,
        weights_of: Predictor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(filters, kernel_size, padding="same", **options)
        self._other = (lambda: weights_of) if weights_of else None  # else tracked
        self.quantized = quantizer is not None
        if quantizer:
            self.weights_quant = FakeQuant(quantizer, "weights_quant")
            self.act_quant = FakeQuant(quantizer, "act_quant")

    def build(self, input_shape: tuple[int, ...]) -> None:
        if self._other:
            other: Any = self._other()
            self._kernel, self.bias = other._kernel, other.bias
        else:
            super().build(input_shape)
        if self.quantized:
            self.weights_quant.build()
            self.act_quant.build()

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not self.quantized:
            return super().call(inputs)
        kernel = self.weights_quant(self.kernel, training=training)
        outputs = ops.conv(inputs, kernel, padding="same") + self.bias
        return self.act_quant(outputs, training=training)


class Addition(keras.layers.Layer):  # type: ignore[misc]
    """The sum of two maps."""

    def __init__(self, quantizer: Quantizer | None, **options: Any) -> None:
        super().__init__(**options)
        self.quantized = quantizer is not None
        if quantizer:
            self.output_quant = FakeQuant(quantizer, "post_activation_bypass_quant")

    def build(self, _: Any) -> None:
        if self.quantized:
            self.output_quant.build()

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        total = inputs[0] + inputs[1]
        return self.output_quant(total, training=training) if self.quantized else total


def ranges(model: Any) -> list[Any]:
    """The range variables of a QAT network, in layer order."""
    return [variable for variable in model.weights if is_range(variable)]


def is_range(variable: Any) -> bool:
    """True if a layer's variable is the minimum or maximum of a range."""
    return variable.name in ENDS
