"""Trainings that go on, start from other files, take too long, or explode."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from api_folder import ApiFolder

from boxwright.errors import BoxwrightError
from boxwright.models.weights import zoo
from boxwright.tfod.training import StepLog
from boxwright.training.events import Step
from eagerly import op_by_op

pytestmark = pytest.mark.usefixtures("small_network", "op_by_op")
TRAIN = "train --pipeline_config_path=ROOT/pipeline.config --train_dir=ROOT/training"
MAIN_TF2 = "model_main_tf2 --pipeline_config_path=ROOT/pipeline.config --model_dir=ROOT/training"


@pytest.fixture(scope="module")
def once(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> ApiFolder:
    """A training of one step."""
    folder = ApiFolder.made(tmp_path_factory.mktemp("once"))
    folder.config("train_config { num_steps: 1 }")
    with op_by_op():
        folder.run(TRAIN)
    return folder


@pytest.fixture
def api(once: ApiFolder, tmp_path: Path) -> ApiFolder:
    """A copy of its folder."""
    shutil.copytree(once.root, tmp_path / "api")
    return ApiFolder(tmp_path / "api")


def keep_only(folder: Path, start: str) -> None:
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(start):
            path.unlink()


def test_checkpoints_without_a_state_file_are_continued_from_the_newest(api: ApiFolder) -> None:
    """A notebook's files are downloaded, and some are brought back."""
    training = api.root / "training"
    keep_only(training, "model.ckpt-1.")
    for path in list(training.glob("model.ckpt-1.*")):
        shutil.copy(path, training / path.name.replace("-1.", "-0."))
    shutil.copy(training / "model.ckpt-1.index", training / "model.ckpt-7.index")  # no values
    api.config("train_config { num_steps: 2 }")
    said = api.run(TRAIN)
    assert any("no file named checkpoint" in line and "model.ckpt-1" in line for line in said)
    assert any("model.ckpt-1, step 1" in line for line in said)
    assert (training / "model.ckpt-2.index").is_file()


def test_parts_of_checkpoints_do_not_begin_a_new_training(api: ApiFolder) -> None:
    training = api.root / "training"
    keep_only(training, "model.ckpt-1.")
    (training / "model.ckpt-1.index").unlink()
    before = sorted(path.name for path in training.iterdir())
    with pytest.raises(BoxwrightError, match=r"BW201 .*parts of checkpoints.*model\.ckpt-1\.data"):
        api.run(TRAIN)
    assert sorted(path.name for path in training.iterdir()) == before


def test_the_zoos_files_in_the_folder_are_no_training(api: ApiFolder) -> None:
    training = api.root / "training"
    keep_only(training, "model.ckpt-1.")
    for path in list(training.glob("model.ckpt-1.*")):
        path.rename(training / path.name.replace("-1.", "."))
    assert any("from scratch" in line for line in api.run(TRAIN))


def test_ids_decide_if_a_name_has_two(api: ApiFolder) -> None:
    (api.root / "label_map.pbtxt").write_text(
        "item { id: 2 name: 'square' } item { id: 1 name: 'square' }", encoding="utf-8"
    )
    api.config("model { ssd { num_classes: 2 } } train_config { num_steps: 1 }")
    shutil.rmtree(api.root / "training")
    api.run(TRAIN)
    from boxwright.inference.detector import Detector

    assert Detector.load(api.root / "training").classes == ("square (2)", "square")


def test_training_starts_from_a_name_of_the_zoo(
    api: ApiFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = api.root / "training" / "model.ckpt-1"
    monkeypatch.setattr(zoo, "find", lambda model: None)
    monkeypatch.setattr(zoo, "fetch", lambda model: prefix)
    api.config('train_config { num_steps: 1 fine_tune_checkpoint: "ssd_mobilenet_v1_coco" }')
    said = api.run(TRAIN.replace("ROOT/training", "ROOT/other"))
    assert "downloading ssd_mobilenet_v1_coco" in said
    assert any("variables loaded" in line for line in said)


def test_training_starts_from_a_tflite_file(
    api: ApiFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has layers instead of the API's variables, and no statistics of batch norm."""
    import numpy as np

    from boxwright.models.weights.checkpoint import read_variables
    from boxwright.models.weights.variables import place_of
    from boxwright.tfod.mapping import start

    layers: dict[str, dict[str, object]] = {}
    for name, value in read_variables(api.root / "training" / "model.ckpt-1").items():
        if place := place_of(name):
            layers.setdefault(place.layer, {})[place.variable] = value * ("moving" not in name)
    file = api.root / "detect.tflite"
    file.touch()
    monkeypatch.setattr(start, "read_tflite", lambda path: SimpleNamespace(layers=layers))
    given = f'fine_tune_checkpoint: "{file.as_posix()}" load_all_detection_checkpoint_vars: true'
    api.config(f"train_config {{ num_steps: 1 {given} }}")
    said = api.run(TRAIN.replace("ROOT/training", "ROOT/other"))
    assert any("detect.tflite" in line and "variables loaded" in line for line in said)
    own = read_variables(api.root / "other" / "model.ckpt-1")
    statistics = [value for name, value in own.items() if name.endswith("moving_mean")]
    assert max(float(np.abs(value).max()) for value in statistics) > 0.01


def test_the_evaluation_ends_when_no_checkpoint_comes(
    api: ApiFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxwright.tfod import evaluation

    monkeypatch.setattr(evaluation, "POLL_SECONDS", 0.01)
    api.config("train_config { num_steps: 9 } eval_config { eval_interval_secs: 0 }")
    said = api.run(f"{MAIN_TF2} --checkpoint_dir=ROOT/training --eval_timeout=0")
    assert any("3 images at global step 1" in line for line in said)
    assert said[-1].endswith("training for 0 s")
    assert list((api.root / "training" / "eval").glob("events.out.tfevents.*"))


def step_with(seconds_left: float | None) -> Step:
    loss = SimpleNamespace(total=1.0)
    return Step(3, 0.1, loss, 0.1, 9.0, 1.0, seconds_left, None)  # type: ignore[arg-type]


def test_the_short_way_is_said_once_if_hours_are_left() -> None:
    said: list[str] = []
    log = StepLog(said.append, every=0.0, short_way="boxwright train data")
    for left in (None, 7000.0, 1_253_730.0, 1_253_720.0):
        log(step_with(left))
    told = [line for line in said if "short way" in line]
    assert told == [
        "This takes another 348 hours on this machine. The short way, in 30 min: "
        "boxwright train data"
    ]
