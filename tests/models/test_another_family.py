"""Other families than SSD go the whole road: `toy_family`, without a line of `src`, a small
NanoDet-Plus, and a small SSD with a feature pyramid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from boxwright.api import load, write
from boxwright.errors import ExportError
from boxwright.evaluation.coco import evaluate
from boxwright.export.export import export
from boxwright.inference.detector import Detector
from boxwright.models.backbones import mobilenet_v2, shufflenet_v2
from boxwright.models.nanodet_plus import layout
from boxwright.models.ssd import spec
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.events import Event, Step
from boxwright.training.loop import train
from squares import Squares

pytestmark = pytest.mark.slow


class Trial(NamedTuple):
    """Steps of a training, the step at which it is stopped, and its other options."""

    steps: int
    stopped_at: int
    options: dict[str, Any]


SMALL = {"depth_multiplier": 0.1, "recipe": {"batch_size": 8}}
TRIALS = {
    "centers": Trial(160, 120, {}),
    "nanodet_plus": Trial(110, 80, SMALL),
    "ssd_fpn": Trial(80, 60, SMALL),
}
TARGETS = {
    "centers": [
        ("tflite", None),
        ("tflite", "int8"),
        ("savedmodel", None),
        ("onnx", None),
        ("openvino", None),
    ],
    "nanodet_plus": [("tflite", "int8"), ("onnx", None)],  # the others compute the same graphs
    "ssd_fpn": [("tflite", "int8"), ("onnx", None), ("frozen", None)],
}


@pytest.fixture(scope="module", params=TRIALS)
def family(request: pytest.FixtureRequest, centers: None) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shufflenet_v2, "UNITS", (1, 1, 1))
        patch.setattr(layout, "HEAD_LAYERS", 1)
        patch.setattr(mobilenet_v2, "BLOCKS", ((16, 1), (24, 2), (32, 2), (64, 2), (96, 2)))
        patch.setattr(mobilenet_v2, "LEVELS", {2: 2, 3: 3, 4: 4})
        patch.setattr(spec, "TOWER_LAYERS", 1)
        yield request.param


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("squares")
    images = Squares(root / "drawn").dataset(train=32, val=8)
    write(images, root / "squares", "voc")
    return load(root / "squares")


@pytest.fixture(scope="module")
def run(family: str, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped, and resumed to its end."""
    out = tmp_path_factory.mktemp("run") / "run"
    steps, stopped_at, options = TRIALS[family]

    def stopping(event: Event) -> None:
        """Press Ctrl-C after a step."""
        if isinstance(event, Step) and event.step >= stopped_at:
            raise KeyboardInterrupt

    options = {"input_size": 64, "deterministic": True, "steps": steps, **options}
    stopped = train(dataset, out=out, weights=None, model=family, on_event=stopping, **options)
    assert stopped.interrupted
    done = train(dataset, out=out, weights=None, resume=True)
    assert (done.interrupted, done.run.artifact.provenance["recipe"]["model"]) == (False, family)
    return out


def test_a_run_of_it_is_a_detector_that_has_learnt(run: Path, dataset: Dataset) -> None:
    images = dataset.split(Split.VAL)
    paths = [images.image(i) for i in range(len(images))]
    found = list(Detector.load(run).predict_many(paths, threshold=0))
    score = evaluate(images, found, resamples=0).ap50
    assert score is not None
    assert score > 0.5


def test_a_file_of_it_finds_what_the_run_finds(
    family: str, run: Path, dataset: Dataset, tmp_path: Path
) -> None:
    images = dataset.split(Split.VAL)
    for to, quantize in TARGETS[family]:
        path, comparison = export(run, to, tmp_path, quantize=quantize)
        assert comparison.passed
        assert comparison.compared > 20
        detector = Detector.load(path)
        found = [detector.predict(images.image(row)) for row in range(len(images))]
        score = evaluate(images, found, resamples=0).ap50
        assert score is not None
        assert score > 0.5, (to, quantize)


@pytest.mark.parametrize("family", ["centers", "nanodet_plus"], indirect=True)
def test_frozen_graphs_are_for_ssd(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="BW410"):
        export(run, "frozen", tmp_path)
