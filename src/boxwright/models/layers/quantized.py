"""Layers that compute as a file of 8 bits will: kernels and maps rounded to one of 256 values.

Sources: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", section 3; which tensors are rounded, the names of their ranges
and how these are found are TensorFlow 1's `tf.contrib.quantize`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boxwright.backend import framework

keras: Any = framework.keras()
ops: Any = keras.ops

DECAY = 0.999  # of a map's range, in a step
RANGES = ("weights_quant", "act_quant", "post_activation_bypass_quant")
ENDS = ("min", "max")

# (values, min (), max (), bits, narrow) -> rounded values
FakeQuantFunction = Callable[[Any, Any, Any, int, bool], Any]


@dataclass(frozen=True)
class QuantizationSpec:
    """Of a number of a kernel, and of a map; and whether each channel of a kernel has a range of
    its own, symmetric around zero, as TFLite's files have had since TensorFlow 2."""

    weights: int = 8
    activations: int = 8
    by_channel: bool = False


def fake_quant(values: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    """Round to the nearest of `2 ** bits` equidistant numbers, or one fewer if `narrow`.

    They span `[low, high]`, moved so that zero is among them. The gradient is one within that
    range and zero outside: that of the rounding itself would be zero everywhere (the
    straight-through estimator). The formula of TensorFlow's `FakeQuantWithMinMaxVars`.
    """
    first, last = float(narrow), float(2**bits - 1)
    step = ops.maximum((high - low) / (last - first), keras.config.epsilon() ** 3)
    zero = ops.clip(ops.floor(first - low / step + 0.5), first, last)
    low, high = (first - zero) * step, (last - zero) * step
    clipped = ops.clip(values, low, high)
    rounded = ops.floor((clipped - low) / step - (zero - first) + 0.5) * step
    return clipped + ops.stop_gradient(rounded - clipped)


def fake_quant_by_channel(kernel: Any, bits: int, depthwise: bool) -> Any:
    """A kernel `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise, each of whose channels is
    rounded to `2 ** bits - 1` equidistant numbers around zero, the largest among them; the gradient
    is one (TFLite's 8-bit quantization specification)."""
    axes = (0, 1, 3) if depthwise else (0, 1, 2)
    largest = ops.max(ops.abs(kernel), axis=axes, keepdims=True)
    step = ops.maximum(largest / (2 ** (bits - 1) - 1), keras.config.epsilon() ** 3)
    return kernel + ops.stop_gradient(ops.round(kernel / step) * step - kernel)


def range_rate(number: int) -> float:
    """How far a map's range moves towards that of a batch at step `number`, from 0.

    That of the moving average with DECAY, and more in the first 9,000 steps, as TensorFlow 1's
    averages have it that are told of the step: a network that learns quickly would leave a range
    behind that remembers its first steps, and its best scores would all become that range's end.
    """
    return 1 - min(DECAY, (1 + number) / (10 + number))


class Quantizer:
    """What the layers of a quantised network share.

    Attributes:
        spec: of their numbers.
        quantizing: whether they round while training too; else they only watch the ranges. Used for
            detecting, they always round.
        rate: variable, see `range_rate`.
        fake_quant: how they round; an engine may know a faster way.
    """

    def __init__(self, spec: QuantizationSpec) -> None:
        self.spec = spec
        self.quantizing = True
        self.rate = keras.Variable(1.0, trainable=False, dtype="float32", name="range_rate")
        self.fake_quant: FakeQuantFunction = fake_quant


class FakeQuant(keras.layers.Layer):  # type: ignore[misc]
    """Rounds a tensor within its range, which it learns while training.

    A kernel's range is that of its values at the moment; a map's is the moving average of those of
    its batches. Zero is always part of it. Before anything was seen the tensor stays as it is.

    Args:
        quantizer: what it shares with others.
        name: one of RANGES.
        depthwise: whether it is a depthwise convolution's.

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
            self.is_kernel,  # so that no product of two lowest values overflows, says the paper
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
    """A head's convolution, with a bias and without an activation."""

    def __init__(
        self, filters: int, kernel_size: int, quantizer: Quantizer | None, **options: Any
    ) -> None:
        super().__init__(filters, kernel_size, padding="same", **options)
        self.quantized = quantizer is not None
        if quantizer:
            self.weights_quant = FakeQuant(quantizer, "weights_quant")
            self.act_quant = FakeQuant(quantizer, "act_quant")

    def build(self, input_shape: tuple[int, ...]) -> None:
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
    """The variables of a quantised network's ranges, in its order."""
    return [variable for variable in model.weights if is_range(variable)]


def is_range(variable: Any) -> bool:
    """Whether a layer's variable is an end of a range."""
    return variable.name in ENDS
