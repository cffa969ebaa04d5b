"""ONNX and OpenVINO detectors compute what the Keras model and `postprocess` compute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from boxwright.backend.framework import keras
from boxwright.errors import DetectorError, ExportError, SystemFaultError
from boxwright.export.onnx import write_onnx
from boxwright.export.targets import TARGETS
from boxwright.export.verify import agreement
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.models.layers.conv_norm import LayerSpec
from boxwright.models.layers.quantized import QuantizationSpec
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.spec import HeadSpec, ModelSpec
from exporting import assert_same, copied, random_network

pytestmark = pytest.mark.usefixtures("small_network")
WRITTEN = ("onnx", "openvino")


SSDLITE = HeadSpec(kernel=3, depthwise=True)
SPECS = {
    "one class and fewer than 100 boxes": ModelSpec(1, 0.25, 64),
    "an odd side, other scales": ModelSpec(3, 0.25, 75, box_scales=(4.0, 3.0, 2.0, 1.0)),
    "SSDLite": ModelSpec(2, 0.25, 96, heads=SSDLITE, depthwise_maps=True, background=True),
    "v2": ModelSpec(2, 0.25, 64, name="ssd_mobilenet_v2", heads=HeadSpec(dropout=0.5)),
    "explicit padding, relu": ModelSpec(
        2,
        0.25,
        64,
        backbone_convolutions=LayerSpec(explicit_padding=True),
        extra_convolutions=LayerSpec("relu", scale=False, explicit_padding=True),
    ),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_they_agree_with_keras_for_any_number_of_images(spec: ModelSpec, written: Path) -> None:
    model, side = random_network(spec), spec.input_size
    names = tuple(f"Klasse ü{i}" for i in range(spec.num_classes))
    artifact = Artifact(spec.to_json(), names, Preprocessing(side))
    images = np.random.default_rng(1).integers(0, 256, (3, side, side, 3), np.uint8)
    expected = KerasEngine(model, artifact.preprocessing)(images)
    assert {label for _, _, labels in expected for label in labels} == set(range(len(names)))
    for kind in WRITTEN:
        TARGETS[kind].write(written / kind, model, artifact)
        detector = Detector.load(written / kind)
        assert detector.artifact == artifact
        assert_same(expected, detector.engine(images))
        assert_same(expected[:1], detector.engine(images[:1]))


def test_a_quantized_network_rounds_as_it_does_in_keras(written: Path) -> None:
    """A sum that falls between two numbers is rounded here up and there down: most agree."""
    spec = ModelSpec(2, 0.25, 64, name="ssd_mobilenet_v2", quantization=QuantizationSpec())
    model = random_network(spec)
    artifact = Artifact(spec.to_json(), ("a", "b"), Preprocessing(64))
    images = list(np.random.default_rng(1).integers(0, 256, (8, 64, 64, 3), np.uint8))
    run = Detector(KerasEngine(model, artifact.preprocessing), artifact)
    expected = list(run.predict_many(images, threshold=0))
    floats = SsdModel.build(ModelSpec(2, 0.25, 64, name="ssd_mobilenet_v2"))
    by_path = {weight.path: weight for weight in model.network.weights}
    for weight in floats.network.weights:
        weight.assign(by_path[weight.path])
    unrounded = Detector(KerasEngine(floats, artifact.preprocessing), artifact)
    apart = np.abs(
        next(unrounded.predict_many(images, threshold=0)).scores - expected[0].scores
    ).max()
    assert apart > 1e-3
    for kind in WRITTEN:
        TARGETS[kind].write(written / kind, model, artifact)
        found = list(Detector.load(written / kind).predict_many(images, threshold=0))
        compared, agreeing = agreement(expected, found)
        assert agreeing >= 0.9 * compared > 0
        pairs = zip(expected, found, strict=True)
        assert min(np.abs(a.scores - b.scores).max() for a, b in pairs) < 1e-5


@pytest.fixture(scope="module")
def detectors(
    tiny_detector: Callable[..., Any], tiny_file: Callable[..., Path]
) -> tuple[Path, Any]:
    """A folder with `detector.tflite`, `detector.onnx` and `openvino`, and what is in all."""
    (folder,) = {tiny_file(kind).parent for kind in ("tflite", "onnx", "openvino")}
    return folder, tiny_detector(3)


@pytest.mark.parametrize("name", ["detector.onnx", "openvino"])
@pytest.mark.parametrize("threads", [None, 1])
def test_they_run_on_any_number_of_threads(
    name: str, threads: int | None, detectors: Any, random_inputs: NDArray[np.uint8]
) -> None:
    folder, tiny = detectors
    detector = Detector.load(folder / name, threads=threads)
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))


WITHOUT_TENSORFLOW = """
import importlib.abc
import sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "jax", "pycocotools", "onnx"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
import numpy as np
from boxwright.inference.detector import Detector

photo = np.arange(90 * 120 * 3, dtype=np.uint32).astype(np.uint8).reshape(90, 120, 3)
print(len(Detector.load(sys.argv[1]).predict(photo, threshold=0)))
"""


@pytest.mark.parametrize("name", ["detector.tflite", "detector.onnx", "openvino"])
def test_they_run_where_there_is_no_tensorflow(name: str, detectors: Any) -> None:
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, os.fspath(detectors[0] / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "100\n", "")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("detector.onnx", "onnxruntime", "onnx"),
        ("openvino", "openvino", "openvino"),
    ],
)
def test_what_runs_them_is_named_where_it_is_absent(
    name: str, package: str, extra: str, detectors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemFaultError, match=rf"{package}.*boxwright\[{extra}\]") as caught:
        Detector.load(detectors[0] / name)
    assert caught.value.code == "BW901"


def test_the_onnx_file_is_valid_and_says_what_it_is(detectors: Any) -> None:
    folder, tiny = detectors
    model = onnx.load(folder / "detector.onnx")
    onnx.checker.check_model(model, full_check=True)
    (metadata,) = model.metadata_props
    assert metadata.key == "boxwright"
    assert json.loads(metadata.value) == tiny.artifact.to_json()
    described = [
        (
            value.name,
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim],
        )
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert described == [
        ("images", "UINT8", ["N", 64, 64, 3]),
        ("detection_boxes", "FLOAT", ["N", 100, 4]),
        ("detection_scores", "FLOAT", ["N", 100]),
        ("detection_classes", "INT32", ["N", 100]),
        ("num_detections", "INT32", ["N"]),
    ]


def test_the_same_detector_gives_the_same_bytes(detectors: Any, written: Path) -> None:
    folder, tiny = detectors
    write_onnx(written / "again", tiny.model, tiny.artifact)
    assert (written / "again").read_bytes() == (folder / "detector.onnx").read_bytes()


def test_rows_without_a_detection_are_zero(
    own_detector: Callable[..., Any], random_inputs: NDArray[np.uint8], written: Path
) -> None:
    import onnxruntime

    tiny = own_detector(3)
    head = tiny.model.network.get_layer("class_logits")
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign([-80.0, -80.0, -80.0, -80.0, 0.0, -80.0])  # the larger boxes of one class
    write_onnx(written / "one class", tiny.model, tiny.artifact)
    session = onnxruntime.InferenceSession((written / "one class").read_bytes())
    boxes, scores, labels, counts = session.run(None, {"images": random_inputs})
    for own_boxes, own_scores, own_labels, count in zip(boxes, scores, labels, counts, strict=True):
        assert 0 < count < 100
        assert (own_labels[:count] == 1).all()
        assert not own_boxes[count:].any()
        assert not own_scores[count:].any()
        assert not own_labels[count:].any()
    head.bias.assign([-80.0] * 6)
    for kind in WRITTEN:
        TARGETS[kind].write(written / kind, tiny.model, tiny.artifact)
        found = Detector.load(written / kind).engine(random_inputs)
        assert [len(scores) for _, scores, _ in found] == [0] * 4


def cut(to: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * to)])

    return change


def another_kind(path: Path) -> None:
    path.write_bytes(b"\xff\xd8\xff\xe0 no network at all")


def changed(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        model = onnx.load(path)
        change(model)
        path.write_bytes(model.SerializeToString())

    return rewrite


def without_names(model: Any) -> None:
    del model.metadata_props[:]


def newer(model: Any) -> None:
    described = json.loads(model.metadata_props[0].value)
    model.metadata_props[0].value = json.dumps({**described, "version": 99})


def hand_edited(model: Any) -> None:
    model.metadata_props[0].value = "{"


def without_outputs(model: Any) -> None:
    del model.graph.output[1:]


def of_one_image(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def foreign_operator(model: Any) -> None:
    model.graph.node[0].op_type = "Dreaming"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (cut(0), "BW502"),
        (cut(0.01), "BW502"),
        (cut(0.5), "BW502"),
        (cut(0.999), "BW502"),
        (another_kind, "BW502"),
        (changed(hand_edited), "BW502"),
        (changed(newer), "BW503"),
        (changed(without_names), "BW504"),
        (changed(without_outputs), "BW505"),
        (changed(of_one_image), "BW505"),
        (changed(foreign_operator), "BW505"),
    ],
)
def test_an_onnx_file_that_is_no_detector(
    change: Callable[[Path], None],
    code: str,
    detectors: Any,
    written: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = written / "détecteur.onnx"
    path.write_bytes((detectors[0] / "detector.onnx").read_bytes())
    change(path)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert (caught.value.code, caught.value.where) == (code, str(path))
    assert capfd.readouterr().err == ""


def test_names_for_an_onnx_file_without_any(
    detectors: Any, random_inputs: NDArray[np.uint8], written: Path
) -> None:
    folder, tiny = detectors
    path = written / "elsewhere.onnx"
    path.write_bytes((folder / "detector.onnx").read_bytes())
    changed(without_names)(path)
    detector = Detector.load(path, classes=["a", "b", "c"])
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))
    assert {each.name for each in detector.predict(random_inputs[0], threshold=0)} <= set("abc")
    with pytest.raises(DetectorError) as caught:
        Detector.load(path, classes=["a"]).predict(random_inputs[0])
    assert caught.value.code == "BW506"


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("detector.xml", cut(0), "BW502"),
        ("detector.xml", cut(0.5), "BW502"),
        ("detector.xml", another_kind, "BW502"),
        ("detector.bin", cut(0.5), "BW502"),
        ("detector.bin", cut(0), "BW502"),
        ("detector.bin", Path.unlink, "BW502"),
        ("boxwright.json", cut(0.5), "BW502"),
        ("boxwright.json", Path.unlink, "BW504"),
    ],
)
def test_an_openvino_folder_that_is_no_detector(
    name: str,
    change: Callable[[Path], None],
    code: str,
    detectors: Any,
    written: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = copied(detectors[0] / "openvino", written)
    change(folder / name)
    with pytest.raises(DetectorError) as caught:
        Detector.load(folder)
    assert caught.value.code == code
    assert str(folder) in str(caught.value.where)
    assert capfd.readouterr().err == ""


def test_an_openvino_network_of_another_kind(detectors: Any, written: Path) -> None:
    import openvino
    from openvino import opset13

    pixels = opset13.parameter([1, 3], np.float32, name="x")
    network = openvino.Model([opset13.relu(pixels)], [pixels])
    openvino.save_model(network, written / "detector.xml")
    (written / "boxwright.json").write_bytes(
        (detectors[0] / "openvino" / "boxwright.json").read_bytes()
    )
    with pytest.raises(DetectorError) as caught:
        Detector.load(written)
    assert caught.value.code == "BW505"


def planted(features: Any) -> Any:
    return keras().layers.Lambda(lambda x: x / 100, name="weave")(features)


def with_holes(features: Any) -> Any:
    layers = keras().layers
    return layers.Conv2D(8, 3, padding="same", dilation_rate=2, name="weave")(features)


def of_another_activation(features: Any) -> Any:
    return keras().layers.Conv2D(8, 1, padding="same", activation="gelu", name="weave")(features)


@pytest.mark.parametrize("extra", [planted, with_holes, of_another_activation])
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_foreign_layer_is_refused_by_name(
    extra: Callable[[Any], Any], kind: str, own_detector: Callable[..., Any], written: Path
) -> None:
    tiny = own_detector(extra=extra)
    with pytest.raises(ExportError, match="weave") as caught:
        TARGETS[kind].write(written / "planted", tiny.model, tiny.artifact)
    assert caught.value.code == "BW404"
    assert list(written.iterdir()) == []
