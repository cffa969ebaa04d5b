"""Training for real, on small photos with a small network: what a run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from trainings import engines

from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.recipe import Recipe
from boxwright.training.schedule import EVALUATE_AT
from boxwright.training.tools import Tools

if TYPE_CHECKING:
    from trainings import Listener

    from boxwright.training.loop import Outcome
    from squares import Squares

AP = "DetectionBoxes_Precision/mAP"
STEPS = 40


class Finished(NamedTuple):
    dataset: Dataset
    outcome: Outcome
    listener: Listener


@pytest.fixture(scope="module")
def finished(
    small_trainer: Callable[..., Any],
    module_squares: Squares,
    tmp_path_factory: pytest.TempPathFactory,
) -> Finished:
    """A run of 40 steps on twelve photos; three choose, and two test photos have no file."""
    dataset = module_squares.dataset(train=12, val=3, test=2)
    out = tmp_path_factory.mktemp("finished") / "run"
    return Finished(dataset, *small_trainer(dataset, out, steps=STEPS))


def test_the_run_folder_is_complete(finished: Finished) -> None:
    run = finished.outcome.run
    there = {path.name for path in run.folder.iterdir()}
    expected = {"run.json", "best.weights.h5", "checkpoint.npz", "log.jsonl", "tensorboard"}
    assert there == expected | {".lock"}


def test_a_detector_is_made_of_it(finished: Finished) -> None:
    detector = Detector.load(finished.outcome.run.folder)
    assert detector.classes == ("square",)
    found = detector.predict(finished.dataset.image(0), threshold=0)
    assert len(found) > 0
    assert np.isfinite(found.scores).all()


def test_the_loss_falls(finished: Finished) -> None:
    losses = [report.loss for report in finished.listener.reports]
    assert len(losses) == STEPS
    assert losses[-1] < 0.8 * losses[0]


def test_progress_counts_up_to_the_end(finished: Finished) -> None:
    reports = finished.listener.reports
    assert [report.step for report in reports] == list(range(1, STEPS + 1))
    assert reports[-1].fraction == 1
    assert reports[0].ap is None
    assert reports[-1].ap is not None
    speeds = [report.images_per_second for report in reports]
    assert speeds[0] is None, "the first step tells no speed"
    assert all(speed > 0 for speed in speeds[1:])


def test_the_kept_weights_are_described(finished: Finished) -> None:
    outcome, origin = finished.outcome, finished.outcome.run.artifact.provenance
    assert not outcome.interrupted
    assert outcome.evaluation is not None
    assert outcome.evaluation.images == 3
    assert origin["step"] == outcome.step
    assert origin["metrics"]["coco"]["AP"] == outcome.evaluation.ap
    assert origin["recipe"]["steps"] == STEPS
    assert origin["data"]["path"] == finished.dataset.root.as_posix()
    assert origin["weights"] is None


def test_the_log_has_the_loss_and_every_evaluation(finished: Finished) -> None:
    text = finished.outcome.run.log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["step"] for line in lines if "Loss/total_loss" in line] == [10, 20, 30, 40]
    evaluated = [line["step"] / STEPS for line in lines if AP in line]
    assert evaluated == pytest.approx(EVALUATE_AT, abs=1.01 / STEPS)


def test_tensorboard_reads_the_same(finished: Finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished.outcome.run.tensorboard)).Reload()
    text = finished.outcome.run.log.read_text(encoding="utf-8")
    logged = [json.loads(line) for line in text.splitlines()]
    tags = set(events.Tags()["scalars"])
    assert tags >= {"Loss/total_loss", "Loss/classification_loss", "Loss/localization_loss"}
    assert tags >= {"learning_rate", "global_step/sec", AP, "PascalBoxes_Precision/mAP@0.5IOU"}
    assert "DetectionBoxes_Precision/mAP (small)" not in tags
    assert len(events.Tags()["images"]) == 3, "photos that chose, at the end"
    for tag in events.Tags()["scalars"]:
        written = [(line["step"], line[tag]) for line in logged if tag in line]
        read = [(event.step, event.value) for event in events.Scalars(tag)]
        np.testing.assert_allclose(read, written, rtol=1e-6)


def test_an_interrupted_and_resumed_run_is_the_uninterrupted_one_of_its_seed(
    finished: Finished, small_trainer: Callable[..., Any], tmp_path: Path
) -> None:
    stopped, _ = small_trainer(finished.dataset, tmp_path / "run", steps=STEPS, interrupt_at=9)
    assert stopped.interrupted
    assert Checkpoint.load(stopped.run.checkpoint).step == 9
    assert len(Detector.load(stopped.run.folder).predict(finished.dataset.image(0), threshold=0))
    resumed, listener = small_trainer(finished.dataset, tmp_path / "run", resume=True)
    assert listener.reports[0].step == 10
    same(Checkpoint.load(resumed.run.checkpoint), Checkpoint.load(finished.outcome.run.checkpoint))


def pretrained_network() -> Any:
    """What a weights file for a small network of three classes would hold, folded as files of
    quantised networks are."""
    from boxwright.backend import framework
    from boxwright.images.preprocessing import Preprocessing
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights.pretrained import Pretrained

    framework.keras().utils.set_random_seed(3)
    spec = ModelSpec(3, 0.1, 64)
    layers = {
        layer.name: {variable.name: variable.numpy() for variable in layer.weights}
        for layer in build(spec).layers
        if layer.weights
    }
    classes = ("", "cat", "kite")
    return Pretrained(Path("net.tflite"), spec, classes, Preprocessing(64), layers, False)


def test_so_it_is_where_batch_norm_is_folded(
    op_by_op: None,
    small_trainer: Callable[..., Any],
    module_squares: Squares,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from boxwright.models.layers.conv_norm import EPSILON
    from boxwright.models.weights import loading

    monkeypatch.setattr(loading, "read_pretrained", lambda path: pretrained_network())
    dataset = module_squares.dataset(train=6)
    fine_tuning = {"weights": "net.tflite", "depth_multiplier": None, "steps": 6}
    whole, listener = small_trainer(dataset, tmp_path / "whole", **fine_tuning)
    assert any(line.startswith("start: net.tflite: 23 layers loaded") for line in listener.said)
    assert any('"square" starts from the pretrained "' in line for line in listener.said)
    for layer in whole.run.build_model().network.layers:
        if hasattr(layer, "moving_variance"):  # absorbed
            deviation = np.sqrt(layer.moving_variance.numpy() + EPSILON)
            np.testing.assert_allclose(layer.gamma, deviation, rtol=1e-4)
    small_trainer(dataset, tmp_path / "parts", **fine_tuning, interrupt_at=3)
    other = Tools(engines=engines("mixed_bfloat16"))
    parts, listener = small_trainer(dataset, tmp_path / "parts", resume=True, tools=other)
    assert listener.reports[0].step == 4
    same(Checkpoint.load(parts.run.checkpoint), Checkpoint.load(whole.run.checkpoint))
    kept, expected = (outcome.run.build_model().network.get_weights() for outcome in (parts, whole))
    for one, other in zip(kept, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("norm", ["trained", "frozen", "absorbed"])
def test_statistics_come_from_the_images_unless_the_norm_is_absorbed(
    norm: str,
    small_trainer: Callable[..., Any],
    module_squares: Squares,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of folded convolutions has none; what is absorbed is the same with any."""
    from boxwright.models.weights import loading
    from boxwright.training import start
    from boxwright.training.data import prepare

    monkeypatch.setattr(loading, "read_pretrained", lambda path: pretrained_network())
    recipe = replace(
        Recipe(64, steps=1, batch_size=2, cache_side=64, class_head_init=False),
        train_norm=norm == "trained",
        absorb_scale=norm == "absorbed",
    )
    images = prepare(module_squares.dataset(train=2), recipe).training
    begun = start.from_weights("net.tflite", recipe, ("square",), "float32", images)
    layers = [each for each in begun.model.network.layers if hasattr(each, "moving_mean")]
    known = [bool(layer.moving_mean.numpy().any()) for layer in layers]
    assert known == [norm != "absorbed"] * len(layers)


def same(one: Checkpoint, other: Checkpoint) -> None:
    """Both have come to the same place by the same steps, to the last bit."""
    assert (one.step, one.fraction, one.precision) == (other.step, other.fraction, other.precision)
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
