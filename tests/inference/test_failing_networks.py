"""Networks that load, and fail while they run: every engine says so with a code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import OnnxEngine, TFLiteEngine, network_of
from boxwright.inference.engines.engine import images

INPUTS = np.zeros((2, 64, 64, 3), np.uint8)
RUN = Path(__file__).parents[1] / "earlier" / "files" / "run"
SIZES = {"detection_boxes": (1, 3, 4), "detection_scores": (1, 3), "detection_classes": (1, 3)}
SIZES["num_detections"] = (1,)


def outputs(**changes: Any) -> dict[str, NDArray[Any]]:
    """Results of three detections, with changes."""
    return {name: np.ones(size, np.float32) for name, size in SIZES.items()} | changes


def test_results_that_agree_pass() -> None:
    ((boxes, scores, labels),) = images(outputs(), 1)
    assert (boxes.shape, scores.shape, labels.dtype) == ((1, 4), (1,), np.int64)


@pytest.mark.tiny
@pytest.mark.parametrize(
    "changes",
    [
        {"detection_scores": np.ones((1, 7)), "num_detections": np.array([7.0])},
        {"num_detections": np.array([100.0])},
        {"num_detections": np.array([-1.0])},
        {"num_detections": np.array([np.nan])},
        {"num_detections": np.array([1.0, 1.0])},
        {"num_detections": np.array([[1.0]])},
        {"detection_classes": np.full((1, 3), 1e30)},
        {"detection_classes": np.full((1, 3), np.nan)},
        {"detection_boxes": np.ones((1, 3, 3))},
        {"detection_boxes": np.ones((1, 12))},
        {"detection_scores": np.ones(())},
        {name: np.ones((2, *size[1:])) for name, size in SIZES.items()},  # for two images
    ],
)
def test_results_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        images(outputs(**changes), 1)


def onnx(path: Path, nodes: Sequence[Any], *more: str) -> Path:
    """A detector whose outputs some nodes compute; others are constants."""
    from onnx import TensorProto, helper

    made = {name for node in nodes for name in node.output}
    missing = [constant(name, np.ones(size)) for name, size in SIZES.items() if name not in made]
    given = [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 64, 64, 3])]
    given += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in more]
    found = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in SIZES]
    graph = helper.make_graph([*nodes, *missing], "g", given, found)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = "boxwright", Artifact({}, ("a", "b"), Preprocessing(64)).to_text()
    path.write_bytes(model.SerializeToString())
    return path


def constant(name: str, values: NDArray[Any]) -> Any:
    from onnx import helper, numpy_helper

    kept = values if values.dtype == np.int64 else values.astype(np.float32)
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(kept))


def huge() -> list[Any]:
    """Scores of terabytes, which are only computed when the network runs."""
    from onnx import helper

    return [
        helper.make_node("Shape", ["images"], ["sides"]),
        constant("factor", np.array([1 << 40, 1, 1, 1])),
        helper.make_node("Mul", ["sides", "factor"], ["many"]),
        helper.make_node("ConstantOfShape", ["many"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["detection_scores"], keepdims=0),
    ]


def unequal() -> list[Any]:
    return [
        constant("detection_scores", np.ones((1, 7))),
        constant("num_detections", np.array([7.0])),
    ]


def no_sum() -> list[Any]:
    """A sum of shapes that do not fit, one of which depends on the batch."""
    from onnx import helper

    return [
        helper.make_node("Cast", ["images"], ["pixels"], to=1),
        constant("three", np.ones((3, 64, 64, 3))),
        helper.make_node("Add", ["pixels", "three"], ["sum"]),
        helper.make_node("ReduceSum", ["sum"], ["detection_scores"], keepdims=0),
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        lambda: [constant("num_detections", np.array([100.0]))],
        unequal,
        no_sum,
        huge,
    ],
    ids=["too many", "lengths", "shapes", "memory"],
)
def test_an_onnx_that_fails_while_it_runs(nodes: Any, tmp_path: Path) -> None:
    detector = Detector.load(onnx(tmp_path / "bad.onnx", nodes()))
    with pytest.raises(DetectorError) as caught:
        detector.engine(INPUTS)
    assert caught.value.code == "BW514"


def test_an_onnx_with_another_input_is_no_detector(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as caught:
        Detector.load(onnx(tmp_path / "bad.onnx", [], "another"))
    assert caught.value.code == "BW505"


@pytest.mark.parametrize("batch", [1, 2])
def test_a_tflite_whose_interpreter_fails(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = RUN / "detector.tflite"
    engine = TFLiteEngine(path.read_bytes(), where=path)

    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(engine, "_detect", fail)
    with pytest.raises(DetectorError, match="no memory") as caught:
        engine(INPUTS[:batch])
    assert caught.value.code == "BW514"


def test_a_network_alone_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    path = RUN / "detector.onnx"
    engine = OnnxEngine(path.read_bytes(), where=path)

    def cut() -> Any:
        return lambda inputs: [][0]

    monkeypatch.setattr(engine, "network", cut)
    network = network_of(engine)
    assert network is not None
    with pytest.raises(DetectorError) as caught:
        network(INPUTS)
    assert caught.value.code == "BW514"
