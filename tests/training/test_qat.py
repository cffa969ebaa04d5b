"""A minute of training that rounds: what it starts from, what it rounds, what it gives back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from boxwright.augment.transforms import ColorMix, CropAroundObject
from boxwright.backend import framework
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.models.layers.quantized import QuantizationSpec, fake_quant_by_channel
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.network import build
from boxwright.models.ssd.spec import ModelSpec
from boxwright.training.deciding import checked
from boxwright.training.qat import copy_weights, set_augmentation, train_quantization_aware
from squares import Squares

pytestmark = pytest.mark.usefixtures("small_network")
ops = framework.keras().ops


@pytest.mark.parametrize("depthwise", [False, True])
def test_each_channel_is_rounded_in_steps_of_its_own(depthwise: bool) -> None:
    shape = (3, 3, 4, 1) if depthwise else (3, 3, 2, 4)
    channels = 10.0 ** -np.arange(4)
    kernel = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    kernel *= channels.reshape((1, 1, 4, 1) if depthwise else (1, 1, 1, 4)).astype(np.float32)
    rounded = np.asarray(fake_quant_by_channel(ops.convert_to_tensor(kernel), 8, depthwise))
    axes = (0, 1, 3) if depthwise else (0, 1, 2)
    step = np.abs(kernel).max(axis=axes, keepdims=True) / 127
    np.testing.assert_allclose(rounded / step, np.round(kernel / step), atol=1e-4)
    assert np.abs(rounded - kernel).max() > 0


def test_a_rounding_copy_has_the_same_weights() -> None:
    spec = ModelSpec(2, depth_multiplier=0.25, input_size=64)
    model = build(spec)
    copy = build(replace(spec, quantization=QuantizationSpec(by_channel=True)))
    copy_weights(model, copy)
    back = build(spec)
    copy_weights(copy, back)
    for one, other in zip(model.weights, back.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.slow
def test_some_steps_change_the_weights_and_give_floats_back(
    op_by_op: None, squares: Squares
) -> None:
    dataset = squares.dataset(train=12, test=2)
    spec = ModelSpec(len(dataset.classes), depth_multiplier=0.25, input_size=64)
    model = SsdModel.build(spec)
    artifact = Artifact(spec.to_json(), dataset.classes, Preprocessing(64))
    before = [weight.numpy().copy() for weight in model.network.weights]
    trained = train_quantization_aware(model, artifact, dataset, seconds=None, steps=3)
    assert all((a == b.numpy()).all() for a, b in zip(before, model.network.weights, strict=True))
    assert any((a != b.numpy()).any() for a, b in zip(before, trained.network.weights, strict=True))
    assert trained.quantizer is None
    shapes = [[w.shape for w in each.network.weights] for each in (trained, model)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, ()),
        ({"batch_size": 8}, ()),
        ({"augmentation.horizontal_flip": 0}, (CropAroundObject(), ColorMix())),
    ],
)
def test_what_its_user_set_of_the_augmentation_is_kept(settings: Any, kept: Any) -> None:
    recipe = checked(settings, pretrained=True)
    artifact = Artifact({}, ("cat",), Preprocessing(64), provenance={"recipe": recipe.to_json()})
    assert set_augmentation(artifact) == kept
    assert set_augmentation(replace(artifact, provenance={})) == ()
