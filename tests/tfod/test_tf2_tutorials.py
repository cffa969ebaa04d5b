"""The tutorials for TensorFlow 2 by the lines that they print, from labeled images to detections.

Only the paths are others, the network is small, and a training ends after its first step.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from api_folder import HELMET, SMALL
from test_seed_lines import words_of

import boxwright
from boxwright import formats
from boxwright.backend import framework
from boxwright.cli.tfod import tfod
from boxwright.io.protobuf_text import write
from boxwright.tfod.config import parse_config
from eagerly import op_by_op
from squares import Squares

pytestmark = pytest.mark.usefixtures("small_network")

COLAB_DATA = """
!python train_val_test_split.py
!python3 create_csv.py
!python3 create_tfrecord.py --csv_input=images/train_labels.csv --labelmap=labelmap.txt --image_dir=images/train --output_path=train.tfrecord
!python3 create_tfrecord.py --csv_input=images/validation_labels.csv --labelmap=labelmap.txt --image_dir=images/validation --output_path=val.tfrecord
"""  # noqa: E501
COLAB = r"""
!python /content/models/research/object_detection/model_main_tf2.py \
    --pipeline_config_path={pipeline_file} \
    --model_dir={model_dir} \
    --alsologtostderr \
    --num_train_steps={num_steps} \
    --sample_1_of_n_eval_examples=1
!python /content/models/research/object_detection/export_tflite_graph_tf2.py \
    --trained_checkpoint_dir {last_model_path} \
    --output_directory {output_directory} \
    --pipeline_config_path {pipeline_file}
"""
GUIDE = r"""
python partition_dataset.py -x -i [PATH_TO_IMAGES_FOLDER] -r 0.1
python generate_tfrecord.py -x [PATH_TO_IMAGES_FOLDER]/train -l [PATH_TO_ANNOTATIONS_FOLDER]/label_map.pbtxt -o [PATH_TO_ANNOTATIONS_FOLDER]/train.record
python generate_tfrecord.py -x [PATH_TO_IMAGES_FOLDER]/test -l [PATH_TO_ANNOTATIONS_FOLDER]/label_map.pbtxt -o [PATH_TO_ANNOTATIONS_FOLDER]/test.record
python model_main_tf2.py --model_dir=models/my_ssd --pipeline_config_path=models/my_ssd/pipeline.config
python model_main_tf2.py --model_dir=models/my_ssd --pipeline_config_path=models/my_ssd/pipeline.config --checkpoint_dir=models/my_ssd
python .\exporter_main_v2.py --input_type image_tensor --pipeline_config_path .\models\my_ssd\pipeline.config --trained_checkpoint_dir .\models\my_ssd\ --output_directory .\exported-models\my_model
"""  # noqa: E501
V2 = """
model {{ ssd {{ feature_extractor {{ type: "ssd_mobilenet_v2" }} }} }}
train_config {{ num_steps: 1 batch_size: 2 }}
train_input_reader {{
  label_map_path: "{label_map}"
  tf_record_input_reader {{ input_path: "{train}" }}
}}
eval_input_reader {{
  label_map_path: "{label_map}"
  num_epochs: 1
  tf_record_input_reader {{ input_path: "{val}" }}
}}
"""


def lines_of(printed: str, **values: str) -> list[str]:
    """The lines of a page as one types them, with one's own values in place of its own."""
    text = printed.replace("\\\n", " ")
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value).replace(f"[{name}]", value)
    return [line.lstrip("!").replace("\\", "/") for line in text.splitlines() if line]


def type_in(line: str) -> None:
    name, words = words_of(line)
    with op_by_op() if "model_main" in name else nullcontext():  # exports need graphs
        tfod([name, *words])


def write_config(path: Path, **paths: str) -> None:
    lines = [line for line in HELMET.splitlines() if "fine_tune_checkpoint:" not in line]
    small = parse_config("\n".join(lines), override=SMALL.format(root="."))
    path.parent.mkdir(parents=True, exist_ok=True)
    full = parse_config(write(small.tree), override=V2.format(**paths))
    path.write_text(write(full.tree), encoding="utf-8")


def labeled(root: Path, target: str) -> None:
    """Images with their xml files in one folder, as LabelImg leaves them."""
    formats.write(Squares(root / "drawn").dataset(10, 0), root / "voc", "voc")
    (root / target).mkdir(parents=True)
    for path in sorted((root / "voc").rglob("*")):
        if path.suffix in {".xml", ".jpg", ".png"}:
            shutil.move(path, root / target / path.name)


def test_the_colab_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    labeled(tmp_path, "images/all")
    Path("labelmap.txt").write_text("square\n", encoding="utf-8")
    for line in lines_of(COLAB_DATA):
        type_in(line)
    counts = [
        len(list(Path("images", name).glob("*.xml"))) for name in ("train", "validation", "test")
    ]
    assert counts == [8, 1, 1]
    assert "name: 'square'" in Path("labelmap.pbtxt").read_text(encoding="utf-8")

    write_config(
        Path("models/mymodel/pipeline_file.config"),
        label_map="labelmap.pbtxt", train="train.tfrecord", val="val.tfrecord",
    )  # fmt: skip
    for line in lines_of(
        COLAB,
        pipeline_file="models/mymodel/pipeline_file.config",
        model_dir="training",
        num_steps="1",
        last_model_path="training",
        output_directory="custom_model_lite",
    ):
        type_in(line)
    said = capsys.readouterr()
    assert "hint" not in said.err
    assert "custom_model_lite/saved_model: step 1" in said.out.replace("\\", "/")

    # The notebook converts in Python, and other pages with the command.
    tf = framework.tensorflow()
    converter = tf.lite.TFLiteConverter.from_saved_model("custom_model_lite/saved_model")
    with framework.hushed():
        Path("custom_model_lite/detect.tflite").write_bytes(converter.convert())
    type_in("tflite_convert --saved_model_dir=custom_model_lite/saved_model --output_file=t.tflite")
    assert Path("t.tflite").stat().st_size == Path("custom_model_lite/detect.tflite").stat().st_size
    interpreter = framework.litert().Interpreter(model_path="t.tflite")
    interpreter.allocate_tensors()
    names, shapes = zip(
        *((one["name"], tuple(one["shape"])) for one in interpreter.get_output_details()),
        strict=True,
    )
    # Its detection script takes scores, boxes and classes by their place if it sees this name.
    assert "StatefulPartitionedCall" in names[0]
    assert shapes == ((1, 10), (1, 10, 4), (1,), (1, 10))
    found = boxwright.Detector.load("t.tflite", classes=["square"]).predict(
        next(Path("images/test").glob("*.[jp][pn]g")), threshold=0
    )
    assert len(found) == 10
    assert (np.diff(found.scores) <= 0).all()


def test_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    labeled(tmp_path, "images")
    Path("annotations").mkdir()
    Path("annotations/label_map.pbtxt").write_text(
        "item { id: 1 name: 'square' }\n", encoding="utf-8"
    )
    write_config(
        Path("models/my_ssd/pipeline.config"),
        label_map="annotations/label_map.pbtxt",
        train="annotations/train.record",
        val="annotations/test.record",
    )
    for line in lines_of(
        GUIDE, PATH_TO_IMAGES_FOLDER="images", PATH_TO_ANNOTATIONS_FOLDER="annotations"
    ):
        type_in(line)
    said = capsys.readouterr()
    assert "hint" not in said.err
    assert "1 images at global step 1:" in said.out
    assert len(list(Path("images").glob("*.xml"))) == 10, "the originals stay"
    assert list(Path("models/my_ssd/eval").glob("events.out.tfevents.*"))

    # How the guide detects: it loads the model, and calls it with a batch of one image.
    exported = Path("exported-models/my_model")
    tf = framework.tensorflow()
    detect = tf.saved_model.load(exported / "saved_model")
    found = detect(tf.zeros((1, 48, 80, 3), tf.uint8))
    assert found["detection_boxes"].shape == (1, 100, 4)
    assert set(found) == {
        "detection_boxes", "detection_scores", "detection_classes", "num_detections",
    }  # fmt: skip
    assert {path.name for path in exported.iterdir()} == {
        "saved_model", "checkpoint", "pipeline.config",
    }  # fmt: skip
    assert (exported / "checkpoint" / "ckpt-0.index").is_file()
