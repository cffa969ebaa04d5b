"""What a specification asks of the network's layers, as TensorFlow's own operators do it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.ops.anchors import AnchorSpec, PyramidAnchorSpec

SIDE = 64


def small(**options: Any) -> Any:
    framework.keras()
    from boxwright.models.ssd.spec import ModelSpec

    return ModelSpec(2, 0.1, SIDE, background=True, **options)


def variables(spec: Any, **options: Any) -> dict[str, Any]:
    from boxwright.models.ssd.network import build
    from boxwright.models.weights.variables import variables_by_name

    return variables_by_name(build(spec, **options))


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("side", [8, 9])
def test_explicit_padding_is_the_same_on_all_sides(side: int, depthwise: bool) -> None:
    framework.keras()
    tf = framework.tensorflow()
    from boxwright.models.layers.conv_norm import ConvNorm, LayerSpec

    inputs = np.random.default_rng(side).normal(size=(1, side, side, 4)).astype(np.float32)
    spec = LayerSpec("linear", explicit_padding=True)
    layer = ConvNorm(4, 3, 2, depthwise=depthwise, spec=spec)
    layer.build(inputs.shape)
    padded = np.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)))
    if depthwise:
        expected = tf.nn.depthwise_conv2d(padded, layer.kernel, (1, 2, 2, 1), "VALID")
    else:
        expected = tf.nn.conv2d(padded, layer.kernel, 2, "VALID")
    np.testing.assert_allclose(layer.convolve(inputs, layer.kernel), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("linear", [-1.0, 5.0, 7.0]), ("relu", [0.0, 5.0, 7.0]), ("relu6", [0.0, 5.0, 6.0])],
)
def test_activations(activation: Any, expected: list[float]) -> None:
    framework.keras()
    from boxwright.models.layers.conv_norm import ConvNorm, LayerSpec

    spec = LayerSpec(activation, epsilon=0.25)  # sqrt(variance + epsilon) is 1
    layer = ConvNorm(1, 1, spec=spec, initializer=lambda shape, dtype=None: np.ones(shape))
    layer.build((1, 1, 3, 1))
    layer.moving_variance.assign([0.75])
    inputs = np.array([-1.0, 5.0, 7.0], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(np.ravel(layer(inputs)), expected, atol=1e-6)


def test_a_batch_norm_without_gamma_or_beta_has_none_in_the_files() -> None:
    framework.keras()
    from boxwright.models.layers.conv_norm import LayerSpec
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.training import start
    from boxwright.training.recipe import Recipe

    spec = small(extra_convolutions=LayerSpec(scale=False, center=False))
    names = variables(spec).keys()
    norms = [name for name in names if "Conv2d_13_pointwise_" in name and "BatchNorm" in name]
    assert {name.rpartition("/")[2] for name in norms} == {"moving_mean", "moving_variance"}
    assert any(name.endswith("Conv2d_13_pointwise/BatchNorm/gamma") for name in names)
    recipe = Recipe(SIDE, frozen_through=-1, train_norm=True, absorb_scale=False)
    model = start.built(SsdModel, spec, recipe, "float32")
    trained = {id(variable) for variable in start.trained_variables(model, recipe)}
    layer = model.network.get_layer("Conv2d_13_pointwise_1_Conv2d_2_1x1_25")
    assert id(layer.kernel) in trained
    assert not {id(layer.gamma), id(layer.beta)} & trained


def test_layers_before_the_heads() -> None:
    from boxwright.models.ssd.spec import HeadSpec

    heads = HeadSpec(layers=2, min_depth=8, max_depth=32)
    found = variables(small(heads=heads))
    for name, shape in {
        "BoxPredictor_0/Conv2d_0_1x1_32/weights": (1, 1, 51, 32),
        "BoxPredictor_0/Conv2d_1_1x1_32/BatchNorm/beta": (32,),
        "BoxPredictor_5/Conv2d_0_1x1_16/weights": (1, 1, 16, 16),
        "BoxPredictor_5/ClassPredictor/weights": (1, 1, 16, 18),
    }.items():
        assert tuple(found[name].shape) == shape
    none = variables(small(heads=replace(heads, min_depth=0, max_depth=0)))
    assert not any("_1x1_0/" in name for name in none)


def test_dropout_is_of_the_class_heads_and_of_training() -> None:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import HeadSpec

    model = build(small(heads=HeadSpec(dropout=0.5)))
    images = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    calm, one, other = (model(images, training=how) for how in (False, True, True))
    np.testing.assert_allclose(one["box_encodings"], calm["box_encodings"], atol=1e-5)
    assert np.abs(np.asarray(one["class_logits"] - other["class_logits"])).max() > 1e-4
    np.testing.assert_array_equal(
        model(images, training=False)["class_logits"], calm["class_logits"]
    )


def test_the_spec_of_a_run_is_read_again() -> None:
    from boxwright.models.layers.conv_norm import LayerSpec
    from boxwright.models.ssd.spec import HeadSpec, ModelSpec, anchors

    relu = LayerSpec("relu", 0.01, scale=False, explicit_padding=True)
    grid = AnchorSpec(
        scales=(0.1, 0.2, 0.3), between=0.0, base=(0.5, 1.0), offsets=((1, 2), (3, 4), (5, 6))
    )
    for shapes in (grid, PyramidAnchorSpec(3.0, (1.0, 2.0), 3)):
        spec = small(
            maps=3,
            anchors=shapes,
            backbone_convolutions=relu,
            heads=HeadSpec(3, True, 1, 8, 16, 0.2, relu),
            box_scales=(1.0, 2.0, 3.0, 4.0),
        )
        assert ModelSpec.from_json(spec.to_json()) == spec
        from boxwright.models.ssd.network import build

        assert build(spec).output["box_encodings"].shape[1] == len(anchors(spec))


def test_first_weights() -> None:
    framework.keras()
    from boxwright.models.layers.initializers import Initializers, Normal, VarianceScaling

    begin = Initializers(
        Normal(0.5, truncated=True), VarianceScaling(1.0, "FAN_OUT", uniform=True), Normal(2.0), 7.0
    )
    found = variables(small(depthwise_maps=True), initializers=begin)
    widest = {name: np.asarray(v) for name, v in found.items() if name.endswith("weights")}
    stem = widest["FeatureExtractor/MobilenetV1/Conv2d_0/weights"]
    assert np.abs(stem).max() < 1.0
    assert np.std(stem) == pytest.approx(0.5 * 0.88, rel=0.1)
    extra = "FeatureExtractor/MobilenetV1/Conv2d_13_pointwise_1_Conv2d_2_1x1_25/weights"
    limit = np.sqrt(3 / 25)
    assert 0.95 * limit < np.abs(widest[extra]).max() < limit
    head = widest["BoxPredictor_1/ClassPredictor/weights"]
    assert np.std(head) == pytest.approx(2.0, rel=0.1)
    np.testing.assert_array_equal(found["BoxPredictor_1/ClassPredictor/biases"], 7.0)
    np.testing.assert_array_equal(found["BoxPredictor_1/BoxEncodingPredictor/biases"], 0.0)


@pytest.mark.parametrize(
    ("mode", "fan"), [("FAN_IN", 9 * 40), ("FAN_OUT", 9 * 80), ("FAN_AVG", 9 * 60)]
)
def test_variance_scaling(mode: Any, fan: int) -> None:
    framework.keras()
    from boxwright.models.layers.initializers import VarianceScaling, initializer_of

    drawn = np.asarray(initializer_of(VarianceScaling(2.0, mode))((3, 3, 40, 80)))
    assert drawn.var() == pytest.approx(2.0 / fan, rel=0.03)
    even = np.asarray(initializer_of(VarianceScaling(2.0, mode, uniform=True))((3, 3, 40, 80)))
    assert even.var() == pytest.approx(2.0 / fan, rel=0.03)
