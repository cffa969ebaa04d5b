"""Detector files beside each other; nothing here depends on how long anything takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from boxwright import formats
from boxwright.bench.compare import bench
from boxwright.bench.memory import own_peak
from boxwright.bench.samples import draw_samples
from boxwright.bench.timing import Latency, Subject, take_turns
from boxwright.cli.main import app
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset, LabeledImage, Split

COCO, LABEL_BOXES = "ssd_mobilenet_v1_coco_quant.tflite", "fpnlite320_plate_int8.tflite"


class Counting:
    """An engine that counts how often it runs, whole and without its post-processing."""

    threads = 3

    def __init__(self, split: bool = True) -> None:
        self.whole = self.alone = 0
        if split:
            self.network = lambda: self._network

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        self.whole += 1
        assert inputs.shape == (1, 32, 32, 3)
        return []

    def _network(self, inputs: np.ndarray) -> None:
        self.alone += 1


def detector(engine: Any) -> Detector:
    return Detector(engine, Artifact({}, ("a",), Preprocessing(32)))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_samples(tmp_path_factory.mktemp("samples"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


@pytest.mark.tiny
def test_everyone_has_as_many_turns(images: list[Path]) -> None:
    engines = [Counting(), Counting(split=False), Counting()]
    subjects = [[Subject(detector(engine))] for engine in engines]
    done: list[int] = []
    prepares, timings = take_turns(subjects, images, 5, lambda: done.append(1))
    assert len(done) == 5
    assert len({engine.whole for engine in engines}) == 1
    assert engines[0].alone == engines[0].whole
    assert len(prepares) == len(timings) == 3
    (whole,), (unsplit,) = timings[0], timings[1]
    assert whole.threads == 3
    assert whole.network is not None
    assert whole.postprocess is not None
    assert (unsplit.network, unsplit.postprocess) == (None, None)


@pytest.mark.tiny
def test_latency() -> None:
    assert Latency.of([0.001] * 50 + [0.003] * 50) == Latency(pytest.approx(2), pytest.approx(3))


@pytest.mark.tiny
def test_a_process_knows_its_own_peak() -> None:
    assert 10e6 < own_peak() < 100e9


@pytest.mark.tiny
def test_samples_are_always_the_same(images: list[Path], tmp_path: Path) -> None:
    again = draw_samples(tmp_path)
    assert [path.read_bytes() for path in images] == [path.read_bytes() for path in again]


@pytest.mark.shared
def test_files_without_names_and_without_images(shared: Path, tmp_path: Path) -> None:
    weights = shared / "weights"
    picture = tmp_path / "bench.png"
    given = (weights / COCO, weights / LABEL_BOXES, "--rounds", "1", "--picture", picture)
    result = run(*given, "--json", "--threads", "1")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [Path(each["path"]).name for each in found] == [COCO, LABEL_BOXES]
    assert [each["input_size"] for each in found] == [300, 320]
    for each in found:
        (timing,) = each["timings"]
        assert timing["threads"] == 1
        assert timing["network"]["median"] > 0
        assert each["images_per_second"] > 0
        assert each["peak_bytes"] > each["size"]
        assert (each["ap"], each["note"]) == (None, None)
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"


@pytest.fixture
def dogs(shared: Path, tmp_path: Path) -> Path:
    """A photo with two dogs, marked for testing."""
    boxes = [(27, 28, 306, 545), (408, 66, 990, 602)]
    image = LabeledImage("image1.jpg", 1024, 636, boxes, ["dog", "dog"], split=Split.TEST)
    formats.write(Dataset.of(shared / "images", [image]), tmp_path / "dogs")
    return tmp_path / "dogs"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    names = [f"thing {i}" for i in range(90)]
    names[17] = "dog"
    (tmp_path / "labels.txt").write_text("\n".join(["???", *names]), encoding="utf-8")
    return tmp_path / "labels.txt"


@pytest.mark.shared
def test_ap_where_the_classes_fit(shared: Path, dogs: Path, labels: Path) -> None:
    from boxwright.api import load

    named = bench(
        [shared / "weights" / COCO],
        data=load(dogs),
        classes=labels.read_text(encoding="utf-8").splitlines()[1:],
        threads=(1,),
        rounds=1,
    )
    assert named[0].ap50 == pytest.approx(1.0)
    assert named[0].note is None


@pytest.mark.shared
def test_no_ap_where_no_class_fits(shared: Path, dogs: Path) -> None:
    result = run(shared / "weights" / COCO, "--data", dogs, "--rounds", "1", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert "n/a" in result.stdout
    assert "has no AP. BW601" in result.stderr


@pytest.mark.shared
@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        ([COCO, "--threads", "0"], 2, "--threads"),
        ([COCO, "--threads", "two"], 2, "--threads"),
        ([COCO, "--images", "nowhere"], 1, "BW191"),
        ([COCO, "--labels", "nowhere"], 1, "BW520"),
        (["README.md"], 1, "BW501"),
        (["mobilenet_v1_0.25_128_quant.tflite"], 1, "BW505"),
    ],
)
def test_what_cannot_be_measured(
    arguments: list[str], exit_code: int, said: str, shared: Path
) -> None:
    result = run(shared / "weights" / arguments[0], *arguments[1:])
    assert result.exit_code == exit_code
    assert said in result.output


@pytest.mark.shared
def test_predict_and_evaluate_take_the_names_from_a_file(
    shared: Path, dogs: Path, labels: Path, tmp_path: Path
) -> None:
    model = str(shared / "weights" / COCO)
    named = ["--labels", str(labels), "--json"]
    image = str(shared / "images" / "image1.jpg")
    found = CliRunner().invoke(app, ["predict", model, image, "--out", str(tmp_path), *named])
    (one,) = json.loads(found.stdout)["images"]
    assert [each["class"] for each in one["detections"]][:2] == ["dog", "dog"]
    measured = CliRunner().invoke(app, ["evaluate", model, str(dogs), *named])
    assert json.loads(measured.stdout)["coco"]["AP50"] == pytest.approx(1.0)
