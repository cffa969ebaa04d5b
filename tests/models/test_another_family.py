"""A second family, written in `toy_family`, goes the whole road without a line of `src`."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.api import load, write
from boxwright.evaluation.coco import evaluate
from boxwright.export.export import export
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.events import Event, Step
from boxwright.training.loop import train
from squares import Squares

STEPS, STOPPED_AT = 160, 120


def stopping(event: Event) -> None:
    """Press Ctrl-C after a step."""
    if isinstance(event, Step) and event.step >= STOPPED_AT:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("centers")
    images = Squares(root / "drawn").dataset(train=32, val=8)
    write(images, root / "squares", "voc")
    return load(root / "squares")


@pytest.fixture(scope="module")
def run(centers: None, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped, and resumed to its end."""
    out = tmp_path_factory.mktemp("run") / "run"
    options = {"input_size": 64, "deterministic": True, "steps": STEPS}
    stopped = train(dataset, out=out, weights=None, model="centers", on_event=stopping, **options)
    assert stopped.interrupted
    done = train(dataset, out=out, weights=None, resume=True)
    assert (done.interrupted, done.run.artifact.provenance["recipe"]["model"]) == (False, "centers")
    return out


def test_a_run_of_it_is_a_detector_that_has_learnt(run: Path, dataset: Dataset) -> None:
    images = dataset.split(Split.VAL)
    paths = [images.image(i) for i in range(len(images))]
    found = list(Detector.load(run).predict_many(paths, threshold=0))
    score = evaluate(images, found, resamples=0).ap50
    assert score is not None
    assert score > 0.5


@pytest.mark.parametrize(
    ("to", "quantize"),
    [
        ("tflite", None),
        ("tflite", "int8"),
        ("savedmodel", None),
        ("frozen", None),
        ("onnx", None),
        ("openvino", None),
    ],
)
def test_a_file_of_it_finds_what_the_run_finds(
    run: Path, dataset: Dataset, tmp_path: Path, to: str, quantize: str | None
) -> None:
    path, comparison = export(run, to, tmp_path, quantize=quantize)
    assert comparison.passed
    assert comparison.compared > 20
    images = dataset.split(Split.VAL)
    detector = Detector.load(path)
    found = [detector.predict(images.image(row)) for row in range(len(images))]
    score = evaluate(images, found, resamples=0).ap50
    assert score is not None
    assert score > 0.5
