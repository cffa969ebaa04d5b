"""The exported files compute what the Keras model and `postprocess` compute."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend.framework import keras, tensorflow
from boxwright.errors import DetectorError, ExportError
from boxwright.export import tflite as tflite_writer
from boxwright.export.targets import TARGETS
from boxwright.export.tflite import refuse_foreign_operators, write_tflite
from boxwright.inference import litert
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import TFLiteEngine
from boxwright.inference.inspection import inspect
from exporting import assert_same, copied, run_graph


@pytest.mark.parametrize(
    ("classes", "seed", "threads"),
    [(1, 0, 1), (2, 1, 2), (3, 2, 1), (3, 2, 2), (7, 3, 2), (7, 3, 3), (7, 3, 4)],
)
def test_a_tflite_agrees_on_any_number_of_threads(
    classes: int,
    seed: int,
    threads: int,
    tiny_detector: Callable[..., Any],
    tiny_file: Callable[..., Path],
    random_inputs: NDArray[np.uint8],
) -> None:
    tiny = tiny_detector(classes, seed)
    detector = Detector.load(tiny_file("tflite", classes, seed), threads=threads)
    expected = tiny.detector.engine(random_inputs)
    assert {label for _, _, labels in expected for label in labels} == set(range(classes))
    assert_same(expected, detector.engine(random_inputs))
    assert detector.artifact == tiny.artifact


def test_a_file_from_elsewhere_that_threads_would_cost_a_class(
    tiny_detector: Callable[..., Any],
    random_inputs: NDArray[np.uint8],
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tflite_writer, "SPARE_COLUMNS", 0)
    monkeypatch.setattr(tflite_writer, "_attached_files", lambda artifact: b"")
    tiny = tiny_detector(4, seed=5)
    path = written / "elsewhere.tflite"
    write_tflite(path, tiny.model, tiny.artifact)
    expected = tiny.detector.engine(random_inputs)
    detector = Detector.load(path, classes=tiny.artifact.classes, threads=2)
    assert_same(expected, detector.engine(random_inputs))
    # If this fails, the runtime was repaired, and both remedies can go.
    lossy = TFLiteEngine(path.read_bytes(), where=path, threads=2)
    alone = [lossy(image[None])[0] for image in random_inputs]  # of a batch each has one thread
    assert all(2 not in labels for _, _, labels in alone)


@pytest.fixture(scope="module")
def saved_model(tiny_detector: Callable[..., Any], tiny_file: Callable[..., Path]) -> Any:
    return tiny_file("savedmodel"), tiny_detector(3)


def test_a_savedmodel_agrees(saved_model: Any, random_inputs: NDArray[np.uint8]) -> None:
    folder, tiny = saved_model
    detector = Detector.load(folder)
    assert detector.artifact == tiny.artifact
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))
    assert_same(tiny.detector.engine(random_inputs[:1]), detector.engine(random_inputs[:1]))


@pytest.mark.parametrize(
    ("name", "takes", "shape"),
    [
        ("serving_default", "inputs", [None, None, None, 3]),  # the API's
        ("batched", "images", [None, 64, 64, 3]),
    ],
)
def test_the_savedmodels_signatures(
    name: str, takes: str, shape: list[int | None], saved_model: Any
) -> None:
    signature = tensorflow().saved_model.load(str(saved_model[0])).signatures[name]
    (images,) = signature.structured_input_signature[1].values()
    assert (images.name, images.dtype.name, images.shape.as_list()) == (takes, "uint8", shape)
    outputs = {name: spec.dtype.name for name, spec in signature.structured_outputs.items()}
    assert outputs == {
        "detection_boxes": "float32",
        "detection_scores": "float32",
        "detection_classes": "float32",
        "num_detections": "float32",
    }


def test_both_signatures_count_classes_from_one(
    saved_model: Any, random_inputs: NDArray[np.uint8]
) -> None:
    folder, tiny = saved_model
    tf = tensorflow()
    loaded = tf.saved_model.load(str(folder)).signatures
    images = tf.constant(random_inputs)
    whole, batched = loaded["serving_default"](inputs=images), loaded["batched"](images=images)
    for name in litert.OUTPUT_NAMES:
        np.testing.assert_allclose(whole[name], batched[name], atol=1e-5)
    (_, _, labels), *_ = tiny.detector.engine(random_inputs)
    first = batched["detection_classes"].numpy()[0, : len(labels)]
    assert (first - 1).tolist() == labels.tolist()


def test_a_savedmodel_of_0_1_0_is_read(
    saved_model: Any, random_inputs: NDArray[np.uint8], written: Path
) -> None:
    """Its signature `batched` has whole numbers from 0."""
    folder, tiny = saved_model
    tf = tensorflow()
    now = tf.saved_model.load(str(folder))

    def batched(images: Any) -> dict[str, Any]:
        found = dict(now.signatures["batched"](images=images))
        found["detection_classes"] = tf.cast(found["detection_classes"], tf.int32) - 1
        found["num_detections"] = tf.cast(found["num_detections"], tf.int32)
        return found

    old, module = written / "old", tf.Module()
    module.now = now
    spec = tf.TensorSpec((None, 64, 64, 3), tf.uint8, name="images")
    module.batched = tf.function(batched, input_signature=[spec])
    tf.saved_model.save(module, str(old), signatures={"batched": module.batched})
    described = (folder / "assets.extra" / "boxwright.json").read_bytes()
    (old / "assets.extra").mkdir(exist_ok=True)
    (old / "assets.extra" / "boxwright.json").write_bytes(described)
    detector = Detector.load(old)
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))
    contract = inspect(old).contract
    assert contract is not None
    assert [each.first_class for each in contract.interfaces] == [0]


@pytest.mark.parametrize("target", ["savedmodel", "tflite", "frozen"])
def test_nothing_is_left_among_the_temporary_files(
    tiny_detector: Callable[..., Any],
    written: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    """AutoGraph would leave the bytecode of each module that it has not made before."""
    tensorflow()
    api = importlib.import_module("tensorflow.python.autograph.impl.api")
    monkeypatch.setattr(api, "_TRANSPILER", api.PyToTF())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    tiny = tiny_detector(2)
    TARGETS[target].write(written / "made", tiny.model, tiny.artifact)
    assert list(temporary.iterdir()) == []


def test_a_request_as_tensorflow_serving_has_it(saved_model: Any) -> None:
    """The columnar form of its REST interface: one value per input, photos of any size."""
    folder, tiny = saved_model
    image = np.random.default_rng(1).integers(0, 256, (50, 90, 3), np.uint8)
    request = json.dumps({"signature_name": "serving_default", "inputs": [image.tolist()]})

    tf, asked = tensorflow(), json.loads(request)
    serve = tf.saved_model.load(str(folder)).signatures[asked["signature_name"]]
    (spec,) = serve.structured_input_signature[1].values()
    outputs = serve(**{spec.name: tf.constant(asked["inputs"], spec.dtype)})
    answer = json.loads(
        json.dumps({name: value.numpy().tolist() for name, value in outputs.items()})
    )

    expected = tiny.detector.predict(image, threshold=0)
    count = int(answer["num_detections"][0])
    assert count == len(expected) > 0
    assert set(answer["detection_classes"][0][:count]) <= {1.0, 2.0, 3.0}  # 1-based, as the API's
    best = np.array(answer["detection_boxes"][0][0]) * [50, 90, 50, 90]
    np.testing.assert_allclose(best[[1, 0, 3, 2]], expected.boxes[0], atol=1.0)
    assert answer["detection_scores"][0][0] == pytest.approx(expected.scores[0], abs=0.02)


@pytest.fixture(scope="module")
def frozen(tiny_detector: Callable[..., Any], tiny_file: Callable[..., Path]) -> Any:
    return tiny_file("frozen"), tiny_detector(3)


def test_a_frozen_graph_agrees(frozen: Any, random_inputs: NDArray[np.uint8]) -> None:
    path, tiny = frozen
    detector = Detector.load(path)
    assert detector.artifact == tiny.artifact
    assert_same(tiny.detector.engine(random_inputs), detector.engine(random_inputs))


def test_a_frozen_graph_runs_as_in_the_tutorials(frozen: Any) -> None:
    path, tiny = frozen
    image = np.random.default_rng(1).integers(0, 256, (1, 50, 90, 3), np.uint8)
    found = run_graph(path.parent, "image_tensor", image)
    expected = tiny.detector.predict(image[0], threshold=0)
    assert found["num_detections"][0] == len(expected)
    assert found["detection_scores"][0, 0] == pytest.approx(expected.scores[0], abs=0.02)
    assert set(found["detection_classes"].ravel()) <= {1.0, 2.0, 3.0}


def test_a_frozen_graph_that_would_write_a_file_is_not_run(frozen: Any, written: Path) -> None:
    definition = tensorflow().compat.v1.GraphDef.FromString(frozen[0].read_bytes())
    definition.node.add(name="evil", op="WriteFile")
    bad = written / "evil.pb"
    bad.write_bytes(definition.SerializeToString())
    with pytest.raises(DetectorError, match="WriteFile") as caught:
        Detector.load(bad)
    assert caught.value.code == "BW512"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda content: content[: len(content) // 2], "BW502"),
        (lambda content: b"nothing of that kind", "BW502"),
        (lambda content: b"", "BW505"),  # a graph without nodes
        (lambda content: content.replace(b"image_tensor", b"image_sensor"), "BW505"),
    ],
)
def test_a_damaged_frozen_graph_is_refused(
    change: Callable[[bytes], bytes], code: str, frozen: Any, written: Path
) -> None:
    bad = written / "bad.pb"
    bad.write_bytes(change(frozen[0].read_bytes()))
    with pytest.raises(DetectorError) as caught:
        Detector.load(bad)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("saved_model.pb", "BW502"),
        ("variables/variables.index", "BW502"),
        ("assets.extra/boxwright.json", "BW502"),
    ],
)
def test_a_cut_off_savedmodel_is_refused(
    broken: str, code: str, saved_model: Any, written: Path
) -> None:
    folder = copied(saved_model[0], written)
    part = folder / broken
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    with pytest.raises(DetectorError) as caught:
        Detector.load(folder)
    assert caught.value.code == code


def test_a_savedmodel_from_elsewhere_is_refused(saved_model: Any, written: Path) -> None:
    tf = tensorflow()
    module = tf.Module()
    module.double = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec((1,))])
    tf.saved_model.save(module, str(written), signatures=module.double)
    with pytest.raises(DetectorError) as no_names:
        Detector.load(written)
    (written / "assets.extra").mkdir()
    described = (saved_model[0] / "assets.extra" / "boxwright.json").read_bytes()
    (written / "assets.extra" / "boxwright.json").write_bytes(described)
    with pytest.raises(DetectorError) as no_detector:
        Detector.load(written)
    assert (no_names.value.code, no_detector.value.code) == ("BW504", "BW505")


@pytest.fixture(scope="module")
def tflite(tiny_detector: Callable[..., Any], tiny_file: Callable[..., Path]) -> Any:
    return tiny_file("tflite"), tiny_detector(3)


def test_inputs_and_outputs_have_the_classic_names_and_order(tflite: Any) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=tflite[0].read_bytes())
    (images,) = interpreter.get_input_details()
    assert (images["name"], images["dtype"], images["shape"].tolist()) == (
        "images", np.uint8, [1, 64, 64, 3],
    )  # fmt: skip
    outputs = [(d["name"], d["shape"].tolist()) for d in interpreter.get_output_details()]
    assert outputs == [
        ("detection_boxes", [1, 100, 4]),
        ("detection_classes", [1, 100]),
        ("detection_scores", [1, 100]),
        ("num_detections", [1]),
    ]


def test_labels_are_inside_for_any_program_to_read(tflite: Any) -> None:
    path, tiny = tflite
    with zipfile.ZipFile(path) as attached:
        assert attached.read("labels.txt").decode().splitlines() == list(tiny.artifact.classes)
        assert json.loads(attached.read("boxwright.json")) == tiny.artifact.to_json()


def test_the_same_detector_gives_the_same_bytes(tflite: Any, written: Path) -> None:
    path, tiny = tflite
    write_tflite(written / "again.tflite", tiny.model, tiny.artifact)
    assert (written / "again.tflite").read_bytes() == path.read_bytes()


def test_it_needs_one_operator_beyond_the_builtins(tflite: Any) -> None:
    (operator,) = litert.custom_operators(tflite[0].read_bytes())
    assert operator.name == "TFLite_Detection_PostProcess"
    assert operator.options["use_regular_nms"]
    assert operator.options["max_detections"] == 100
    assert operator.options["nms_iou_threshold"] == pytest.approx(0.6)
    scales = [operator.options[f"{side}_scale"] for side in "yxhw"]
    assert scales == [10, 10, 5, 5]


def test_a_tflite_runs_where_there_is_no_tensorflow(tflite: Any) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'jax'): sys.modules[name] = None\n"
        "import numpy as np\n"
        "from boxwright.inference.detector import Detector\n"
        "photo = np.arange(90 * 120 * 3, dtype=np.uint32).astype(np.uint8).reshape(90, 120, 3)\n"
        "print(len(Detector.load(sys.argv[1]).predict(photo, threshold=0)))\n"
    )
    command = [sys.executable, "-c", code, os.fspath(tflite[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "100\n", "")


@pytest.mark.parametrize("cut", [0, 5, 100, 0.5, 0.9, -400, -10])
def test_a_cut_off_tflite_is_refused(cut: float, tflite: Any, written: Path) -> None:
    content = tflite[0].read_bytes()
    kept = content[: int(cut * len(content)) if 0 < cut < 1 else int(cut)]
    (written / "cut.tflite").write_bytes(kept)
    with pytest.raises(DetectorError) as caught:
        Detector.load(written / "cut.tflite")
    assert caught.value.code == "BW502"


def test_a_tflite_of_a_newer_version_is_refused(tflite: Any, written: Path) -> None:
    path, tiny = tflite
    flatbuffer = path.read_bytes()
    flatbuffer = flatbuffer[: flatbuffer.index(b"PK\x03\x04")]
    newer = written / "newer.tflite"
    newer.write_bytes(flatbuffer)
    with zipfile.ZipFile(newer, "a") as attached:
        attached.writestr("boxwright.json", json.dumps(tiny.artifact.to_json() | {"version": 99}))
    with pytest.raises(DetectorError) as caught:
        Detector.load(newer)
    assert caught.value.code == "BW503"


def test_an_operator_that_tflite_lacks_is_refused_by_name(
    own_detector: Callable[..., Any], written: Path
) -> None:
    def planted(features: Any) -> Any:
        weave = keras().layers.Lambda(lambda x: tensorflow().math.erfinv(x / 100))
        return weave(features)

    tiny = own_detector(extra=planted)
    with pytest.raises(ExportError, match="Erfinv") as caught:
        write_tflite(written / "planted.tflite", tiny.model, tiny.artifact)
    assert caught.value.code == "BW403"
    assert list(written.iterdir()) == []


def test_a_flex_operator_is_refused_by_name() -> None:
    tf = tensorflow()
    function = tf.function(tf.linalg.cholesky, input_signature=[tf.TensorSpec((4, 4))])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    content = converter.convert()
    with pytest.raises(ExportError, match="FlexCholesky") as caught:
        refuse_foreign_operators(content, Path("planted.tflite"))
    assert caught.value.code == "BW403"


def test_labels_are_one_line_each_whatever_the_names_hold(
    tiny_detector: Callable[..., Any], written: Path
) -> None:
    tiny = tiny_detector(2)
    names = ("two\nlines", "tab\there")
    artifact = Artifact(tiny.artifact.model, names, tiny.artifact.preprocessing)
    write_tflite(written / "odd.tflite", tiny.model, artifact)
    with zipfile.ZipFile(written / "odd.tflite") as attached:
        assert attached.read("labels.txt") == b"two lines\ntab here\n"
    assert Detector.load(written / "odd.tflite").classes == names
