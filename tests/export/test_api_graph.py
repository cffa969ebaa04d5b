"""A frozen graph has the API's names, which OpenCV's tf_text_graph_ssd.py looks for, and operators
that OpenCV 4 reads; and it computes what the network computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend.framework import tensorflow
from boxwright.export.frozen import write_frozen
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.models.layers.conv_norm import LayerSpec
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.spec import HeadSpec, ModelSpec
from boxwright.ops.postprocess import NmsConfig
from boxwright.tfod.graphs import inference_graph
from exporting import assert_same, random_network

pytestmark = pytest.mark.usefixtures("small_network")

SPECS = {
    "v2, SSDLite": ModelSpec(
        2, 0.25, 64, name="ssd_mobilenet_v2", background=True, heads=HeadSpec(3, True)
    ),
    "v1, explicit padding, relu": ModelSpec(
        2,
        0.25,
        64,
        background=True,
        backbone_convolutions=LayerSpec(explicit_padding=True),
        extra_convolutions=LayerSpec("relu", explicit_padding=True),
    ),
}
# The operators between pixels and heads that the tool keeps, and constants.
KEPT = {
    *("Add", "AddV2", "BiasAdd", "Const", "Conv2D", "DepthwiseConv2dNative"),
    *("Mul", "Pad", "Relu", "Relu6", "Sub"),
}


@pytest.fixture(params=SPECS.values(), ids=SPECS.keys(), scope="module")
def model(request: pytest.FixtureRequest, small_network: None) -> SsdModel:
    return random_network(request.param)


@pytest.fixture(scope="module")
def nodes(model: SsdModel) -> dict[str, Any]:
    graph = inference_graph(model, Preprocessing(64), NmsConfig())
    return {node.name: node for node in graph.node}


def test_it_has_the_names_and_operators_that_opencv_looks_for(
    model: SsdModel, nodes: dict[str, Any]
) -> None:
    anchors = model.spec.anchors.per_location(model.spec.maps)
    read, waiting = set[str](), list[str]()
    for i, count in enumerate(anchors):
        for name, columns in (("BoxEncodingPredictor", 4), ("ClassPredictor", 3)):
            bias, head = (nodes[f"BoxPredictor_{i}/{name}/{op}"] for op in ("BiasAdd", "Conv2D"))
            assert (bias.op, head.op) == ("BiasAdd", "Conv2D")
            assert bias.input[0] == head.name
            kernel = tensorflow().make_ndarray(nodes[head.input[1]].attr["value"].tensor)
            assert kernel.shape[-1] == count * columns
            waiting.append(bias.name)
    while waiting:
        node = nodes[waiting.pop()]
        if node.name in read:
            continue
        read.add(node.name)
        assert node.op in KEPT, node.name
        inputs = node.input[:1] if node.op == "Pad" else node.input
        waiting += [name for name in inputs if node.name != "Preprocessor/mul"]
    assert (nodes["Preprocessor/mul"].op, nodes["Preprocessor/sub"].op) == ("Mul", "Sub")
    assert "Preprocessor/mul" in nodes["Preprocessor/sub"].input
    scopes = {name.split("/")[0] for name in read}
    assert scopes == {"Preprocessor", "FeatureExtractor", *(f"BoxPredictor_{i}" for i in range(6))}


def test_no_weight_is_computed_in_the_graph(nodes: dict[str, Any]) -> None:
    for node in nodes.values():
        assert node.op not in ("ReadVariableOp", "VarHandleOp", "Rsqrt")
        if node.op in ("Conv2D", "DepthwiseConv2dNative", "BiasAdd"):
            assert nodes[node.input[1]].op == "Const", node.name


def test_it_finds_what_the_network_finds(model: SsdModel, tmp_path: Path) -> None:
    artifact = Artifact(model.spec.to_json(), ("a", "b"), Preprocessing(64))
    images = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), np.uint8)
    path = tmp_path / "frozen_inference_graph.pb"
    write_frozen(path, model, artifact)
    expected = KerasEngine(model, artifact.preprocessing)(images)
    assert_same(expected, Detector.load(path).engine(images))
