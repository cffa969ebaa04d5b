"""model_main, train and eval: from records and a config to checkpoints, numbers and pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from api_folder import ApiFolder

from boxwright.errors import BoxwrightError, FlagError
from boxwright.tfod.config import overrides, parse_config
from eagerly import op_by_op

pytestmark = pytest.mark.usefixtures("small_network", "op_by_op")
TRAIN = "train --pipeline_config_path=ROOT/pipeline.config --train_dir=ROOT/training"
MAIN = "model_main --pipeline_config_path=ROOT/pipeline.config --model_dir=ROOT/training"
EVAL = "eval --pipeline_config_path=ROOT/pipeline.config --checkpoint_dir=ROOT/training"


@pytest.fixture(scope="module")
def trained(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> ApiFolder:
    """What model_main leaves behind after two steps."""
    folder = ApiFolder.made(tmp_path_factory.mktemp("api"))
    folder.config()
    with op_by_op():
        folder.run(MAIN)
    return folder


def variables(prefix: Path) -> dict[str, Any]:
    from boxwright.models.weights.checkpoint import read_variables

    return read_variables(prefix)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(each.step, each.value) for each in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_model_main_writes_checkpoints_numbers_and_pictures(trained: ApiFolder) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    root = trained.root / "training"
    names = {path.name for path in root.iterdir()}
    assert {"checkpoint", "pipeline.config", "eval_0", "model.ckpt-2.index"} <= names
    assert {"model.ckpt-2.meta", "model.ckpt-2.data-00000-of-00001"} <= names
    assert any("3 images at global step 2" in line for line in trained.said)
    assert "6 images with 6 boxes to train on, 3 to evaluate on" in trained.said
    found = scalars(root / "eval_0")
    assert [step for step, _ in found["DetectionBoxes_Precision/mAP"]][-1] == 2
    events = EventAccumulator(str(root / "eval_0"))
    events.Reload()
    assert "Detections_Left_Groundtruth_Right/0/0" in events.Tags()["images"]


def test_a_checkpoint_holds_what_the_original_looks_for(trained: ApiFolder) -> None:
    values = variables(trained.root / "training" / "model.ckpt-2")
    weights = "FeatureExtractor/MobilenetV1/Conv2d_0/weights"
    for slot in ("", "/RMSProp", "/RMSProp_1", "/ExponentialMovingAverage"):
        assert values[weights + slot].shape == values[weights].shape
    assert values["global_step"] == 2
    assert "FeatureExtractor/MobilenetV1/Conv2d_0/BatchNorm/moving_mean" in values
    assert "FeatureExtractor/MobilenetV1/Conv2d_0/BatchNorm/moving_mean/RMSProp" not in values


def test_the_folder_is_a_run_of_boxwrights_too(trained: ApiFolder) -> None:
    from boxwright.inference.detector import Detector

    detector = Detector.load(trained.root / "training")
    assert detector.classes == ("square",)
    assert detector.artifact.provenance["step"] <= 2
    assert detector.artifact.preprocessing.scale == pytest.approx(2 / 255)
    source = detector.artifact.provenance["data"]["path"]
    assert source == (trained.root / "train.record").as_posix(), "which `export` looks at"


def test_a_stopped_training_goes_on_bit_for_bit(trained: ApiFolder, tmp_path: Path) -> None:
    """A step and one more are the same two steps, whatever else the folder holds."""
    whole = variables(trained.root / "training" / "model.ckpt-2")
    folder = ApiFolder.made(tmp_path)
    folder.config("train_config { num_steps: 1 }")
    folder.run(TRAIN)
    for path in (tmp_path / "training").iterdir():
        if path.is_file() and not path.name.startswith(("model.ckpt-1", "checkpoint")):
            path.unlink()
    (tmp_path / "training" / "checkpoint.npz").unlink(missing_ok=True)
    folder.config()
    said = folder.run(TRAIN)
    assert any("model.ckpt-1, step 1" in line for line in said)
    parts = variables(tmp_path / "training" / "model.ckpt-2")
    assert parts.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)


def test_another_optimizer_or_network_does_not_go_on_and_nothing_is_overwritten(
    trained: ApiFolder,
) -> None:
    written = trained.root / "training" / "pipeline.config"
    before = written.read_bytes()
    other = TRAIN.replace("pipeline.config", "other.config")
    trained.with_optimizer("momentum_optimizer")
    with pytest.raises(BoxwrightError, match=r"BW732 .*-2: .*Momentum.*load_all_detection"):
        trained.run(other)
    trained.config(
        'model { ssd { feature_extractor { type: "ssd_mobilenet_v2" } } }', "other.config"
    )
    with pytest.raises(BoxwrightError, match=r"BW206 .*has no .*load_all_detection"):
        trained.run(other)
    assert written.read_bytes() == before


def test_a_network_of_floats_does_not_go_on_with_a_graph_rewriter(trained: ApiFolder) -> None:
    trained.config("graph_rewriter { quantization { delay: 1 } }", "bytes.config")
    with pytest.raises(BoxwrightError, match=r"BW206 .*without the config's graph_rewriter"):
        trained.run(TRAIN.replace("pipeline.config", "bytes.config"))


COMPANIONS = {  # an optimiser or a rewriter: what TensorFlow 1 has beside a checkpoint's variables
    "adam": {"beta1_power": 0.9**2, "beta2_power": 0.999**2},
    "bytes": {
        f"{scope}/act_quant/{scope}/act_quant/{end}/local_step": 1.0
        for scope in ("FeatureExtractor/MobilenetV1/Conv2d_0", "BoxPredictor_0/ClassPredictor")
        for end in ("min", "max")
    },
}


@pytest.mark.parametrize("kind", COMPANIONS)
def test_what_the_original_looks_for_beside_the_variables(kind: str, tmp_path: Path) -> None:
    folder = ApiFolder.made(tmp_path)
    short = "train_config { num_steps: 1 }"
    if kind == "adam":
        folder.with_optimizer("adam_optimizer", short, "pipeline.config")
    else:
        folder.config(f"{short} graph_rewriter {{ quantization {{ delay: 0 }} }}")
    folder.run(TRAIN)
    values = variables(tmp_path / "training" / "model.ckpt-1")
    for name, value in COMPANIONS[kind].items():
        assert values[name] == pytest.approx(value)
    for name in values:
        if found := re.fullmatch(r"(.+_quant)/(\1/(?:min|max))/biased", name):
            assert values[name] == pytest.approx(0.001 * values[found[2]], rel=1e-4)
    assert sum(name.endswith("/biased") for name in values) == (0 if kind == "adam" else 58)


def test_a_finished_training_says_so(trained: ApiFolder) -> None:
    assert any("all 2 steps are already done" in line for line in trained.run(TRAIN))


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    said: list[str] = []

    def impatient(line: str) -> None:
        said.append(line)
        if line.startswith("global step 1"):
            raise KeyboardInterrupt

    folder = ApiFolder.made(tmp_path)
    folder.config()
    with pytest.raises(KeyboardInterrupt):
        folder.run(TRAIN, impatient)
    assert (tmp_path / "training" / "checkpoint").is_file()
    assert said[-1] == "Stopped. Run the same command to resume from the last checkpoint."


def test_eval_measures_the_newest_checkpoint(trained: ApiFolder, tmp_path: Path) -> None:
    trained.config(
        'eval_config { num_examples: 2 metrics_set: ["coco_detection_metrics", '
        '"pascal_voc_detection_metrics"] use_moving_averages: true }',
        "both.config",
    )
    line = EVAL.replace("pipeline.config", "both.config")
    said = trained.run(f"{line} --eval_dir={tmp_path.as_posix()} --run_once")
    assert said[0] == "2 images at global step 2:"
    assert {"PascalBoxes_Precision/mAP@0.5IOU", "DetectionBoxes_Recall/AR@100"} <= set(
        scalars(tmp_path)
    )


def test_eval_of_images_for_training(trained: ApiFolder, tmp_path: Path) -> None:
    line = f"{EVAL} --eval_dir={tmp_path.as_posix()} --run_once --eval_training_data"
    assert trained.run(line)[0] == "6 images at global step 2:"
    line = f"{MAIN} --checkpoint_dir=ROOT/training --run_once --sample_1_of_n_eval_examples=2"
    assert trained.run(line)[0] == "2 images at global step 2:"


def test_eval_waits_for_newer_checkpoints(
    trained: ApiFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends at the last step of the config, and until then looks again and again."""
    import shutil

    from boxwright.tfod import evaluation

    later = tmp_path / "later"
    later.mkdir()
    naps: list[float] = []

    class Clock:
        def monotonic(self) -> float:
            return 0.0

        def sleep(self, seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 2:
                shutil.copytree(trained.root / "training", later, dirs_exist_ok=True)

    monkeypatch.setattr(evaluation, "time", Clock())
    trained.config("eval_config { eval_interval_secs: 30 }", "slow.config")
    line = EVAL.replace("pipeline.config", "slow.config").replace("ROOT/training", later.as_posix())
    said = trained.run(f"{line} --eval_dir={(tmp_path / 'eval').as_posix()}")
    assert naps == [30, 30]
    assert said[0].startswith("waiting for a first checkpoint")
    assert "3 images at global step 2:" in said


def test_without_a_checkpoint_there_is_nothing_to_measure(tmp_path: Path) -> None:
    folder = ApiFolder.made(tmp_path)
    folder.config()
    with pytest.raises(BoxwrightError, match="BW2"):
        folder.run(f"{EVAL} --eval_dir=ROOT/eval --run_once")


START = {  # what the config says of its checkpoint: which variables come out of it
    'fine_tune_checkpoint_type: "detection"': {"FeatureExtractor"},
    'fine_tune_checkpoint_type: "detection" load_all_detection_checkpoint_vars: true': {
        "FeatureExtractor",
        "BoxPredictor",
    },
    "from_detection_checkpoint: true": {"FeatureExtractor"},
    "": {"FeatureExtractor"},
    'fine_tune_checkpoint_type: "classification"': {"FeatureExtractor"},
}


@pytest.mark.parametrize("said", START)
def test_what_comes_out_of_a_checkpoint(said: str, trained: ApiFolder, tmp_path: Path) -> None:
    from boxwright.tfod.config import checked, read_config
    from boxwright.tfod.mapping import start
    from boxwright.tfod.mapping.recipe import recipe_of

    prefix = (trained.root / "training" / "model.ckpt-2").as_posix()
    path = trained.config(f'train_config {{ fine_tune_checkpoint: "{prefix}" {said} }}', "next")
    config = read_config(path)
    ready = checked(config)
    table: list[str] = []
    no_images: Any = None  # only a .tflite file needs them
    begun = start.first(config, ready, recipe_of(ready.pipeline), no_images, table.append)
    given, loaded = variables(Path(prefix)), set()

    for name, variable in begun.model.named_variables().items():
        if name.endswith("weights") and np.array_equal(given[name], variable.numpy()):
            loaded.add(name.split("/")[0].partition("_")[0])
    assert loaded == START[said]
    assert [row.split()[0] for row in table][:1] == ["loaded"]
    assert any("ignored" in row and "optimizer" in row for row in table)
    assert ("type detection, not classification" in begun.origin) == ("classif" in said)


def test_a_checkpoint_of_another_network_is_refused(trained: ApiFolder, shared: Path) -> None:
    prefix = (shared / "golden/ckpt_parity_v2_c90/model.ckpt").as_posix()
    trained.config(f'train_config {{ fine_tune_checkpoint: "{prefix}" }}', "strange.config")
    line = TRAIN.replace("pipeline.config", "strange.config").replace("ROOT/training", "ROOT/new")
    with pytest.raises(BoxwrightError, match=r"BW202 .*no weights of"):
        trained.run(line)
    assert not (trained.root / "new" / "checkpoint").exists()


def test_a_class_that_the_label_map_lacks(tmp_path: Path) -> None:
    folder = ApiFolder.made(tmp_path)
    folder.config()
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'Squire' }", encoding="utf-8")
    with pytest.raises(BoxwrightError, match=r"BW706 .*'square'.*Did you mean 'Squire'"):
        folder.run(TRAIN)


def test_a_class_that_records_call_by_its_other_name(tmp_path: Path) -> None:
    folder = ApiFolder.made(tmp_path)
    folder.config("train_config { num_steps: 1 }")
    (tmp_path / "label_map.pbtxt").write_text(
        "item { id: 1 name: 'square' display_name: 'Red square' }", encoding="utf-8"
    )
    folder.run(TRAIN)
    run = json.loads((tmp_path / "training" / "run.json").read_text(encoding="utf-8"))
    assert run["classes"] == ["Red square"]


OVERRIDES = {
    "train_config.batch_size=8": "train_config { batch_size: 8 }",
    "batch_size=8,num_steps=5": "train_config { batch_size: 8 num_steps: 5 }",
    "model.ssd.num_classes=3": "model { ssd { num_classes: 3 } }",
    "train_input_path=a/b c.record": 'train_input_reader { tf_record_input_reader { input_path: "a/b c.record" } }',  # noqa: E501
    "load_pretrained=false": 'train_config { fine_tune_checkpoint: "" }',
    "load_pretrained=true": "",
    "train_input_config.shuffle=false": "train_input_reader { shuffle: false }",
    "": "",
}


@pytest.mark.tiny
@pytest.mark.parametrize("pairs", OVERRIDES)
def test_overrides(pairs: str) -> None:
    assert overrides(pairs) == OVERRIDES[pairs]
    parse_config(HELMET_TEXT, override=overrides(pairs))


@pytest.mark.tiny
@pytest.mark.parametrize("pairs", ["batchsize=8", "batch_size", "batch_size=", "train.x=1"])
def test_overrides_that_say_nothing(pairs: str) -> None:
    with pytest.raises(FlagError, match="BW702"):
        overrides(pairs)


HELMET_TEXT = (Path(__file__).parent / "configs" / "helmet.config").read_text(encoding="utf-8")
