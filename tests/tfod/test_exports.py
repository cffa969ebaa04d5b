"""The exports of the Object Detection API: what its own wrote of the golden checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import BoxwrightError, FlagError, TfodError
from boxwright.tfod import export_inference_graph, export_tflite_ssd_graph, toco
from exporting import run_graph, said

pytestmark = pytest.mark.shared

EXPORTED = (
    "checkpoint",
    "frozen_inference_graph.pb",
    "model.ckpt.data-00000-of-00001",
    "model.ckpt.index",
    "model.ckpt.meta",
    "pipeline.config",
    "saved_model",
)
TOLERANCE = 1e-5  # of the network's outputs; 4e-7 was measured


@pytest.fixture(scope="module")
def golden(shared: Path) -> Path:
    return shared / "golden" / "ckpt_parity_v1_c90"


@pytest.fixture(scope="module")
def exported(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both exports write of the golden checkpoint of 90 classes."""
    folder = tmp_path_factory.mktemp("inference") / "ssd v1, Größe 300"
    words = (
        f"--pipeline_config_path={golden / 'pipeline.config'}",
        f"--trained_checkpoint_prefix={golden / 'model.ckpt'}",
        f"--output_directory={folder}",
    )
    lines = said(export_inference_graph, "--input_type", "image_tensor", *words)
    assert lines[-1].endswith("from step 1234")
    assert any("num_readers" in line for line in lines), "nothing is ignored silently"
    said(export_tflite_ssd_graph, *words)
    return folder


def test_files_are_the_originals(exported: Path, golden: Path) -> None:
    from boxwright.models.weights.checkpoint import read_variables
    from boxwright.tfod.config import read_config

    names = {path.name for path in exported.iterdir()}
    assert names == {*EXPORTED, "tflite_graph.pb", "tflite_graph.pbtxt"}
    written, own = read_variables(exported), read_variables(golden)
    assert {name: value.tobytes() for name, value in written.items()} == {
        name: value.tobytes() for name, value in own.items()
    }
    path = exported / "pipeline.config"
    assert read_config(path).pipeline == read_config(golden / "pipeline.config").pipeline


def test_no_path_of_this_machine_is_in_a_graph(exported: Path, golden: Path) -> None:
    """pipeline.config is a copy of what the user wrote, as the API's; graphs go to others."""
    for graph in ("frozen_inference_graph.pb", "saved_model/saved_model.pb", "tflite_graph.pb"):
        content = (exported / graph).read_bytes()
        for path in (exported, golden, Path(__file__).parents[2]):
            assert str(path).encode() not in content


def detect_by_the_notebook(path_to_frozen_graph: Path, image: NDArray[np.uint8]) -> dict[str, Any]:
    """The first tutorial's notebook: its lines, `tf` being `tensorflow.compat.v1`."""
    tf = framework.tensorflow().compat.v1
    detection_graph = tf.Graph()
    with detection_graph.as_default():
        od_graph_def = tf.GraphDef()
        with tf.gfile.GFile(str(path_to_frozen_graph), "rb") as fid:
            serialized_graph = fid.read()
            od_graph_def.ParseFromString(serialized_graph)
            tf.import_graph_def(od_graph_def, name="")

    with detection_graph.as_default(), tf.Session() as sess:
        ops = tf.get_default_graph().get_operations()
        all_tensor_names = {output.name for op in ops for output in op.outputs}
        tensor_dict = {}
        for key in [
            "num_detections",
            "detection_boxes",
            "detection_scores",
            "detection_classes",
            "detection_masks",
        ]:
            tensor_name = key + ":0"
            if tensor_name in all_tensor_names:
                tensor_dict[key] = tf.get_default_graph().get_tensor_by_name(tensor_name)
        image_tensor = tf.get_default_graph().get_tensor_by_name("image_tensor:0")
        output_dict: dict[str, Any] = sess.run(
            tensor_dict, feed_dict={image_tensor: np.expand_dims(image, 0)}
        )
    return output_dict


def test_the_notebook_finds_what_it_found(exported: Path, golden: Path) -> None:
    """On two photos of the input's size, and on one of 417 by 650 pixels."""
    wanted = np.load(golden / "frozen_io.npz")
    stored = np.load(golden / "io.npz")["images"]
    images = {"0": stored[0], "1": stored[1], "big": wanted["frozen_big_image"][0]}
    for key, image in images.items():
        found = detect_by_the_notebook(exported / "frozen_inference_graph.pb", image)
        assert found.keys() == {
            "num_detections",
            "detection_boxes",
            "detection_scores",
            "detection_classes",
        }
        for name, values in found.items():
            golden_values = wanted[f"frozen_{name}_{key}"]
            assert (values.dtype, values.shape) == (np.float32, golden_values.shape)
            np.testing.assert_allclose(values, golden_values, rtol=0, atol=TOLERANCE, err_msg=name)


def test_the_saved_model_has_the_signature_and_takes_a_batch(exported: Path, golden: Path) -> None:
    tf = framework.tensorflow()
    loaded = tf.saved_model.load(str(exported / "saved_model"))
    serve = loaded.signatures["serving_default"]
    _, inputs = serve.structured_input_signature
    assert list(inputs) == ["inputs"]
    assert inputs["inputs"].shape.as_list() == [None, None, None, 3]
    images = np.load(golden / "io.npz")["images"]
    found = {name: values.numpy() for name, values in serve(inputs=tf.constant(images)).items()}
    wanted = np.load(golden / "frozen_io.npz")
    assert len(found) == 4
    for name, values in found.items():
        for i in range(2):
            expected = wanted[f"frozen_{name}_{i}"][0]
            np.testing.assert_allclose(values[i], expected, rtol=0, atol=TOLERANCE, err_msg=name)


def test_mobilenet_v2_too(shared: Path, tmp_path: Path) -> None:
    """Of two scores that differ in the last bit, either may come first."""
    golden = shared / "golden" / "ckpt_parity_v2_c90"
    said(
        export_inference_graph,
        f"--pipeline_config_path={golden / 'pipeline.config'}",
        f"--trained_checkpoint_prefix={golden / 'model.ckpt'}",
        f"--output_directory={tmp_path}",
    )
    io = np.load(golden / "io.npz")
    found = run_graph(tmp_path, "image_tensor", io["images"])
    wanted = {name: io[f"post_{name}"] for name in found}
    np.testing.assert_array_equal(found["num_detections"], wanted["num_detections"])
    for i in range(2):
        apart = [
            np.abs(found["detection_scores"][i][:, None] - wanted["detection_scores"][i]),
            np.abs(found["detection_classes"][i][:, None] - 1 - wanted["detection_classes"][i]),
            np.abs(found["detection_boxes"][i][:, None] - wanted["detection_boxes"][i]).max(-1),
        ]
        match = np.max(apart, axis=0) < TOLERANCE
        assert (match.sum(axis=1) == 1).all()
        assert np.abs(match.argmax(axis=1) - np.arange(100)).max() <= 1


def names_and_shapes(details: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    return [(each["name"], each["shape"].tolist()) for each in details]


def test_toco_makes_the_tflite_that_the_original_made(
    exported: Path, golden: Path, tmp_path: Path
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    target = tmp_path / "float.tflite"
    said(toco, *toco_words(exported, target, "--inference_type=FLOAT"))
    interpreter = Interpreter(model_path=str(target))
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    assert names_and_shapes([image]) == [("normalized_input_image_tensor", [1, 300, 300, 3])]
    assert names_and_shapes(outputs) == [
        ("TFLite_Detection_PostProcess", [1, 10, 4]),
        ("TFLite_Detection_PostProcess:1", [1, 10]),
        ("TFLite_Detection_PostProcess:2", [1, 10]),
        ("TFLite_Detection_PostProcess:3", [1]),
    ]
    wanted = np.load(golden / "tflite_io.npz")
    interpreter.set_tensor(image["index"], wanted["normalized_input"])
    interpreter.invoke()
    for i, each in enumerate(outputs):
        values = interpreter.get_tensor(each["index"])
        np.testing.assert_allclose(values, wanted[f"out_{i}"], rtol=0, atol=TOLERANCE)


def toco_words(exported: Path, target: Path, *others: str) -> list[str]:
    """The second tutorial's line, its other flags replaced."""
    return [
        f"--graph_def_file={exported / 'tflite_graph.pb'}",
        f"--output_file={target}",
        "--input_shapes=1,300,300,3",
        "--input_arrays=normalized_input_image_tensor",
        "--output_arrays=TFLite_Detection_PostProcess,TFLite_Detection_PostProcess:1,"
        "TFLite_Detection_PostProcess:2,TFLite_Detection_PostProcess:3",
        "--change_concat_input_ranges=false",
        "--allow_custom_ops",
        *others,
    ]


@pytest.mark.parametrize(
    ("kind", "code", "words", "reason"),
    [
        (FlagError, "BW704", ["--input_arrays=image_tensor"], "not a node of"),
        (FlagError, "BW703", ["--noallow_custom_ops"], "needs --allow_custom_ops"),
        (FlagError, "BW703", ["--inference_type=QUANTIZED_UINT8"], "--mean_values"),
        (FlagError, "BW704", ["--input_shapes=1,300x300,3"], "not one shape"),
        (
            TfodError,
            "BW708",
            ["--inference_type=QUANTIZED_UINT8", "--mean_values=128", "--std_dev_values=128"],
            "not trained with QAT",
        ),
        (TfodError, "BW709", ["--input_shapes=1,300,300,4"], "cannot convert"),
        (TfodError, "BW705", ["--graph_def_file=nowhere.pb"], "No such file"),
        (TfodError, "BW705", [f"--graph_def_file={__file__}"], "not a frozen graph"),
    ],
)
def test_what_toco_refuses(
    exported: Path,
    tmp_path: Path,
    kind: type[BoxwrightError],
    code: str,
    words: list[str],
    reason: str,
) -> None:
    with pytest.raises(kind, match=reason) as caught:
        said(toco, *toco_words(exported, tmp_path / "no.tflite", *words))
    assert caught.value.code == code
    assert not list(tmp_path.iterdir())
