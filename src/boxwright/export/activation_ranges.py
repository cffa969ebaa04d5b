"""Ranges of activations for int8 that leave the smallest errors.

The converter's range of a tensor reaches from its smallest to its largest value. A narrower one
clips a few values and rounds all others more finely (Nagel et al. 2021, "A White Paper on Neural
Network Quantization", 3.1). Of negative inputs of a leaky ReLU little is left, and of their errors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.inference import litert

Floats = NDArray[np.float64]

STEPS = 255
BINS = 1024  # of a histogram: four of each int8 step
SAMPLED = 4096  # values of a tensor in an image
PARTS = [part / 20 for part in range(20, 1, -1)]  # of each end of a range


@dataclass(frozen=True)
class Activation:
    """A tensor with the range of its values.

    Attributes:
        low, high: the range, which contains zero.
        slope: what is left of a change of a negative value.
        counts: `(BINS,)` histogram of the values, which is filled in place.
    """

    low: float
    high: float
    slope: float
    counts: NDArray[np.int64]

    def add(self, values: NDArray[np.float32], random: np.random.Generator) -> None:
        """Count some of the values; at equal distances they would be of a few channels."""
        if len(values) > SAMPLED:
            values = values[random.integers(0, len(values), SAMPLED)]
        found, _ = np.histogram(values, BINS, (self.low, self.high))
        self.counts[:] += found

    def best_range(self) -> tuple[float, float]:
        """The part of the range, still with zero inside, that leaves the least squared error."""
        half = (self.high - self.low) / (2 * BINS)
        values = np.linspace(self.low + half, self.high - half, BINS)
        ends = [(part * self.low, other * self.high) for part in PARTS for other in PARTS]
        distinct = list(dict.fromkeys(ends))
        return min(distinct, key=lambda end: self._error(values, *end))

    def _error(self, values: Floats, low: float, high: float) -> float:
        step = (high - low) / STEPS
        zero = round(-low / step)
        rounded = (np.clip(np.round(values / step) + zero, 0, STEPS) - zero) * step
        error = _sloped(rounded, self.slope) - _sloped(values, self.slope)
        return float(self.counts @ np.square(error))


def narrowed(
    content: bytes, images: Iterable[NDArray[np.float32]], exact: Collection[str] = ()
) -> bytes:
    """A calibrated .tflite with better ranges.

    Args:
        content: the file: float32, with the smallest and the largest value of each tensor.
        images: inputs of the network, `(1, S, S, 3)`.
        exact: tensors that stay in float32, and keep their ranges: a tensor of the same scale may
            get its range from them.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (network,) = model.subgraphs
    activations = _activations(model, exact)
    interpreter = _interpreter(content)
    (at,) = interpreter.get_input_details()
    random = np.random.default_rng(0)
    for image in images:
        interpreter.set_tensor(at["index"], image)
        interpreter.invoke()
        for index, activation in activations.items():
            activation.add(interpreter.get_tensor(index).reshape(-1), random)
    for index, activation in activations.items():
        low, high = activation.best_range()
        quantization = network.tensors[index].quantization
        quantization.min, quantization.max = (np.array([end], np.float32) for end in (low, high))
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), litert.MAGIC)
    return bytes(builder.Output())


def _activations(model: schema.ModelT, exact: Collection[str]) -> Mapping[int, Activation]:
    """The tensors that operators compute, by index, with an empty histogram."""
    (network,) = model.subgraphs
    leaky = schema.BuiltinOperator.LEAKY_RELU
    slopes = {
        int(operator.inputs[0]): float(operator.builtinOptions.alpha)
        for operator in network.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == leaky
    }
    found = {}
    for operator in network.operators:
        for index in map(int, operator.outputs):
            tensor = network.tensors[index]
            low, high = _range(tensor.quantization)
            if low < high and tensor.name.decode() not in exact:
                counts = np.zeros(BINS, np.int64)
                found[index] = Activation(low, high, slopes.get(index, 1.0), counts)
    return found


def _range(quantization: Any) -> tuple[float, float]:
    """The range of a tensor, with zero; an empty one for a tensor without."""
    if quantization is None or quantization.min is None or len(quantization.min) != 1:
        return 0.0, 0.0
    return min(float(quantization.min[0]), 0.0), max(float(quantization.max[0]), 0.0)


def _interpreter(content: bytes) -> Any:
    """An interpreter that keeps all tensors, which delegates do not."""
    api = framework.litert()
    with framework.hushed():
        made = api.Interpreter(
            model_content=content,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=api.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        made.allocate_tensors()
    return made


def _sloped(values: Floats, slope: float) -> Floats:
    return values if slope == 1 else np.where(values > 0, values, slope * values)
