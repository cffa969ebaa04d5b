"""ConvNorm: the folded and the trained form are the same layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from boxwright.backend.framework import keras, tensorflow


def random_layer(*, depthwise: bool, seed: int = 0) -> tuple[Any, Any]:
    """A ConvNorm whose gamma over sigma ranges from 1/50 to 50, and an input for it."""
    keras().utils.set_random_seed(seed)
    from boxwright.models.layers.conv_norm import ConvNorm

    rng = np.random.default_rng(seed)
    layer = ConvNorm(8, 3, 2, depthwise=depthwise)
    inputs = rng.normal(size=(4, 9, 9, 8)).astype(np.float32)
    layer.build(inputs.shape)
    layer.gamma.assign(rng.choice([-1, 1], 8) * np.exp(rng.uniform(-4, 4, 8)))
    layer.beta.assign(rng.normal(size=8))
    layer.moving_mean.assign(rng.normal(size=8))
    layer.moving_variance.assign(np.exp(rng.uniform(-2, 2, 8)))
    return layer, inputs


@pytest.mark.parametrize("depthwise", [False, True])
def test_absorbing_the_scale_changes_no_output(depthwise: bool) -> None:
    layer, inputs = random_layer(depthwise=depthwise)
    before = np.asarray(layer(inputs))
    layer.absorb_scale()
    np.testing.assert_allclose(layer(inputs), before, atol=1e-4)
    layer.scale_is_one = False  # as when the variables are loaded into a fresh layer
    np.testing.assert_allclose(layer(inputs), before, atol=1e-4)


@pytest.mark.parametrize("depthwise", [False, True])
def test_absorbing_keeps_true_statistics(depthwise: bool) -> None:
    """Trained on after absorbing, batch norm gives what it gave before (to the weight that
    epsilon has beside a channel's variance)."""
    layer, inputs = random_layer(depthwise=depthwise)
    layer.gamma.assign(np.linspace(2, 9, 8))
    outputs = np.asarray(layer.convolve(inputs, layer.kernel))
    layer.set_statistics(outputs.mean((0, 1, 2)), outputs.var((0, 1, 2)))
    layer.norm_frozen = False
    before = np.asarray(layer(inputs, training=True))
    layer.absorb_scale()
    np.testing.assert_allclose(layer(inputs, training=True), before, atol=0.02)
    absorbed = np.asarray(layer.convolve(inputs, layer.kernel))
    np.testing.assert_allclose(absorbed.std((0, 1, 2)), layer.gamma, rtol=1e-3)
    np.testing.assert_allclose(absorbed.mean((0, 1, 2)), layer.moving_mean, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("depthwise", [False, True])
def test_new_statistics_change_no_output(depthwise: bool) -> None:
    layer, inputs = random_layer(depthwise=depthwise)
    before = np.asarray(layer(inputs))
    layer.set_statistics(np.full(8, 0.7, np.float32), np.full(8, 2.5, np.float32))
    np.testing.assert_allclose(layer(inputs), before, atol=1e-4)


def test_training_uses_the_batch_and_moves_the_statistics() -> None:
    layer, inputs = random_layer(depthwise=False)
    layer.norm_frozen = False
    outputs = np.asarray(layer.convolve(inputs, layer.kernel))
    mean_before = np.asarray(layer.moving_mean)
    scale = np.asarray(layer.gamma) / np.sqrt(outputs.var((0, 1, 2)) + 1e-3)
    expected = (outputs - outputs.mean((0, 1, 2))) * scale + np.asarray(layer.beta)
    np.testing.assert_allclose(layer(inputs, training=True), np.clip(expected, 0, 6), atol=1e-4)
    moved = mean_before * 0.97 + outputs.mean((0, 1, 2)) * 0.03
    np.testing.assert_allclose(layer.moving_mean, moved, atol=1e-5)


# ---- Quantised ---------------------------------------------------------------------------------


def quantized_layer(*, depthwise: bool) -> tuple[Any, Any]:
    """As `random_layer`, rounding, its ranges watched on the input; gamma over sigma is near one,
    since one step fits all channels of a kernel."""
    from boxwright.models.layers.conv_norm import ConvNorm
    from boxwright.models.layers.quantized import QuantizationSpec, Quantizer

    plain, inputs = random_layer(depthwise=depthwise)
    layer = ConvNorm(8, 3, 2, depthwise=depthwise, quantizer=Quantizer(QuantizationSpec()))
    layer.build(inputs.shape)
    for variable in plain.weights:
        getattr(layer, variable.name).assign(variable)
    layer.gamma.assign(np.linspace(0.5, 1.5, 8))
    layer(inputs, training=True)
    return layer, inputs


def fake_quant(values: Any, layer: Any, *, narrow: bool) -> Any:
    ends = float(layer.min), float(layer.max)
    op = tensorflow().quantization.fake_quant_with_min_max_vars
    return op(values, *ends, num_bits=8, narrow_range=narrow)


@pytest.mark.parametrize("depthwise", [False, True])
def test_quantized_it_rounds_the_folded_kernel_and_the_outputs(depthwise: bool) -> None:
    layer, inputs = quantized_layer(depthwise=depthwise)
    scale = np.asarray(layer.gamma) / np.sqrt(np.asarray(layer.moving_variance) + 1e-3)
    folded = layer.kernel * scale.reshape((1, 1, -1, 1) if depthwise else -1)
    assert float(layer.weights_quant.max) == pytest.approx(np.max(folded))
    kernel = fake_quant(folded, layer.weights_quant, narrow=True)
    outputs = layer.convolve(inputs, kernel) + (layer.beta - layer.moving_mean * scale)
    expected = fake_quant(np.clip(outputs, 0, 6), layer.act_quant, narrow=False)
    for training in (False, True):
        found = np.asarray(layer(inputs, training=training))
        one_step = (
            1.01 * float(layer.act_quant.max) / 255
        )  # what stands between two may go either way
        np.testing.assert_allclose(found, expected, atol=one_step)
        assert np.mean(np.abs(found - expected) > 1e-5) < 0.01


@pytest.mark.parametrize("depthwise", [False, True])
def test_quantized_and_normalized_by_the_batch_as_tensorflow_1_did(depthwise: bool) -> None:
    """Kernels folded with the moving variance and rounded, outputs scaled to the batch's:
    `fold_batch_norms` of `tf.contrib.quantize`, before it freezes batch norm."""
    layer, inputs = quantized_layer(depthwise=depthwise)
    layer.norm_frozen = False
    layer.activation = lambda outputs: outputs
    layer.quantizer.quantizing = True
    gamma, beta = np.asarray(layer.gamma), np.asarray(layer.beta)
    moving = np.sqrt(np.asarray(layer.moving_variance) + 1e-3)
    raw = np.asarray(layer.convolve(inputs, layer.kernel))
    mean, deviation = raw.mean((0, 1, 2)), np.sqrt(raw.var((0, 1, 2)) + 1e-3)
    layer.quantizer.rate.assign(1.0)
    found = np.asarray(layer(inputs, training=True))
    folded = layer.kernel * (gamma / moving).reshape((1, 1, -1, 1) if depthwise else -1)
    rounded = fake_quant(folded, layer.weights_quant, narrow=True)
    outputs = layer.convolve(inputs, rounded) * (moving / deviation)
    expected = fake_quant(outputs + beta - mean * gamma / deviation, layer.act_quant, narrow=False)
    one_step = 1.01 * float(layer.act_quant.max - layer.act_quant.min) / 255
    np.testing.assert_allclose(found, expected, atol=one_step)
    assert np.mean(np.abs(found - expected) > 1e-3 * one_step) < 0.01
