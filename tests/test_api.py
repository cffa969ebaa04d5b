"""What the functions of `import boxwright` do with their arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import boxwright
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.source import CHOICE
from boxwright.errors import ArgumentError, BoxwrightError, DetectorError, WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.models.weights import zoo
from boxwright.models.weights.published import Published
from boxwright.structures.dataset import Split
from boxwright.training.events import Event, Note
from boxwright.training.recipe import Recipe
from squares import Squares

pytestmark = pytest.mark.tiny


class Sees:
    """An engine that finds the whole image, and hardly its corner."""

    def __call__(self, images: NDArray[np.uint8]) -> list[Any]:
        boxes = np.array([(0, 0, 1, 1), (0, 0, 0.2, 0.2)], np.float32)
        return [(boxes, np.array([0.9, 0.2], np.float32), np.zeros(2, np.int64)) for _ in images]


DETECTOR = boxwright.Detector(Sees(), Artifact({}, ("square",), Preprocessing(32)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of six images to train on and two for testing."""
    drawn = Squares(tmp_path / "drawn")
    splits = [Split.TRAIN] * 6 + [Split.TEST] * 2
    images = [drawn.image(split) for split in splits]
    boxwright.write(boxwright.Dataset.of(drawn.root, images), tmp_path / "images", "voc")
    return tmp_path / "images"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that were to be downloaded; none can be."""
    names: list[str] = []

    def offline(published: Published, progress: Any) -> Path:
        names.append(published.name)
        progress(10, 20)
        raise WeightsError("BW203", f"{published.name} cannot be downloaded.")

    monkeypatch.setattr(zoo, "fetch", offline)
    return names


# ---- train -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"budget": "soon"}, "BW801"),
        ({"budget": 3}, "BW801"),
        ({"budget": "2m", "steps": 5}, "BW802"),
        ({"weights": "net.tflite", "from_scratch": True}, "BW802"),
        ({"depth_multiplier": 0.5}, "BW802"),
        ({"deterministic": True}, "BW802"),
        ({"deterministic": True, "budget": "2m"}, "BW802"),
        ({"weights": "ssd_mobilnet_v1_coco"}, "BW201"),
        ({"model": "yolo"}, "BW201"),
        ({"model": "yolo", "from_scratch": True}, "BW201"),
        ({"model": "ssd_mobilenet_v2", "weights": "ssd_mobilenet_v2_coco"}, "BW802"),
    ],
)
def test_arguments_are_checked_before_data_are_read(
    options: dict[str, Any], code: str, tmp_path: Path
) -> None:
    with pytest.raises(BoxwrightError) as caught:
        boxwright.train(tmp_path / "nothing", out=tmp_path / "run", **options)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ({}, "nanodet_plus_m_320_coco"),
        ({"model": "auto"}, "nanodet_plus_m_320_coco"),
        ({"model": "ssd_mobilenet_v1"}, "ssd_mobilenet_v1_coco_quant"),
        ({"model": "SSD_mobilenet_v2"}, "ssd_mobilenet_v2_coco"),
        ({"recipe": {"model": "ssd"}}, "ssd_mobilenet_v1_coco_quant"),
        ({"recipe": Recipe(300)}, "ssd_mobilenet_v1_coco_quant"),
        ({"weights": "ssd_mobilenet_v2_coco"}, "ssd_mobilenet_v2_coco"),
        ({"weights": "SSD_mobilenet_v2_coco_2018_03_29"}, "ssd_mobilenet_v2_coco"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_weights_are_downloaded_by_their_name(
    start: dict[str, Any], name: str, fetched: list[str], folder: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    with pytest.raises(WeightsError, match="BW203"):
        boxwright.train(folder, out=tmp_path / "run", **start, on_event=events.append)
    assert fetched == [name]
    assert [str(event) for event in events][-2:] == [
        "8 images, 8 boxes of 1 class (square): 6 train, 2 test",
        f"{name}: 0.0 of 0.0 MB",
    ]
    assert not (tmp_path / "run" / "run.json").exists()


def test_weights_of_ones_own_are_not_downloaded(
    fetched: list[str], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.tflite").write_bytes(b"nothing")
    with pytest.raises(WeightsError):
        boxwright.train(folder, out=tmp_path / "run", weights=tmp_path / "mine.tflite", steps=1)
    assert fetched == []


@pytest.mark.usefixtures("fetched")
def test_data_are_a_path_several_or_a_dataset(folder: Path, tmp_path: Path) -> None:
    other = Squares(tmp_path / "other-drawn", made=50)
    more = boxwright.Dataset.of(other.root, [other.image() for _ in range(3)])
    boxwright.write(more, tmp_path / "more", "coco")
    notes: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    for data in (str(folder), [folder, tmp_path / "more"], boxwright.load(folder)):
        with pytest.raises(WeightsError):
            boxwright.train(data, out=tmp_path / "run", on_event=[listen])
    counts = [note.partition(" images")[0] for note in notes if "boxes of 1 class" in note]
    assert counts == ["8", "11", "8"]


def test_a_run_is_evaluated_with_its_classes_renamed_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = ClassChoice(rename={"square": "circle", "circle": "square"})
    artifact = Artifact({}, ("circle",), Preprocessing(32), provenance={CHOICE: choice.to_json()})
    detector = boxwright.Detector(Sees(), artifact)
    monkeypatch.setattr(boxwright.Detector, "load", lambda *_, **__: detector)
    dataset = choice.apply(boxwright.load(folder), strict=False)
    run = boxwright.api.Run(folder, dataset, 1, None, False)
    assert run.evaluate().images == 2


# ---- evaluate, predict, check ------------------------------------------------------------------


def test_evaluation_sees_all_detections_of_a_split(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluation = boxwright.evaluate(DETECTOR, folder, progress=lambda *both: told.append(both))
    assert (evaluation.images, evaluation.boxes) == (2, 2)
    assert told == [(1, 2), (2, 2)]
    assert str(evaluation).startswith("AP 0.000")
    assert boxwright.evaluate(DETECTOR, boxwright.load(folder), split="all").images == 8
    with pytest.raises(ArgumentError, match=r"BW803.*'test', 'val', 'train', 'all'"):
        boxwright.evaluate(DETECTOR, folder, split="tests")


def test_one_image_gives_detections_and_several_a_list() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    assert len(boxwright.predict(image, DETECTOR)) == 1
    for several in ([image, image], (each for each in (image, image)), np.stack([image, image])):
        found = boxwright.predict(several, DETECTOR, threshold=0)
        assert [len(each) for each in found] == [2, 2]
    for wrong in (None, [None]):
        with pytest.raises(DetectorError, match=r"BW507.*NoneType"):
            boxwright.predict(wrong, DETECTOR)  # type: ignore[call-overload]


def test_what_is_no_detector_is_said(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="BW501"):
        boxwright.predict(np.zeros((4, 4, 3), np.uint8), tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"to": "coreml"}, "'tflite', 'savedmodel'"), ({"quantize": "int4"}, "None, 'int8'")],
)
def test_an_export_that_is_none_lists_those_that_are(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError, match=rf"BW803.*{said}"):
        boxwright.export(tmp_path / "run", **options)


def test_a_check_reports_findings(folder: Path) -> None:
    report = boxwright.check(folder)
    assert (report.form, len(report.dataset)) == ("voc", 8)
    assert report.findings
    assert boxwright.check(boxwright.read(folder)).findings
