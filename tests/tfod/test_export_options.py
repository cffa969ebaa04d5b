"""What the flags and the config change in an export, on a small network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import BoxwrightError, FlagError, TfodError, WeightsError
from boxwright.tfod import export_inference_graph, export_tflite_ssd_graph, exporter_main_v2
from exporting import run_graph, said

CONFIG = Path(__file__).parent / "configs" / "helmet.config"


@dataclasses.dataclass(frozen=True)
class Small:
    """A checkpoint of two classes at 64 px, and its config."""

    config: Path
    prefix: Path
    model: Any

    def export(self, command: Any, folder: Path, *words: str) -> list[str]:
        return said(
            command,
            f"--pipeline_config_path={self.config}",
            f"--trained_checkpoint_prefix={self.prefix}",
            f"--output_directory={folder}",
            *words,
        )


@pytest.fixture(scope="module")
def small(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> Small:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights.variables import variables_by_name
    from boxwright.tfod.checkpoint import save

    model = build(ModelSpec(2, 0.25, 64, background=True))
    rng = np.random.default_rng(3)
    for variable in model.weights:
        if variable.name == "bias":
            variable.assign(rng.normal(size=variable.shape))
    averages = {
        f"{name}/ExponentialMovingAverage": np.zeros(variable.shape, np.float32)
        for name, variable in variables_by_name(model).items()
        if name.endswith("biases")
    }
    folder = tmp_path_factory.mktemp("small")
    prefix = save(folder / "training", model, 7, averages)
    text = CONFIG.read_text(encoding="utf-8")
    for before, after in (
        ("num_classes: 1", "num_classes: 2"),
        ("height: 300", "height: 64"),
        ("width: 300", "width: 64"),
        ("depth_multiplier: 1.0", "depth_multiplier: 0.25"),
    ):
        assert before in text
        text = text.replace(before, after)
    config = folder / "small.config"
    config.write_text(text, encoding="utf-8")
    return Small(config, prefix, model)


def test_images_as_files_and_as_examples(small: Small, tmp_path: Path) -> None:
    tf = framework.tensorflow()
    image = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)
    content = tf.io.encode_png(image).numpy()  # of a JPEG two decoders make two photos
    example = tf.train.Example()
    example.features.feature["image/encoded"].bytes_list.value.append(content)
    inputs = {
        "image_tensor": image[None],
        "encoded_image_string_tensor": [content],
        "tf_example": [example.SerializeToString()],
    }
    found = {}
    for name, values in inputs.items():
        folder = tmp_path / name
        small.export(export_inference_graph, folder, f"--input_type={name}")
        found[name] = run_graph(folder, name, values)
    for name in list(inputs)[1:]:
        for key, values in found["image_tensor"].items():
            np.testing.assert_array_equal(found[name][key], values, err_msg=f"{name} {key}")

    # Files of one batch may have images of different sizes.
    other = image[:30, :40]
    name = "encoded_image_string_tensor"
    both = run_graph(tmp_path / name, name, [content, tf.io.encode_png(other).numpy()])
    for i, one in enumerate((image, other)):
        alone = run_graph(tmp_path / "image_tensor", "image_tensor", one[None])
        for key, values in alone.items():
            np.testing.assert_allclose(both[key][i], values[0], atol=1e-5, err_msg=key)


def test_a_saved_model_of_tensorflow_2_takes_floats(small: Small, tmp_path: Path) -> None:
    said(
        exporter_main_v2,
        f"--pipeline_config_path={small.config}",
        f"--trained_checkpoint_dir={small.prefix.parent}",
        f"--output_directory={tmp_path}",
        "--input_type=float_image_tensor",
    )
    tf = framework.tensorflow()
    detect = tf.saved_model.load(tmp_path / "saved_model")
    image = np.random.default_rng(1).integers(0, 256, (1, 50, 70, 3)).astype(np.float32)
    called, served = detect(image), detect.signatures["serving_default"](tf.constant(image))
    assert len(called) == 4
    for key, values in called.items():
        np.testing.assert_array_equal(values, served[key])
    assert float(called["num_detections"][0]) > 0


def test_moving_averages_are_exported_where_the_config_says_so(
    small: Small, tmp_path: Path
) -> None:
    from boxwright.models.weights.checkpoint import read_variables

    name = "BoxPredictor_0/BoxEncodingPredictor/biases"
    small.export(export_inference_graph, tmp_path / "own")
    override = "eval_config { use_moving_averages: true }"
    small.export(export_inference_graph, tmp_path / "averages", f"--config_override={override}")
    assert read_variables(tmp_path / "own")[name].any()
    assert not read_variables(tmp_path / "averages")[name].any()
    assert "use_moving_averages: true" in (tmp_path / "averages/pipeline.config").read_text("utf-8")


def test_the_configs_numbers_are_the_graphs(small: Small, tmp_path: Path) -> None:
    override = (
        "model { ssd { post_processing { batch_non_max_suppression { max_total_detections: 300 "
        "max_detections_per_class: 4 score_threshold: 0.25 } } box_coder { faster_rcnn_box_coder "
        "{ y_scale: 2.0 } } } }"
    )
    small.export(export_inference_graph, tmp_path / "of", f"--config_override={override}")
    found = run_graph(tmp_path / "of", "image_tensor", np.zeros((1, 20, 30, 3), np.uint8))
    assert found["detection_boxes"].shape == (1, 300, 4)
    count = int(found["num_detections"][0])
    assert 0 < count <= 8
    assert (found["detection_scores"][0, :count] > 0.25).all()
    assert not found["detection_scores"][0, count:].any()
    small.export(
        export_tflite_ssd_graph,
        tmp_path / "of",
        f"--config_override={override}",
        "--max_detections=40",
        "--use_regular_nms=true",
    )
    tf = framework.tensorflow().compat.v1
    graph = tf.GraphDef.FromString((tmp_path / "of" / "tflite_graph.pb").read_bytes())
    (node,) = (node for node in graph.node if node.op == "TFLite_Detection_PostProcess")
    assert list(node.input) == [
        "raw_outputs/box_encodings",
        "raw_outputs/class_predictions",
        "anchors",
    ]
    numbers = {"num_classes": 2, "max_detections": 40, "detections_per_class": 100}
    assert {key: node.attr[key].i for key in numbers} == numbers
    assert node.attr["use_regular_nms"].b
    scales = ("y_scale", "x_scale", "h_scale", "w_scale")
    assert [node.attr[key].f for key in scales] == [2.0, 10.0, 5.0, 5.0]
    assert node.attr["nms_score_threshold"].f == 0.25


def test_without_the_operator_the_graph_ends_in_raw_outputs(small: Small, tmp_path: Path) -> None:
    small.export(export_tflite_ssd_graph, tmp_path / "raw", "--noadd_postprocessing_op")
    tf = framework.tensorflow().compat.v1
    with tf.Graph().as_default(), tf.Session() as session:
        definition = tf.GraphDef.FromString((tmp_path / "raw" / "tflite_graph.pb").read_bytes())
        tf.import_graph_def(definition, name="")
        names = [f"raw_outputs/{name}:0" for name in ("box_encodings", "class_predictions")]
        image = np.zeros((1, 64, 64, 3), np.float32)
        boxes, scores, anchors = session.run(
            [*names, "anchors:0"], {"normalized_input_image_tensor:0": image}
        )
    assert boxes.shape == (1, len(anchors), 4)
    assert scores.shape == (1, len(anchors), 3)


REFUSED: list[tuple[Callable[[Small], list[str]], type[BoxwrightError], str]] = [
    (lambda small: [f"--trained_checkpoint_prefix={small.prefix}9"], TfodError, "BW728"),
    (lambda small: [f"--pipeline_config_path={small.config}.txt"], TfodError, "BW721"),
    (lambda _: ["--config_override=model { ssd { num_classes: 5 } }"], WeightsError, "BW206"),
    (lambda _: ["--config_override=model {"], TfodError, "BW721"),
    (lambda _: ["--input_shape=1,64,64"], FlagError, "BW704"),
    (lambda _: ["--input_shape=1,64,64,3", "--input_type=tf_example"], FlagError, "BW710"),
]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(
    small: Small,
    tmp_path: Path,
    case: tuple[Callable[[Small], list[str]], type[BoxwrightError], str],
) -> None:
    words, kind, code = case
    with pytest.raises(kind) as caught:
        small.export(export_inference_graph, tmp_path / "out", *words(small))
    assert caught.value.code == code
    assert not (tmp_path / "out").exists()
