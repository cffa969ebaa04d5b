"""A .tflite that another program wrote: what its metadata says is used."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.errors import DetectorError
from boxwright.export.tflite import write_tflite
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import litert, tflite_metadata
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine


def described(labels: str | None, scaling: dict[str, Any] | None) -> dict[str, Any]:
    """Metadata that names a file of labels and says how pixels are scaled."""
    files = [{"name": "labelmap.txt", "type": 3}] if labels is not None else []
    units = [{"options": ("NormalizationOptions", scaling)}] if scaling else []
    score = {
        "process_units": [
            {"options": ("ScoreThresholdingOptions", {"global_score_threshold": 0.4})}
        ]
    }
    network = {
        "input_tensor_metadata": [{"name": "image", "process_units": units}],
        "output_tensor_metadata": [{"name": "boxes"}, {"associated_files": files}, score],
    }
    return {"name": "Made elsewhere", "subgraph_metadata": [network]}


def taking_floats(model: schema.ModelT) -> None:
    """Leave out the first operator, which turns uint8 pixels into floats."""
    (network,) = model.subgraphs
    (cast,) = (op for op in network.operators if op.inputs[0] == network.inputs[0])
    network.operators.remove(cast)
    network.inputs = cast.outputs
    model.signatureDefs = None


@pytest.fixture(scope="module")
def ours(tiny_detector: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Our file of a detector of two classes that takes unscaled pixels."""
    path, tiny = tmp_path_factory.mktemp("ours") / "detector.tflite", tiny_detector(2)
    write_tflite(path, tiny.model, Artifact({}, ("a", "b"), Preprocessing(64, 1.0, 0.0)))
    return path.read_bytes()


@pytest.fixture
def elsewhere(ours: bytes, written: Path) -> Callable[..., Path]:
    """`elsewhere(labels, scaling)`: its network in a file of others that takes scaled floats."""

    def write(labels: str | None, scaling: dict[str, Any] | None) -> Path:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(ours))
        taking_floats(model)
        (entry,) = (each for each in model.metadata if each.name == tflite_metadata.ENTRY)
        packed = tflite_metadata.pack(described(labels, scaling))
        model.buffers[entry.buffer].data = np.frombuffer(packed, np.uint8)
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), litert.MAGIC)
        path = written / "elsewhere.tflite"
        path.write_bytes(builder.Output())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("labelmap.txt", labels or "")
        return path

    return write


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ({"mean": [128.0], "std": [64.0]}, Preprocessing(64, 1 / 64, -2.0)),
        ({"mean": [0.0, 0.0, 0.0], "std": [255.0, 255.0, 255.0]}, Preprocessing(64, 1 / 255, 0.0)),
        ({"mean": [128.0], "std": [0.0]}, Preprocessing(64, 1 / 127.5, -1.0)),
        ({"mean": [float("nan")], "std": [1.0]}, Preprocessing(64, 1 / 127.5, -1.0)),
        ({"mean": [128.0]}, Preprocessing(64, 1 / 127.5, -1.0)),
        (None, Preprocessing(64, 1 / 127.5, -1.0)),
    ],
)
def test_float_pixels_are_scaled_as_the_metadata_says(
    scaling: dict[str, Any] | None,
    expected: Preprocessing,
    elsewhere: Callable[..., Path],
    tiny_detector: Callable[..., Any],
    random_inputs: NDArray[np.uint8],
) -> None:
    tiny = tiny_detector(2)
    engine = Detector.load(elsewhere("dog\nkite\n", scaling)).engine
    wanted = KerasEngine(tiny.model, expected)(random_inputs)
    for (boxes, scores, _), (others, other_scores, _) in zip(
        wanted, engine(random_inputs), strict=True
    ):
        np.testing.assert_allclose(scores, other_scores, atol=1e-4)
        np.testing.assert_allclose(boxes[:5], others[:5], atol=1e-4)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ("dog\nkite\n", ("dog", "kite")),
        ("\ufeffdög\r\nkite", ("dög", "kite")),
        ("dog", ("dog", "class 1")),
        ("???\nkite", ("class 0", "kite")),
        ("dog\n\ndog\nkite", ("class 0", "class 1", "class 2", "kite")),
    ],
)
def test_class_names_come_from_the_labels(
    labels: str, names: tuple[str, ...], elsewhere: Callable[..., Path]
) -> None:
    path = elsewhere(labels, None)
    detector = Detector.load(path)
    assert detector.classes == names
    assert detector.artifact.threshold == pytest.approx(0.4)
    other = [f"{name}s" for name in names]
    assert Detector.load(path, classes=other).classes == tuple(other)


@pytest.mark.parametrize("labels", [None, "", " \n\n"])
def test_without_labels_names_must_be_given(
    labels: str | None, elsewhere: Callable[..., Path]
) -> None:
    path = elsewhere(labels, None)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert caught.value.code == "BW504"
    assert Detector.load(path, classes=["dog", "kite"]).classes == ("dog", "kite")
