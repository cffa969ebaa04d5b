"""What `inspect` says of a file's inputs and outputs is what its runtime says, and labels beside it
name the ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from boxwright.backend.framework import tensorflow
from boxwright.cli.main import app
from boxwright.errors import DetectorError
from boxwright.export.export import export, write_verified
from boxwright.export.labels import write_labels
from boxwright.export.onnx import write_onnx, write_raw_onnx
from boxwright.export.targets import TARGETS
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.structures.labels import read_label_map
from exporting import assert_same, run_graph

# Operators that TensorRT's parser has, with static shapes and float32; of those that we write.
TENSORRT = {
    *("Add", "BatchNormalization", "Clip", "Concat", "Conv", "Div", "Exp", "Floor", "Gather"),
    *("LeakyRelu", "Log", "Max", "MaxPool", "Min", "Mul", "Neg", "ReduceSum", "Relu", "Reshape"),
    *("Resize", "Sigmoid", "Slice", "Softmax", "Sub", "Transpose", "Unsqueeze"),
}


def of_tflite(path: Path) -> tuple[list[Any], list[Any]]:
    from ai_edge_litert.interpreter import Interpreter

    runtime = Interpreter(model_content=path.read_bytes())

    def listed(details: list[Any]) -> list[Any]:
        return [(each["name"], each["shape"].tolist(), each["dtype"].__name__) for each in details]

    return listed(runtime.get_input_details()), listed(runtime.get_output_details())


def of_onnx(path: Path) -> tuple[list[Any], list[Any]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes())
    kinds = {"float": "float32"}

    def listed(details: list[Any]) -> list[Any]:
        parts = ((each.name, each.shape, each.type[7:-1]) for each in details)
        return [
            (name, [-1 if isinstance(side, str) else side for side in shape], kinds.get(kind, kind))
            for name, shape, kind in parts
        ]

    return listed(session.get_inputs()), listed(session.get_outputs())


def of_openvino(folder: Path) -> tuple[list[Any], list[Any]]:
    import openvino

    model = openvino.Core().read_model(folder / "detector.xml")

    def listed(tensors: list[Any]) -> list[Any]:
        return [
            (
                each.any_name,
                [s.get_length() if s.is_static else -1 for s in each.partial_shape],
                np.dtype(each.element_type.to_dtype()).name,
            )
            for each in tensors
        ]

    return listed(model.inputs), listed(model.outputs)


def of_saved_model(folder: Path) -> tuple[list[Any], list[Any]]:
    signatures = tensorflow().saved_model.load(str(folder)).signatures

    def listed(tensors: dict[str, Any]) -> list[Any]:
        return [
            (name, [-1 if side is None else side for side in spec.shape], spec.dtype.name)
            for name, spec in sorted(tensors.items())
        ]

    inputs, outputs = [], []
    for name in sorted(signatures):
        inputs += listed(signatures[name].structured_input_signature[1])
        outputs += listed(signatures[name].structured_outputs)
    return inputs, outputs


def of_frozen(path: Path) -> tuple[list[Any], list[Any]]:
    images = np.zeros((1, 50, 90, 3), np.uint8)
    found = run_graph(path.parent, "image_tensor", images)
    outputs = [(name, [-1, *values.shape[1:]], values.dtype.name) for name, values in found.items()]
    return [("image_tensor", [-1, -1, -1, 3], "uint8")], outputs


RUNTIMES: dict[str, Callable[[Path], tuple[list[Any], list[Any]]]] = {
    "tflite": of_tflite,
    "onnx": of_onnx,
    "openvino": of_openvino,
    "savedmodel": of_saved_model,
    "frozen": of_frozen,
}


@pytest.mark.parametrize("kind", RUNTIMES)
def test_the_contract_is_what_the_runtime_says(kind: str, tiny_file: Callable[..., Path]) -> None:
    path = tiny_file(kind)
    contract = inspect(path).contract
    assert contract is not None
    found: tuple[list[Any], list[Any]] = ([], [])
    for interface in contract.interfaces:
        assert interface.first_class == (1 if kind in ("savedmodel", "frozen") else 0)
        for listed, tensors in zip(found, (interface.inputs, interface.outputs), strict=True):
            listed += [(each.name, list(each.shape), each.dtype) for each in tensors]
    assert found == RUNTIMES[kind](path)
    result = CliRunner().invoke(app, ["inspect", str(path)])
    said = " ".join(result.stdout.split())
    for fact in ("detection_boxes", "ymin, xmin, ymax, xmax", "class ids from", "RGB pixels"):
        assert fact in said, fact


@pytest.fixture(params=["tflite", "onnx", "openvino", "savedmodel", "frozen"])
def of_ten(
    request: pytest.FixtureRequest, tiny_detector: Callable[..., Any], written: Path
) -> tuple[Path, Any]:
    tiny = tiny_detector(3)
    artifact = replace(tiny.artifact, max_detections=10)
    path = written / TARGETS[request.param].default_name
    TARGETS[request.param].write(path, tiny.model, artifact)
    return path, tiny


def test_fewer_rows_have_the_best_detections(
    of_ten: tuple[Path, Any], random_inputs: NDArray[np.uint8]
) -> None:
    path, tiny = of_ten
    detector = Detector.load(path)
    assert detector.artifact.max_detections == 10
    best = [tuple(part[:10] for part in each) for each in tiny.detector.engine(random_inputs)]
    found = detector.engine(random_inputs)
    for (_, scores, _), (_, others, _) in zip(best, found, strict=True):
        np.testing.assert_allclose(scores, others, atol=1e-4)
    contract = inspect(path).contract
    assert contract is not None
    rows = {each.name: each.shape for each in contract.interfaces[0].outputs}
    assert rows["detection_boxes"][1] == 10


@pytest.mark.parametrize("kind", RUNTIMES)
def test_labels_are_beside_an_export(kind: str, exported: Callable[..., Any]) -> None:
    file = exported(kind)
    names = list(file.tiny.artifact.classes)
    assert (file.path.parent / "labels.txt").read_text("utf-8").splitlines() == names
    label_map = file.path.parent / "label_map.pbtxt"
    assert label_map.exists() == (kind in ("savedmodel", "frozen"))
    if label_map.exists():
        assert list(read_label_map(label_map).items()) == list(enumerate(names, start=1))


def test_labels_of_another_detector_stay(written: Path) -> None:
    (first,) = write_labels(written / "cats.tflite", ["cat"], label_map=False)
    (second,) = write_labels(written / "dogs.tflite", ["dog"], label_map=False)
    (again,) = write_labels(written / "more.tflite", ["cat"], label_map=False)
    assert [path.name for path in (first, second, again)] == [
        "labels.txt",
        "dogs-labels.txt",
        "labels.txt",
    ]
    assert first.read_text("utf-8") == "cat\n"


def test_a_raw_onnx_file_has_all_boxes(
    tiny_detector: Callable[..., Any],
    labeled: Callable[[Detector], Any],
    random_inputs: NDArray[np.uint8],
    written: Path,
) -> None:
    tiny, path = tiny_detector(3), written / "detector-raw.onnx"
    dataset, lines = labeled(tiny.detector), list[str]()
    write_verified(path, "onnx", tiny.model, tiny.artifact, dataset, say=lines.append, raw=True)
    detector = Detector.load(path)
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))
    assert of_onnx(path) == (
        [("images", [1, 3, 64, 64], "float32")],
        [
            ("candidate_boxes", [1, 128, 4], "float32"),
            ("candidate_scores", [1, 128, 3], "float32"),
        ],
    )
    described = inspect(path)
    assert described.head is not None
    assert described.head.family == "Boxwright, raw boxes and scores"
    model = onnx.load(path)
    assert {node.op_type for node in model.graph.node} <= TENSORRT
    assert json.loads(model.metadata_props[0].value)["classes"] == list(tiny.artifact.classes)


@pytest.mark.parametrize(("write", "opset", "ir"), [(write_onnx, 13, 7), (write_raw_onnx, 13, 7)])
def test_an_onnx_file_asks_for_no_newer_runtime_than_it_needs(
    write: Callable[..., None],
    opset: int,
    ir: int,
    tiny_detector: Callable[..., Any],
    written: Path,
) -> None:
    tiny = tiny_detector(2)
    write(written / "detector.onnx", tiny.model, tiny.artifact)
    model = onnx.load(written / "detector.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert (model.opset_import[0].version, model.ir_version) == (opset, ir)
    contract = inspect(written / "detector.onnx").contract
    assert contract is not None
    assert contract.needs == f"operator set {opset}, IR version {ir}"
    for node in model.graph.node:  # an older set would have another form of one of them
        assert onnx.defs.has(node.op_type)
    older = onnx.ModelProto.FromString(model.SerializeToString())
    older.opset_import[0].version = opset - 1
    with pytest.raises((onnx.checker.ValidationError, onnx.shape_inference.InferenceError)):
        onnx.checker.check_model(older, full_check=True)


def test_other_targets_have_no_raw_form(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as caught:
        export(tmp_path, "tflite", raw=True)
    assert caught.value.code == "BW521"
    with pytest.raises(ValueError, match="max_detections must be 1 to"):
        export(tmp_path, "tflite", max_detections=0)
