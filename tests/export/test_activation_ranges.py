"""Ranges of activations for int8: as narrow as leaves the least error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.export.activation_ranges import BINS, STEPS, Activation, narrowed
from boxwright.inference import litert

RANDOM = np.random.default_rng(0)
LAPLACE = RANDOM.laplace(0, 1, 100_000).astype(np.float32)
NEGATIVE = np.where(LAPLACE < 0, 4 * LAPLACE, LAPLACE)
UNIFORM = RANDOM.uniform(-1, 1, 100_000).astype(np.float32)
SLOPE = 0.1


def counted(values: NDArray[np.float32], slope: float = 1.0) -> Activation:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    activation = Activation(low, high, slope, np.zeros(BINS, np.int64))
    for part in np.array_split(values, 50):
        activation.add(part, RANDOM)
    return activation


def error(values: NDArray[np.float32], low: float, high: float, slope: float = 1.0) -> float:
    """The mean squared error of values in 8 bits, of which the negative ones count by `slope`."""
    step = (high - low) / STEPS
    rounded = np.round(values.clip(low, high) / step) * step
    left = [np.where(each > 0, each, slope * each) for each in (rounded, values)]
    return float(np.square(left[0] - left[1]).mean())


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("values", "slope", "share"),
    [
        (LAPLACE, 1.0, 0.85),
        (np.abs(LAPLACE), 1.0, 0.98),
        (NEGATIVE, SLOPE, 0.55),
        (UNIFORM, 1.0, 1.0),
    ],
    ids=["few large values", "positive", "before a leaky ReLU", "no larger values"],
)
def test_a_range_leaves_a_smaller_error(
    values: NDArray[np.float32], slope: float, share: float
) -> None:
    activation = counted(values, slope)
    low, high = activation.best_range()
    assert activation.low <= low <= 0 <= high <= activation.high
    before = error(values, activation.low, activation.high, slope)
    assert error(values, low, high, slope) <= share * before


@pytest.mark.tiny
def test_negative_values_before_a_leaky_relu_may_be_clipped() -> None:
    steep, flat = counted(NEGATIVE).best_range(), counted(NEGATIVE, SLOPE).best_range()
    assert steep[0] <= flat[0] < 0


@pytest.mark.tiny
def test_all_channels_of_a_large_tensor_are_counted() -> None:
    """Every 64th value would be of the same channel."""
    values = np.tile(np.arange(64, dtype=np.float32), 4096)
    assert np.count_nonzero(counted(values).counts) == 64


def test_the_file_keeps_its_network_and_gets_the_ranges() -> None:
    content = calibrated()
    image = RANDOM.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    image[0, 0, 0] = 1000
    better = narrowed(content, [image])
    outputs = [run(file, image) for file in (content, better)]
    assert np.array_equal(*outputs)
    before, after = ranges(content), ranges(better)
    assert before.keys() == after.keys()
    assert sum(after[name] != before[name] for name in before) >= 1
    for name, (low, high) in after.items():
        assert before[name][0] <= low <= high <= before[name][1]


def calibrated() -> bytes:
    """A calibrated convolution with a leaky ReLU, and one huge pixel."""
    import tensorflow as tf

    x = tf.keras.Input((8, 8, 3), batch_size=1)
    network = tf.keras.Model(x, tf.keras.layers.LeakyReLU(SLOPE)(tf.keras.layers.Conv2D(4, 3)(x)))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    images = RANDOM.uniform(-1, 1, (4, 1, 8, 8, 3)).astype(np.float32)
    images[0, 0, 0, 0] = 1000
    converter.representative_dataset = lambda: ([image] for image in images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the converter, as the product does
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=lambda: ([image] for image in images)
        )
    content: bytes = debugger.calibrated_model
    return content


def run(content: bytes, image: NDArray[np.float32]) -> Any:
    interpreter = litert.interpreter(content, 1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def ranges(content: bytes) -> dict[str, tuple[float, float]]:
    from ai_edge_litert import schema_py_generated as schema

    (network,) = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content)).subgraphs
    return {
        tensor.name.decode(): (float(tensor.quantization.min[0]), float(tensor.quantization.max[0]))
        for tensor in network.tensors
        if tensor.quantization is not None and tensor.quantization.min is not None
    }
