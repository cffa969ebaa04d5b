"""What each output writes, read back by its own readers or by the tools it is for."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from boxwright import formats
from boxwright.datasets.check import run_checks
from boxwright.datasets.load import load
from boxwright.errors import BoxwrightError
from boxwright.evaluation.foreign import read_detections
from boxwright.formats import FORMATS
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from boxwright.outputs.predicting import FOR_VIDEOS, Predicted, write_predictions
from boxwright.outputs.registry import LABELS, OUTPUTS
from boxwright.sources.opening import sources
from boxwright.structures.dataset import Dataset

pytestmark = pytest.mark.tiny

CLASSES = ("cat", "dog:small")
FOUND = [  # normalized yxyx, score, class
    ((0.25, 0.5, 0.75, 1.0), 0.9, 0),
    ((0.0, 0.0, 0.5, 0.25), 0.625, 1),
    ((0.5, 0.0, 1.0, 0.25), 0.25, 1),
]
BOXES = [[40, 10, 80, 30], [0, 0, 20, 20]]  # above the threshold, in images of 80 x 40


class Finder:
    """An engine that finds the same in every image that is not black."""

    def __call__(self, inputs: np.ndarray) -> list[RawDetections]:
        return [self._found(FOUND if pixels.any() else ()) for pixels in inputs]

    def _found(self, rows: Sequence[Any]) -> RawDetections:
        boxes = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
        scores = np.array([row[1] for row in rows], np.float32)
        return boxes, scores, np.array([row[2] for row in rows], np.int64)


@pytest.fixture
def detector() -> Detector:
    return Detector(Finder(), Artifact({}, CLASSES, Preprocessing(32)))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images with objects, of the same name, and one without."""
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    for name, color in (("a.png", 90), ("b.jpg", 0), ("deep/a.png", 120)):
        Image.new("RGB", (80, 40), (color, color, color)).save(folder / name)
    return folder


def write(detector: Detector, images: Path, *to: str, **options: Any) -> Predicted:
    return write_predictions(detector, sources(images), images.parent / "out", to, **options)


def test_json_lines_are_the_images_of_the_json(detector: Detector, images: Path) -> None:
    done = write(detector, images, "jsonl", "json")
    lines = (images.parent / "out/detections.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == done.content["images"]
    assert (done.images, done.boxes) == (3, 4)
    assert [len(each["detections"]) for each in done.content["images"]] == [2, 0, 2]


def test_csv_has_a_row_for_each_box(detector: Detector, images: Path) -> None:
    write(detector, images, "csv")
    with (images.parent / "out/detections.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    sides = ("xmin", "ymin", "xmax", "ymax")
    assert [[float(row[side]) for side in sides] for row in rows[:2]] == BOXES
    assert [row["class"] for row in rows[:2]] == list(CLASSES)
    assert (rows[0]["score"], rows[0]["width"], rows[0]["height"]) == ("0.9", "80", "40")
    assert rows[0]["image"] == str(images / "a.png")
    assert rows[0]["frame"] == ""


def test_coco_results_are_read_by_pycocotools_and_by_evaluate(
    detector: Detector, images: Path
) -> None:
    write(detector, images, "coco")
    out = images.parent / "out"
    with redirect_stdout(StringIO()):
        truth = COCO(str(out / "coco_images.json"))
        results = truth.loadRes(str(out / "coco_results.json"))
    found = results.loadAnns(results.getAnnIds(imgIds=[1]))
    assert [one["bbox"] for one in found] == [[40, 10, 40, 20], [0, 0, 20, 20]]
    assert [truth.loadCats(one["category_id"])[0]["name"] for one in found] == list(CLASSES)
    assert truth.loadImgs(2)[0]["file_name"] == str(images / "b.jpg")
    back = read_detections(out / "coco_results.json", dataset(images))
    assert [len(each) for each in back.detections] == [2, 0, 2]


def dataset(images: Path) -> Dataset:
    """The images, as labeled ones without objects."""
    from boxwright.structures.dataset import LabeledImage

    names = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.*"))
    return Dataset.of(images, [LabeledImage(name, 80, 40) for name in names], CLASSES)


def test_crops_show_the_objects(detector: Detector, images: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[10:30, 40:] = (250, 200, 30)
    Image.fromarray(pixels).save(images / "a.png")
    write(detector, images, "crops")
    write(detector, images, "crops")  # replaces them
    crops = images.parent / "out" / "crops"
    written = sorted(path.relative_to(crops).as_posix() for path in crops.rglob("*.jpg"))
    assert written == [*("cat/a-2.jpg", "cat/a.jpg"), *("dog_small/a-2.jpg", "dog_small/a.jpg")]
    crop = np.asarray(Image.open(crops / "cat" / "a.jpg")).astype(int)
    assert crop.shape == (20, 40, 3)
    assert np.abs(crop - (250, 200, 30)).max() < 12


def test_the_table_has_a_line_for_each_image(detector: Detector, images: Path) -> None:
    lines: list[str] = []
    write(detector, images, "table", print_line=lines.append)
    assert len(lines) == 4
    assert lines[1].endswith("80 x 40  1 cat (0.90), 1 dog:small (0.62)")
    assert lines[2].endswith("80 x 40  -")
    assert {line.index(" x ") for line in lines[1:]} == {lines[1].index(" x ")}
    assert not (images.parent / "out").exists(), "it needs no folder"


@pytest.mark.parametrize("form", FORMATS)
def test_labels_are_a_dataset_that_says_that_nobody_looked(
    form: str, detector: Detector, images: Path
) -> None:
    write(detector, images, f"{form}{LABELS}")
    folder = images.parent / "out" / f"{form}{LABELS}"
    assert formats.detect(folder) == form
    dataset = load(folder)
    counts = np.diff(dataset.offsets)
    assert sorted(counts[counts > 0].tolist()) == [2, 2]
    assert set(dataset.classes) == set(CLASSES)
    first = dataset.boxes[dataset.rows(int(np.argmax(counts)))]
    assert sorted(first.tolist()) == sorted(BOXES)
    assert "BW531" in {each.code for each in dataset.findings}
    assert run_checks(folder).count("error") == 0
    (folder / "predictions.json").unlink()
    assert "BW531" not in {each.code for each in load(folder).findings}


def test_yolo_labels_have_their_scores(detector: Detector, images: Path) -> None:
    write(detector, images, "yolo-labels")
    folder = images.parent / "out" / "yolo-labels"
    texts = {path.stem: path.read_text("utf-8") for path in folder.rglob("labels/**/*.txt")}
    assert texts == {
        "a": "0 0.75 0.5 0.5 0.5 0.9\n1 0.125 0.25 0.25 0.5 0.625\n",
        "a-2": "0 0.75 0.5 0.5 0.5 0.9\n1 0.125 0.25 0.25 0.5 0.625\n",
        "b": "",
    }


def test_labels_name_their_detector(detector: Detector, images: Path) -> None:
    file = images.parent / "detector.tflite"
    file.write_bytes(b"weights")
    write(detector, images, "voc-labels", file=file)
    path = images.parent / "out" / "voc-labels" / "predictions.json"
    about = json.loads(path.read_text("utf-8"))
    assert about.pop("sha256").startswith("9a129038"), "sha256sum of the file"
    assert about == {
        "format": "boxwright-predictions",
        "detector": "detector.tflite",
        "threshold": 0.5,
        "images": 3,
        "boxes": 4,
    }


def test_labels_are_never_replaced(detector: Detector, images: Path) -> None:
    write(detector, images, "voc-labels")
    with pytest.raises(BoxwrightError) as raised:
        write(detector, images, "voc-labels")
    assert raised.value.code == "BW194"


@pytest.mark.parametrize(
    ("to", "name", "content"),
    [
        ("csv", "detections.csv", "image,label\n"),
        ("jsonl", "detections.jsonl", '{"text": 1}\n'),
        ("jsonl", "detections.jsonl", "[]\n"),
        ("coco", "coco_results.json", '[{"image_id": 1}]'),
        ("coco", "coco_images.json", '{"images": []}'),
    ],
)
def test_files_of_others_stay(
    to: str, name: str, content: str, detector: Detector, images: Path
) -> None:
    out = images.parent / "out"
    write(detector, images, to)
    write(detector, images, to)  # its own are replaced
    (out / name).write_text(content, "utf-8")
    with pytest.raises(BoxwrightError) as raised:
        write(detector, images, to)
    assert raised.value.code == "BW194"
    assert (out / name).read_text("utf-8") == content


def test_all_outputs_at_once(detector: Detector, images: Path) -> None:
    to = [name for name in OUTPUTS if name not in FOR_VIDEOS]
    done = write(detector, images, *to, print_line=lambda text: None)
    written = {path.name for path in (images.parent / "out").iterdir()}
    labels = {f"{form}{LABELS}" for form in FORMATS}
    files = {"detections.json", "detections.jsonl", "detections.csv", "coco_results.json"}
    files |= {"coco_images.json", "contact_sheet.jpg", "a.jpg", "b.jpg", "a-2.jpg", "crops"}
    assert written == labels | files
    assert [each["drawn"] for each in done.content["images"]] == ["a.jpg", "b.jpg", "a-2.jpg"]


def test_ctrl_c_leaves_whole_files_of_what_was_done(detector: Detector, images: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(detector, images, "drawn", "json", "csv", progress=stop)
    out = images.parent / "out"
    content = json.loads((out / "detections.json").read_text("utf-8"))
    assert [Path(each["image"]).name for each in content["images"]] == ["a.png"]
    assert {path.name for path in out.iterdir()} == {"a.jpg", "detections.json", "detections.csv"}


def test_after_an_error_no_file_is_half_written(
    detector: Detector, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise BoxwrightError("BW902", "the disk is full.")

    monkeypatch.setattr("boxwright.outputs.drawn.save", fail)
    with pytest.raises(BoxwrightError, match="disk"):
        write(detector, images, "drawn", "json", "coco", "voc-labels")
    assert [*(images.parent / "out").iterdir()] == []


def test_a_class_that_a_format_cannot_store_is_told_before_the_work(
    detector: Detector, images: Path
) -> None:
    unfit = replace(detector, artifact=replace(detector.artifact, classes=("cat", "big dog")))
    with pytest.raises(BoxwrightError) as raised:
        write(unfit, images, "drawn", "kitti-labels")
    assert raised.value.code == "BW141"
    assert not [*(images.parent / "out").iterdir()]


def test_an_unknown_output_is_refused(detector: Detector, images: Path) -> None:
    with pytest.raises(BoxwrightError) as raised:
        write(detector, images, "excel")
    assert raised.value.code == "BW803"
