"""Both tutorials from labelled photos to a .tflite, by the lines that they print.

Only the paths are others, the network is small, and a training ends after its first
step.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_seed_lines import BECOMES, words_of

import boxwright
from boxwright import formats
from boxwright.backend import framework
from boxwright.cli.tfod import tfod
from boxwright.io.protobuf_text import write
from boxwright.models.weights.checkpoint import read_variables
from boxwright.openimages.sources import IMAGES_VARIABLE, LISTS_VARIABLE
from boxwright.structures.dataset import Dataset, Split
from boxwright.tfod.config import parse_config
from misbehaving import Server
from offered import offer

pytestmark = [pytest.mark.shared, pytest.mark.usefixtures("small_network", "op_by_op")]

CONFIGS = Path(__file__).parent / "configs"
SHORT = """
model {{ ssd {{ feature_extractor {{ depth_multiplier: 0.25 }} }} }}
train_config {{
  batch_size: 2
  num_steps: 1
  fine_tune_checkpoint: "{checkpoint}"
}}
eval_config {{ num_examples: 4 num_visualizations: 2 }}
"""


@pytest.fixture(scope="module")
def raccoons(shared: Path) -> Dataset:
    """A few photos for training and a few for testing."""
    dataset = formats.read(shared / "data/raccoon")
    splits = np.full(len(dataset), Split.UNASSIGNED, np.int8)
    splits[:6], splits[6:10] = Split.TRAIN, Split.TEST
    chosen = dataset.select(np.arange(10))
    return replace(chosen, splits=splits[:10], findings=())


@pytest.fixture(scope="module")
def checkpoint(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network to start from that knows 90 classes, as the published ones do."""
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.tfod.checkpoint import save

    network = build(ModelSpec(90, 0.25, background=True))
    return save(tmp_path_factory.mktemp("pretrained"), network, 0)


def type_in(line: str, paths: dict[str, Path]) -> None:
    """A printed line into a terminal, `boxwright tfod` for `python`, one's own paths for its."""
    (line,) = [each for each in BECOMES if each.startswith(line)]
    for printed, own in paths.items():
        parts = re.escape(printed).replace("/", r"[\\/]")
        line = re.sub(
            parts + r"([\w\\/.#{}-]*)",
            lambda match, own=own: own.as_posix() + match[1].replace("\\", "/"),
            line,
        )
    name, words = words_of(line)
    tfod([name, *words])


def shortened(config: str, checkpoint: Path, **paths: str) -> str:
    """A tutorial's config with one's own paths, and fewer steps."""
    text = (CONFIGS / config).read_text(encoding="utf-8")
    for old, new in paths.items():
        assert old in text
        text = text.replace(old, new)
    override = SHORT.format(checkpoint=checkpoint.as_posix())
    return write(parse_config(text, override=override).tree)


def detect(frozen: Path, image: Path) -> dict[str, np.ndarray]:
    """The first tutorial's notebook, in short."""
    v1 = framework.tensorflow().compat.v1
    graph = v1.GraphDef.FromString(frozen.read_bytes())
    names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    with v1.Graph().as_default(), v1.Session() as session:
        v1.import_graph_def(graph, name="")
        pixels = np.asarray(Image.open(image).convert("RGB"))[None]
        found = session.run([f"{name}:0" for name in names], {"image_tensor:0": pixels})
    return dict(zip(names, found, strict=True))


def test_helmets(raccoons: Dataset, checkpoint: Path, tmp_path: Path) -> None:
    # ---- VoTT's folder: lists for each class, photos, annotations, a label map -----------------
    vott, training = tmp_path / "vott", tmp_path / "training"
    formats.write(raccoons, tmp_path / "voc", "voc")
    shutil.copytree(tmp_path / "voc", vott)
    lists = vott / "ImageSets" / "Main"
    for path in lists.iterdir():
        path.unlink()
    for mark, name in ((Split.TRAIN, "train"), (Split.TEST, "val")):
        images = raccoons.split(mark).names
        lines = "".join(f"{Path(image).name} 1\n" for image in images)
        (lists / f"raccoon_{name}.txt").write_text(lines, encoding="utf-8")
    label_map = vott / "pascal_label_map.pbtxt"
    label_map.write_text("item {\n id: 1\n name: 'raccoon'\n}\n", encoding="utf-8")

    # ---- The lines ---------------------------------------------------------------------------
    records = tmp_path / "records"
    paths = {"path/to/VoTToutputFolder": vott, "path/to/TFRecordsOutput": records}
    start = "python object_detection/dataset_tools/{my_create_tf_record}.py --set="
    with pytest.raises(boxwright.BoxwrightError, match="BW701"):
        type_in(f"{start}train", paths)  # its name is the reader's own
    for split in ("train", "val"):
        tfod(["create_pascal_tf_record", f"--set={split}", f"--data_dir={vott}",
              f"--output_dir={records}"])  # fmt: skip
    config = tmp_path / "pipeline.config"
    config.write_text(
        shortened(
            "helmet.config",
            checkpoint,
            **{
                "data/label_map.pbtxt": label_map.as_posix(),
                "data/train.record": (records / "raccoon_train.record").as_posix(),
                "data/val.record": (records / "raccoon_val.record").as_posix(),
            },
        ),
        encoding="utf-8",
    )
    out = tmp_path / "inference"
    paths = {
        "path/to/modified_pipeline.config": config,
        "path/to/pipeline.config": config,
        "path/to/training_output_dir": training,
        "path/to/training_output": training,
        "path/to/output_model_files_for_inference": out,
        "{checkpoint#}": Path("1"),
    }
    type_in("python object_detection/model_main.py", paths)
    type_in("python object_detection/export_inference_graph.py", paths)
    assert {path.name for path in out.iterdir()} >= {
        "frozen_inference_graph.pb", "saved_model", "model.ckpt.index", "checkpoint",
        "pipeline.config",
    }  # fmt: skip
    image = tmp_path / "photo.png"  # of the network's size: how it would be resized is not at stake
    Image.open(raccoons.image(0)).convert("RGB").resize((300, 300)).save(image)
    found = detect(out / "frozen_inference_graph.pb", image)
    assert found["detection_boxes"].shape == (1, 100, 4)

    # ---- To a .tflite of floats, as the second tutorial does it --------------------------------
    tfod(["export_tflite_ssd_graph", f"--pipeline_config_path={config}",
          f"--trained_checkpoint_prefix={training / 'model.ckpt-1'}",
          f"--output_directory={out}"])  # fmt: skip
    tfod(["toco", f"--graph_def_file={out / 'tflite_graph.pb'}",
          f"--output_file={out / 'helmets.tflite'}", "--input_shapes=1,300,300,3",
          "--input_arrays=normalized_input_image_tensor", "--inference_type=FLOAT",
          "--output_arrays=TFLite_Detection_PostProcess,TFLite_Detection_PostProcess:1,"
          "TFLite_Detection_PostProcess:2,TFLite_Detection_PostProcess:3",
          "--allow_custom_ops"])  # fmt: skip
    detections = boxwright.Detector.load(out / "helmets.tflite", classes=["raccoon"]).predict(
        image, threshold=0
    )
    best = found["detection_scores"][0, : len(detections)]
    np.testing.assert_allclose(detections.scores, best, atol=1e-3)


def fruit(photos: Dataset) -> Dataset:
    """The same photos as if they showed apples and oranges, those for training in the validation
    set."""
    splits = np.where(photos.splits == Split.TRAIN, Split.VAL, photos.splits).astype(np.int8)
    labels = (photos.image_of_box % 2).astype(np.int32)
    return replace(photos, classes=("Apple", "Orange"), labels=labels, splits=splits)


def test_step_by_step(
    raccoons: Dataset,
    checkpoint: Path,
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # ---- Photos from Open Images ---------------------------------------------------------------
    demo, downloads = tmp_path / "demo", tmp_path / "pre_trained_model"
    paths = {"E:/pre_trainded_model": downloads, "E:/demo": demo}
    offer(fruit(raccoons), server, "v4")
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    for variable in (LISTS_VARIABLE, IMAGES_VARIABLE):
        monkeypatch.setenv(variable, server.url)
    toolkit = downloads / "OIDv4_ToolKit"
    toolkit.mkdir(parents=True)
    with monkeypatch.context() as there:
        there.chdir(toolkit)
        type_in("python main.py downloader --classes Apple", paths)
        tfod(["main.py", "downloader", "--classes", "Apple", "Orange", "--type_csv", "test"])
    type_in("python script.py", paths)
    demo.mkdir()
    shutil.move(downloads / "images" / "images", demo / "images")

    # ---- Lists, a label map, records -----------------------------------------------------------
    for split in ("train", "test"):
        type_in(rf"python xml_to_csv.py -i E:\demo\images\{split}", paths)
    label_map = demo / "annotations" / "label_map.pbtxt"
    label_map.write_text(
        "item {\n    id: 1\n    name: 'Apple'\n}\nitem {\n    id: 2\n    name: 'Orange'\n}\n",
        encoding="utf-8",
    )
    for split in ("train", "test"):
        (line,) = [
            each for each in BECOMES if "generate_tfrecords" in each and f"{split}.record" in each
        ]
        type_in(line, paths)

    # ---- Training ------------------------------------------------------------------------------
    text = shortened(
        "quantized.config", checkpoint, **{"E:\\demo": demo.as_posix(), "E:/demo": demo.as_posix()}
    )
    text = text.replace("\\annotations\\", "/annotations/").replace("delay: 48000", "delay: 0")
    text = text.replace("num_classes: 1", "num_classes: 2")
    config = demo / "training" / "ssd_mobilenet_v1_quantized_300x300_coco14_sync.config"
    config.parent.mkdir()
    config.write_text(text, encoding="utf-8")
    paths |= {"E:/demo/training/model.ckpt-16438": demo / "training/model.ckpt-1"}
    paths = dict(reversed(paths.items()))  # the longest first
    for script in ("train", "eval", "export_inference_graph", "export_tflite_ssd_graph"):
        type_in(f"python {script}.py", paths)
    type_in("toco", paths)

    # ---- What came of it -----------------------------------------------------------------------
    said = capsys.readouterr()
    assert "DetectionBoxes_Precision/mAP = " in said.out
    assert "hint" in said.err
    assert list((demo / "eval").glob("events.out.tfevents.*"))
    assert (demo / "inference/ssd_v1_quant/frozen_inference_graph.pb").is_file()
    image = raccoons.image(0)
    assert isinstance(image, Path)
    content = (demo / "tflite/ssd_mobilenet.tflite").read_bytes()
    detector = boxwright.Detector.load(
        demo / "tflite/ssd_mobilenet.tflite", classes=["Apple", "Orange"]
    )
    trained = read_variables(demo / "training/model.ckpt-1")
    numbers = sum(value.size for name, value in trained.items() if name.endswith("weights"))
    assert len(content) < 1.5 * numbers, "a number takes a byte"
    assert len(detector.predict(image, threshold=0)) == 10
