"""A frozen graph has the API's names, which OpenCV's tf_text_graph_ssd.py looks for, and operators
that OpenCV 4 and OpenVINO's own reader have; and it computes what the network computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend.framework import openvino, tensorflow
from boxwright.export.fake_quant import Range, Ranges
from boxwright.export.frozen import OUTPUTS, stretched, write_frozen
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.models.layers.conv_norm import LayerSpec
from boxwright.models.layers.quantized import QuantizationSpec
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.spec import HeadSpec, ModelSpec, PyramidSpec
from boxwright.models.ssd_fpn.detector import SsdFpnModel
from boxwright.ops.postprocess import NmsConfig, RawDetections
from boxwright.tfod.graphs import inference_graph
from exporting import assert_same, random_network

pytestmark = pytest.mark.usefixtures("small_network")

V1 = ModelSpec(2, 0.25, 64, background=True)
V2 = replace(V1, name="ssd_mobilenet_v2", heads=HeadSpec(3, True))
SPECS = {
    "v2, SSDLite": V2,
    "v1, explicit padding, relu": replace(
        V1,
        backbone_convolutions=LayerSpec(explicit_padding=True),
        extra_convolutions=LayerSpec("relu", explicit_padding=True),
    ),
    "v2, QAT": replace(V2, quantization=QuantizationSpec()),
    "v2, FPNLite": replace(V2, depthwise_maps=True).with_pyramid(
        PyramidSpec(3, 7, 32), HeadSpec(3, True, 1, 16, 16, shared_tower=True)
    ),
}
# The operators between pixels and heads that the tool keeps, and constants.
KEPT = {
    *("Add", "AddV2", "BiasAdd", "Const", "Conv2D", "DepthwiseConv2dNative"),
    *("Mul", "Pad", "Relu", "Relu6", "ResizeNearestNeighbor", "Sub"),
}
ROUNDING = "FakeQuantWithMinMaxVars"  # it keeps no QAT
NMS = "Postprocessor/BatchMultiClassNonMaxSuppression/"


@pytest.fixture(params=SPECS.values(), ids=SPECS.keys(), scope="module")
def model(request: pytest.FixtureRequest, small_network: None) -> SsdModel:
    return random_network(request.param, SsdFpnModel if request.param.pyramid else SsdModel)


@pytest.fixture(scope="module")
def graph(model: SsdModel) -> Any:
    return inference_graph(model, Preprocessing(64), NmsConfig())


@pytest.fixture(scope="module")
def nodes(graph: Any) -> dict[str, Any]:
    return {node.name: node for node in graph.node}


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def expected(model: SsdModel, images: NDArray[np.uint8]) -> list[RawDetections]:
    """What the network finds."""
    return KerasEngine(model, Preprocessing(64))(images)


@pytest.fixture(scope="module")
def files(model: SsdModel, graph: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The graphs of `tfod export_inference_graph` and of `boxwright export`."""
    folder = tmp_path_factory.mktemp("graphs")
    written = {name: folder / f"{name}.pb" for name in ("command", "export")}
    written["command"].write_bytes(graph.SerializeToString())
    artifact = Artifact(model.spec.to_json(), ("a", "b"), Preprocessing(64))
    write_frozen(written["export"], model, artifact)
    return written


def heads(model: SsdModel, i: int) -> dict[str, int]:
    """The scopes of the heads of map `i`, with their columns."""
    if not model.spec.pyramid:
        return {f"BoxPredictor_{i}/BoxEncodingPredictor": 4, f"BoxPredictor_{i}/ClassPredictor": 3}
    scope = f"WeightSharedConvolutionalBoxPredictor{f'_{i}' if i else ''}"
    return {f"{scope}/BoxPredictor": 4, f"{scope}/ClassPredictor": 3}


def test_it_has_the_names_and_operators_that_opencv_looks_for(
    model: SsdModel, nodes: dict[str, Any]
) -> None:
    kept = KEPT | ({ROUNDING} if model.spec.quantization else set())
    anchors = model.spec.anchors.per_location(model.spec.maps)
    read, waiting = set[str](), list[str]()
    for i, count in enumerate(anchors):
        for scope, columns in heads(model, i).items():
            bias, head = (nodes[f"{scope}/{op}"] for op in ("BiasAdd", "Conv2D"))
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
        assert node.op in kept, node.name
        inputs = node.input[:1] if node.op == "Pad" else node.input
        waiting += [name for name in inputs if name != "Preprocessor/mul"]
    assert (nodes["Preprocessor/mul"].op, nodes["Preprocessor/sub"].op) == ("Mul", "Sub")
    assert "Preprocessor/mul" in nodes["Preprocessor/sub"].input
    scopes = {name.split("/")[0] for name in read}
    of_heads = {scope.split("/")[0] for i in range(len(anchors)) for scope in heads(model, i)}
    assert scopes == {"Preprocessor", "FeatureExtractor", *of_heads}


def test_no_weight_is_computed_in_the_graph(nodes: dict[str, Any]) -> None:
    for node in nodes.values():
        assert node.op not in ("ReadVariableOp", "VarHandleOp", "Rsqrt")
        if node.op in ("Conv2D", "DepthwiseConv2dNative", "BiasAdd"):
            assert nodes[node.input[1]].op == "Const", node.name


def test_each_class_is_suppressed_by_an_operator_that_other_programs_have(
    nodes: dict[str, Any],
) -> None:
    found = [node for node in nodes.values() if "NonMaxSuppression" in node.op]
    assert [node.op for node in found] == ["NonMaxSuppressionV3"] * 2
    assert all(node.name.startswith(NMS) for node in found)


@pytest.mark.parametrize("size", [(64, 64), (90, 150), (40, 200)])
def test_images_of_any_size_are_resized_as_by_tensorflow(size: tuple[int, int]) -> None:
    tf = tensorflow()
    images = np.random.default_rng(2).integers(0, 256, (2, *size, 3), np.uint8)
    expected = tf.image.resize(tf.cast(images, tf.float32), (64, 64), antialias=True)
    np.testing.assert_allclose(stretched(tf, images, 64), expected, atol=0.01)


def test_it_finds_what_the_network_finds(
    files: dict[str, Path], images: NDArray[np.uint8], expected: list[RawDetections]
) -> None:
    assert_same(expected, Detector.load(files["export"]).engine(images))


@pytest.mark.parametrize("writer", ["command", "export"])
def test_openvinos_own_reader_takes_it(
    files: dict[str, Path],
    images: NDArray[np.uint8],
    expected: list[RawDetections],
    writer: str,
) -> None:
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    read = openvino().Core().read_model(files[writer])
    results = openvino().compile_model(read, "CPU", exact)(images)
    found = {name: results[f"{name}:0"] for name in OUTPUTS}
    for i, (boxes, scores, labels) in enumerate(expected):
        count = int(found["num_detections"][i])
        assert 0 < count <= len(boxes)
        np.testing.assert_allclose(found["detection_scores"][i, :3], scores[:3], atol=1e-3)
        np.testing.assert_allclose(found["detection_boxes"][i, :3], boxes[:3], atol=1e-2)
        np.testing.assert_array_equal(found["detection_classes"][i, :3], labels[:3] + 1)


def test_ranges_of_a_checkpoint_round_kernels_and_outputs() -> None:
    layers = {"Conv": (-1, 1), "expanded_conv_project": (-2, 2), "expanded_conv_2": (-3, 3)}
    ranges = {
        name: Ranges(None if name.endswith("2") else Range(*ends), Range(*ends))
        for name, ends in layers.items()
    }
    graph = inference_graph(random_network(V2), Preprocessing(64), NmsConfig(), ranges=ranges)
    nodes = {node.name: node for node in graph.node}
    rounding = {name for name, node in nodes.items() if node.op == ROUNDING}
    scope = "FeatureExtractor/MobilenetV2"
    assert rounding == {
        f"{scope}/{name}/{ROUNDING}"
        for name in (
            *("Conv/weights_quant", "Conv/act_quant", "expanded_conv_2/act_quant"),
            *("expanded_conv/project/weights_quant", "expanded_conv/project/act_quant"),
        )
    }
    assert nodes[f"{scope}/Conv/Conv2D"].input[1] == f"{scope}/Conv/weights_quant/{ROUNDING}"
    after = nodes[f"{scope}/expanded_conv/depthwise/depthwise"]
    assert after.input[0] == f"{scope}/Conv/act_quant/{ROUNDING}"
