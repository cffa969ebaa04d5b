"""Fake quantisation: TensorFlow's own numbers, gradients straight through, ranges that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework

RANGES_OF_MAPS = [(0.0, 6.0), (-6.0, 6.0), (-0.3, 5.1), (-2.71, 0.4), (0.0, 0.013), (-1e-3, 900.0)]


@pytest.fixture(scope="module")
def quantized() -> Any:
    framework.keras()
    from boxwright.models.layers import quantized

    return quantized


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize(("low", "high"), RANGES_OF_MAPS)
def test_rounded_as_tensorflow_does(
    quantized: Any, low: float, high: float, bits: int, narrow: bool
) -> None:
    tf = framework.tensorflow()
    values = np.linspace(1.3 * low - 0.1 * high, 1.3 * high, 5000, dtype=np.float32)
    expected = tf.quantization.fake_quant_with_min_max_vars(values, low, high, bits, narrow)
    low, high = tf.constant(low), tf.constant(high)
    found = quantized.fake_quant(tf.constant(values), low, high, bits, narrow)
    step = float(high - low) / (2**bits - 1)
    apart = np.abs(found.numpy() - expected.numpy())
    assert np.quantile(apart, 0.99) <= 1e-5 * step
    assert apart.max() <= 1.01 * step * (2**bits) / (2**bits - 2), "a tie may go the other way"
    assert len(np.unique(expected)) in {2**bits - narrow, 2**bits}
    zero = quantized.fake_quant(tf.constant([0.0]), low, high, bits, narrow)
    assert abs(float(zero[0])) <= 1e-6 * step, "zero is one of the numbers"


def test_a_range_of_nothing_gives_zeros(quantized: Any) -> None:
    tf = framework.tensorflow()
    zeros = quantized.fake_quant(
        tf.constant([0.0, 1.0]), tf.constant(0.0), tf.constant(0.0), 8, False
    )
    np.testing.assert_allclose(zeros, 0.0, atol=1e-6)


def test_the_gradient_goes_straight_through_within_the_range(quantized: Any) -> None:
    tf = framework.tensorflow()
    values, low, high = tf.constant([-9.0, -5.9, 0.01, 3.3, 5.9, 6.5]), tf.constant(-6.0), 6.0
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(quantized.fake_quant(values, low, tf.constant(high), 8, False))
    np.testing.assert_array_equal(tape.gradient(total, values), [0, 1, 1, 1, 1, 0])


# ---- Ranges ------------------------------------------------------------------------------------


def layer_of(quantized: Any, name: str) -> tuple[Any, Any]:
    quantizer = quantized.Quantizer(quantized.QuantizationSpec())
    layer = quantized.FakeQuant(quantizer, name)
    layer.build()
    return layer, quantizer


def test_a_maps_range_is_the_moving_average_of_its_batches(quantized: Any) -> None:
    """That of `tf.train.ExponentialMovingAverage(0.999, num_updates=step)`, zero always within."""
    layer, quantizer = layer_of(quantized, "act_quant")
    batches = np.random.default_rng(0).normal(1.0, 1.0, (6, 40)).astype(np.float32)
    batches[2] += 10  # all above zero
    average = None
    for number, values in enumerate(batches):
        quantizer.rate.assign(quantized.range_rate(number))
        layer(values, training=True)
        ends = np.array([min(values.min(), 0), max(values.max(), 0)])
        decay = min(0.999, (1 + number) / (10 + number))
        average = ends if average is None else decay * average + (1 - decay) * ends
        np.testing.assert_allclose([layer.min, layer.max], average, rtol=1e-5)
    assert quantized.range_rate(10**6) == pytest.approx(0.001)


def test_a_range_that_is_first_watched_late_starts_at_what_it_sees(quantized: Any) -> None:
    layer, quantizer = layer_of(quantized, "act_quant")
    quantizer.rate.assign(quantized.range_rate(40_000))
    layer(np.float32([-2, 3]), training=True)
    assert (float(layer.min), float(layer.max)) == (-2, 3)


def test_a_kernels_range_is_that_of_its_values_now(quantized: Any) -> None:
    layer, quantizer = layer_of(quantized, "weights_quant")
    quantizer.rate.assign(0.001)
    for values, expected in (([-2, 3], (-2, 3)), ([0.5, 1], (0, 1)), ([-4, -1], (-4, 0))):
        layer(np.float32(values), training=True)
        assert (float(layer.min), float(layer.max)) == expected


def test_until_it_rounds_training_only_watches(quantized: Any) -> None:
    layer, quantizer = layer_of(quantized, "act_quant")
    values = np.float32([0.0, 0.011, 6.0])
    np.testing.assert_array_equal(layer(values), values, "nothing was seen yet")
    quantizer.quantizing = False
    np.testing.assert_array_equal(layer(values, training=True), values)
    rounded = [0.0, 0.0, 6.0]
    np.testing.assert_allclose(layer(values), rounded, atol=1e-6)
    quantizer.quantizing = True
    np.testing.assert_allclose(layer(values, training=True), rounded, atol=1e-6)
