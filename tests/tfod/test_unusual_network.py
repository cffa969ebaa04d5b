"""A config that asks for what no published one does: trained, exported, and gone on with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from api_folder import HELMET, ApiFolder

PYRAMID = """multiscale_anchor_generator { anchor_scale: 2 scales_per_octave: 1
        min_level: 4 max_level: 8 aspect_ratios: [1.0, 2.0] }"""
CHANGES = [
    ('"ssd_mobilenet_v1"', '"ssd_mobilenet_v2" num_layers: 5'),
    ("min_depth: 16", "min_depth: 16 use_depthwise: true use_explicit_padding: true"),
    ("activation: RELU_6", "activation: RELU"),
    ("center: true scale: true epsilon: 0.001", "epsilon: 0.01"),
    ("l2_regularizer { weight: 4e-05", "l1_regularizer { weight: 0.001"),
    ("truncated_normal_initializer {", "random_normal_initializer {"),
    ("kernel_size: 1", "kernel_size: 3 use_depthwise: true class_prediction_bias_init: -3"),
    ("    min_depth: 0\n        max_depth: 0", "    min_depth: 8\n        max_depth: 12"),
    ("num_layers_before_predictor: 0", "num_layers_before_predictor: 1"),
    ("use_dropout: false", "use_dropout: true"),
    ("y_scale: 10.0", "y_scale: 4.0"),
]


def unusual() -> str:
    text = HELMET
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    start, end = text.index("ssd_anchor_generator"), text.index("post_processing")
    return f"{text[:start]}{PYRAMID} }}\n{text[end:]}"


@pytest.mark.usefixtures("small_network", "op_by_op")
def test_an_unusual_network(tmp_path: Path) -> None:
    from boxwright.inference.detector import Detector
    from boxwright.models.weights.checkpoint import read_variables

    folder = ApiFolder.made(tmp_path)
    folder.config(text=unusual())
    folder.run("train --pipeline_config_path=ROOT/pipeline.config --train_dir=ROOT/training")
    values = read_variables(tmp_path / "training" / "model.ckpt-2")
    extra = "FeatureExtractor/MobilenetV2/layer_19_2_Conv2d_2_3x3_s2_51"
    depth = values[f"{extra}/weights"].shape[2]
    for name, shape in {
        f"{extra}_depthwise/depthwise_weights": (3, 3, depth, 1),
        f"{extra}_depthwise/BatchNorm/beta": (depth,),
        "BoxPredictor_0/Conv2d_0_1x1_12/weights/RMSProp": (1, 1, 48, 12),
        "BoxPredictor_0/ClassPredictor_depthwise/depthwise_weights": (3, 3, 12, 1),
        "BoxPredictor_4/ClassPredictor/biases": (2 * 2,),
    }.items():
        assert values[name].shape == shape
    assert not any(extra in name and "gamma" in name for name in values)
    assert "BoxPredictor_5/ClassPredictor/biases" not in values
    np.testing.assert_allclose(values["BoxPredictor_0/ClassPredictor/biases"], -3, atol=0.1)

    network = Detector.load(tmp_path / "training").artifact.model
    assert network["box_scales"] == [4.0, 10.0, 5.0, 5.0]
    assert network["heads"]["dropout"] == pytest.approx(0.2)
    folder.run(
        "export_inference_graph --pipeline_config_path=ROOT/pipeline.config "
        "--trained_checkpoint_prefix=ROOT/training/model.ckpt-2 --output_directory=ROOT/exported"
    )
    assert (tmp_path / "exported" / "frozen_inference_graph.pb").is_file()
