"""What a config's `model { ssd }` says, in the network, its start and its penalties."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import TfodError
from boxwright.ops.anchors import AnchorSpec, PyramidAnchorSpec
from boxwright.tfod.config import Config, parse_config, sample_config
from boxwright.tfod.config.hyperparams import L1Regularizer
from boxwright.tfod.mapping.network import initializers_of, norm_decays_of, penalties_of, spec_of
from boxwright.training.config import LayerGroupValues

HELMET = (Path(__file__).parent / "configs" / "helmet.config").read_text(encoding="utf-8")
PYRAMID = """multiscale_anchor_generator { anchor_scale: 3 scales_per_octave: 2
    min_level: 4 max_level: 9 aspect_ratios: [1.0, 2.0] }"""


def changed(*pairs: tuple[str, str], text: str = HELMET) -> Config:
    """The helmet detector's config with each first text in the place of the second."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_config(text)


def test_the_helmet_detector_is_the_plain_network() -> None:
    framework.keras()
    from boxwright.models.ssd.spec import ModelSpec

    ratios = tuple(float(np.float32(ratio)) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333))
    low, high = float(np.float32(0.2)), float(np.float32(0.95))
    spec = spec_of(changed())
    assert replace(spec, anchors=None) == replace(
        ModelSpec(1, background=True), anchors=None, **_float32_epsilons(spec)
    )
    assert spec.anchors == AnchorSpec(low, high, ratios)


def _float32_epsilons(spec: Any) -> dict[str, Any]:
    """The config's 0.001 is float32's."""
    names = ("backbone_convolutions", "extra_convolutions", "heads")
    parts = {name: getattr(spec, name) for name in names}
    epsilons = [parts[name].epsilon for name in names[:2]] + [spec.heads.convolutions.epsilon]
    assert epsilons == pytest.approx([1e-3] * 3)
    return parts


SPECS = [
    ("kernel_size: 1", "kernel_size: 3", "heads.kernel", 3),
    ("kernel_size: 1", "kernel_size: 3 use_depthwise: true", "heads.depthwise", True),
    ("min_depth: 16", "min_depth: 16 use_depthwise: true", "depthwise_maps", True),
    ("use_dropout: false", "use_dropout: true", "heads.dropout", pytest.approx(0.2)),
    ("num_layers_before_predictor: 0", "num_layers_before_predictor: 2", "heads.layers", 2),
    ("max_depth: 0", "max_depth: 64", "heads.max_depth", 64),
    ("min_depth: 16", "use_explicit_padding: true", "extra_convolutions.explicit_padding", True),
    ("min_depth: 16", "use_explicit_padding: true", "backbone_convolutions.explicit_padding", True),
    ("activation: RELU_6", "activation: RELU", "extra_convolutions.activation", "relu"),
    ("activation: RELU_6", "activation: RELU", "backbone_convolutions.activation", "relu6"),
    ("activation: RELU_6", "", "extra_convolutions.activation", "relu"),
    ("center: true scale: true", "", "extra_convolutions.scale", False),
    ("center: true", "center: false", "extra_convolutions.center", False),
    ("epsilon: 0.001", "epsilon: 0.5", "extra_convolutions.epsilon", 0.5),
    ("height_scale: 5.0", "height_scale: 4.0", "box_scales", (10.0, 10.0, 4.0, 5.0)),
    ("min_scale: 0.2", "scales: [0.1, 0.2, 0.3, 0.4, 0.5, 0.75]", "anchors.scales.5", 0.75),
    ("min_scale: 0.2", "interpolated_scale_aspect_ratio: 0", "anchors.between", 0.0),
    ("min_scale: 0.2", "reduce_boxes_in_lowest_layer: false", "anchors.fewer_on_finest", False),
    ("min_scale: 0.2", "base_anchor_height: 0.5", "anchors.base", (0.5, 1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "name", "value"), SPECS)
def test_a_field_is_in_the_network(old: str, new: str, name: str, value: Any) -> None:
    found = spec_of(changed((old, new)))
    for part in name.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == value


def test_the_backbone_has_its_own_hyperparameters_unless_they_are_overridden() -> None:
    """Of MobileNet v2 the depthwise kernels are spared, as its paper's authors do."""
    own = ("decay: 0.9997", "decay: 0.5"), ("weight: 4e-05", "weight: 0.25")
    override = ("min_depth: 16", "override_base_feature_extractor_hyperparams: true")
    v2 = ("ssd_mobilenet_v1", "ssd_mobilenet_v2")
    l2, decay = float(np.float32(4e-5)), float(np.float32(0.9997))
    cases: list[tuple[list[tuple[str, str]], LayerGroupValues, LayerGroupValues]] = [
        ([], LayerGroupValues(l2, 0.25, l2), LayerGroupValues(decay, 0.5, decay)),
        ([override], LayerGroupValues(0.25, 0.25, l2), LayerGroupValues(0.5, 0.5, decay)),
        ([v2], LayerGroupValues(l2, 0.25, l2, depthwise=0.0), LayerGroupValues(decay, 0.5, decay)),
        ([v2, override], LayerGroupValues(0.25, 0.25, l2), LayerGroupValues(0.5, 0.5, decay)),
    ]
    for more, penalties, decays in cases:
        pipeline = changed(*own, *more).pipeline
        assert penalties_of(pipeline) == penalties
        assert norm_decays_of(pipeline) == decays


def test_overridden_mobilenet_v2_keeps_its_activation_and_its_gamma() -> None:
    override = ("min_depth: 16", "override_base_feature_extractor_hyperparams: true")
    other = ("activation: RELU_6", "activation: RELU"), ("scale: true", "scale: false")
    for version, kept in (("v1", False), ("v2", True)):
        spec = spec_of(changed(override, *other, ("ssd_mobilenet_v1", f"ssd_mobilenet_{version}")))
        assert not spec.extra_convolutions.scale
        assert spec.backbone_convolutions.scale == kept
        assert spec.backbone_convolutions.activation == ("relu6" if kept else "relu")


def test_kernels_may_be_penalised_by_their_size_alone() -> None:
    pipeline = changed(("l2_regularizer { weight: 4e-05", "l1_regularizer { weight: 0.5")).pipeline
    l2 = float(np.float32(4e-5))
    assert penalties_of(pipeline) == LayerGroupValues(l2, 0.0, l2)
    assert penalties_of(pipeline, L1Regularizer) == LayerGroupValues(0.0, 0.5, 0.0)


def test_the_first_weights() -> None:
    framework.keras()
    from boxwright.models.layers.initializers import Initializers, Normal, VarianceScaling

    scaling = "variance_scaling_initializer { factor: 1.0 uniform: true mode: FAN_AVG }"
    config = changed(
        ("truncated_normal_initializer { mean: 0.0 stddev: 0.03 }", scaling),
        ("truncated_normal_initializer {", "random_normal_initializer {"),
        ("use_dropout", "class_prediction_bias_init: -4.5 use_dropout"),
    )
    assert initializers_of(config) == Initializers(
        Normal(float(np.float32(0.09)), truncated=True),
        VarianceScaling(1.0, "FAN_AVG", uniform=True),
        Normal(float(np.float32(0.03))),
        -4.5,
    )


def test_anchors_of_a_pyramid() -> None:
    start, end = HELMET.index("ssd_anchor_generator"), HELMET.index("post_processing")
    text = f"{HELMET[:start]}{PYRAMID} }}\n{HELMET[end:]}"
    assert spec_of(parse_config(text)).anchors == PyramidAnchorSpec(3.0, (1.0, 2.0), 2)
    for name, wrong in (("min_level: 4", "min_level: 3"), ("max_level: 9", "max_level: 7")):
        config = changed((name, wrong), text=text)
        with pytest.raises(TfodError, match=rf"BW722 .*are levels 4 to 9.*Write {name}") as caught:
            spec_of(config)
        line = config.tree.find("model.ssd.anchor_generator.*." + name.split(":")[0])[0].line
        assert caught.value.where == f"pipeline.config:{line}"


MISFITS = [
    ("num_layers: 6", "num_layers: 5", "BW722 .*anchors for 5.* has 6 feature maps"),
    ("min_scale: 0.2", "scales: [0.1, 0.2]", "BW722 .*the config has 2 scales"),
    ("min_scale: 0.2", "height_stride: 16", "BW722 .*the config has 1 height_stride"),
    ("min_scale: 0.2", "width_offset: [1, 2, 3, 4, 5, 6]", "BW722 .*config has 0 height_offset"),
    ("aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333]", "interpolated_scale_aspect_ratio: 0",
     "BW723 .*no aspect_ratios"),
    ("batch_norm { decay: 0.9997 center: true scale: true epsilon: 0.001 train: true }", "",
     "BW724 .*without batch_norm"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), MISFITS)
def test_what_does_not_fit_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(TfodError, match=said):
        spec_of(changed((old, new)))


@pytest.mark.parametrize("maps", [2, 4])
def test_fewer_maps(maps: int) -> None:
    layers = ("num_layers: 6", f"num_layers: {maps}")
    spec = spec_of(changed(("min_depth: 16", f"num_layers: {maps}"), layers))
    assert (spec.maps, len(spec.anchors.per_location(maps))) == (maps, maps)


def test_ssdlite_is_the_published_network() -> None:
    """Names and shapes as they stand in the zoo's checkpoint."""
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights.variables import variables_by_name

    spec = spec_of(parse_config(sample_config("ssdlite_mobilenet_v2_coco")))
    assert ModelSpec.from_json(spec.to_json()) == spec
    shapes = {name: tuple(v.shape) for name, v in variables_by_name(build(spec)).items()}
    lite = "FeatureExtractor/MobilenetV2/layer_19_2_Conv2d_3_3x3_s2_256"
    for name, shape in {
        f"{lite}_depthwise/depthwise_weights": (3, 3, 128, 1),
        f"{lite}/weights": (1, 1, 128, 256),
        "BoxPredictor_0/ClassPredictor_depthwise/depthwise_weights": (3, 3, 576, 1),
        "BoxPredictor_0/ClassPredictor/weights": (1, 1, 576, 273),
        "BoxPredictor_5/BoxEncodingPredictor/biases": (24,),
    }.items():
        assert shapes[name] == shape
