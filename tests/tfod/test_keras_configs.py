"""Configs of TensorFlow 2: what fits together, and those of users."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boxwright.errors import TfodError
from boxwright.tfod.config import parse_config, read_config, sample_config
from boxwright.tfod.mapping.network import spec_of
from boxwright.tfod.mapping.recipe import recipe_of
from boxwright.training.optimizers import Momentum

FPNLITE = "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8"
V2, FPN = "ssd_mobilenet_v2_320x320_coco17_tpu-8", "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8"
QAT = "graph_rewriter { quantization { delay: 10 } }"


@pytest.mark.parametrize(
    ("sample", "before", "after", "said"),
    [
        (FPNLITE, "height: 320", "height: 300", "multiple of 32.*height: 288 and width: 288"),
        (FPNLITE, "use_depthwise", "use_explicit_padding: true use_depthwise", "explicit_padding"),
        (FPNLITE, "train_config", f"{QAT} train_config", "a graph_rewriter is not supported"),
        (FPNLITE, "_fpn_keras", "_keras", "fpn is not supported.*ssd_mobilenet_v2_fpn_keras"),
        (FPN, "depth_multiplier: 1.0", "depth_multiplier: 0.5", "depth_multiplier: 0.5"),
        (FPNLITE, "_fpn_keras", "_fpn", 'use_depthwise: true.*type: "ssd_mobilenet_v2_fpn_keras"'),
        (V2, "depth_multiplier: 1.0", "depth_multiplier: 1.4", "depth_multiplier: 1.4"),
        (V2, "_keras", "_fpn_keras", "weight_shared_convolutional_box_predictor"),
    ],
)
def test_what_does_not_fit_is_named(sample: str, before: str, after: str, said: str) -> None:
    text = sample_config(sample)
    assert before in text
    with pytest.raises(TfodError, match=f"(?s)BW724.*{said}"):
        spec_of(parse_config(text.replace(before, after)))


def test_momentum_accumulates_steps_as_in_keras() -> None:
    recipe = recipe_of(parse_config(sample_config(FPNLITE)).pipeline)
    assert recipe.optimizer == Momentum(pytest.approx(0.9), accumulates_steps=True)
    assert recipe.model == "ssd_fpn"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_pyramids_of_tensorflow_1(version: str) -> None:
    """The network is that of the Keras type, with sums that are not smoothed. Layers before shared
    heads always have ReLU6, and so has all of MobileNet v2."""
    text = sample_config(FPN).replace("_v1_", f"_{version}_").replace("RELU_6", "RELU")
    slim, of_keras = (parse_config(each) for each in (text.replace("_fpn_keras", "_fpn"), text))
    found, expected = spec_of(slim), spec_of(of_keras)
    tower = replace(expected.heads.convolutions, activation="relu6")
    assert found == replace(
        expected,
        pyramid=replace(expected.pyramid, smoothed=False),
        backbone_convolutions=tower if version == "v2" else expected.backbone_convolutions,
        heads=replace(expected.heads, convolutions=tower),
    )
    assert recipe_of(slim.pipeline).optimizer == Momentum(pytest.approx(0.9))


@pytest.mark.shared
def test_configs_of_users_are_accepted(shared: Path) -> None:
    files = sorted((shared / "field/training/04-fpnlite-config").glob("*.config"))
    assert len(files) == 5
    for path in files:
        spec = spec_of(read_config(path))
        found = (spec.name, spec.input_size, spec.pyramid.depth)
        assert found == ("ssd_mobilenet_v2_fpn", 320, 128)
