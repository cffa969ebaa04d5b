"""The commands: what they print and write, where, and with which exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from boxwright import console, formats
from boxwright.cli.main import app
from boxwright.errors import DataError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.tracking.tracker import TRACKERS
from filming import film
from nearest import Nearest

pytestmark = pytest.mark.tiny

THERE = (0.25, 0.25, 0.75, 0.75)  # normalised yxyx


class OneBox:
    """An engine that is fairly sure of one box in every photo, and hardly of another."""

    num_classes = 1

    def __call__(self, images: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        boxes = np.array([THERE, (0, 0, 0.2, 0.2)], np.float32)
        scores = np.array([0.9, 0.3], np.float32)
        return [(boxes, scores, np.zeros(2, np.int32)) for _ in images]


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is `OneBox`, with the class helmet."""
    artifact = Artifact({}, ("helmet",), Preprocessing(size=32))
    monkeypatch.setattr(Detector, "load", lambda path, **_: Detector(OneBox(), artifact))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.png"):
        Image.new("RGB", (80, 40), (90, 120, 90)).save(folder / name)
    return folder


@pytest.fixture
def labeled(tmp_path: Path, images: Path) -> Path:
    """Two training photos and a test photo whose only box is just where `OneBox` says."""
    Image.new("RGB", (80, 40)).save(images / "c.png")
    box, marks = [[20, 10, 60, 30]], (Split.TRAIN, Split.TRAIN, Split.TEST)
    described = [
        LabeledImage(name, 80, 40, box, ["helmet"], split=mark)
        for name, mark in zip(("a.jpg", "b.png", "c.png"), marks, strict=True)
    ]
    formats.write(Dataset.of(images, described), tmp_path / "labelled")
    return tmp_path / "labelled"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_predict_draws_every_image_and_lists_every_box(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("predict", "model.tflite", images, "--out", out)
    assert result.exit_code == 0
    assert "2 boxes in 2 images" in result.stdout
    written = ["a.jpg", "b.jpg", "contact_sheet.jpg", "detections.json"]
    assert sorted(path.name for path in out.iterdir()) == written
    assert f"Look at {out / 'contact_sheet.jpg'}" in result.stdout.replace("\n", "")
    assert np.asarray(Image.open(out / "b.jpg")).std() > 0  # a box was drawn on plain colour
    listed = json.loads((out / "detections.json").read_text(encoding="utf-8"))
    assert listed["classes"] == ["helmet"]
    assert [Path(image["image"]).name for image in listed["images"]] == ["a.jpg", "b.png"]
    assert listed["images"][0]["detections"] == [
        {"class": "helmet", "score": 0.9, "box": [20.0, 10.0, 60.0, 30.0]}
    ]


@pytest.mark.parametrize(("threshold", "boxes"), [("0.2", 2), ("0.5", 1), ("0.95", 0)])
def test_predict_keeps_what_scores_enough(
    images: Path, tmp_path: Path, threshold: str, boxes: int
) -> None:
    result = run(
        "predict", "m", images / "a.jpg", "--out", tmp_path, "--threshold", threshold, "--json"
    )
    assert len(json.loads(result.stdout)["images"][0]["detections"]) == boxes


def test_images_of_the_same_name_do_not_overwrite_each_other(images: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (20, 20)).save(other / "A.png")
    run("predict", "m", images / "a.jpg", other, "--out", tmp_path / "out")
    drawn = {path.name for path in (tmp_path / "out").glob("*.jpg")}
    assert drawn == {"a.jpg", "A-2.jpg", "contact_sheet.jpg"}


def test_the_contact_sheet_overwrites_no_image(images: Path, tmp_path: Path) -> None:
    shutil.copy(images / "a.jpg", tmp_path / "contact_sheet.jpg")
    before = (tmp_path / "contact_sheet.jpg").read_bytes()
    run("predict", "m", images, tmp_path / "contact_sheet.jpg", "--out", tmp_path)
    assert (tmp_path / "contact_sheet.jpg").read_bytes() == before
    assert {"contact_sheet-2.jpg", "contact_sheet-3.jpg"} < {p.name for p in tmp_path.iterdir()}


def test_an_unreadable_image_is_named_and_the_others_are_done(images: Path, tmp_path: Path) -> None:
    (images / "broken.jpg").write_bytes(b"not a photo")
    result = run("predict", "m", images, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert "BW102" in result.stderr
    assert "broken.jpg" in result.stderr
    answer = json.loads(result.stdout)
    assert len(answer["images"]) == 2
    assert [lost["code"] for lost in answer["failed"]] == ["BW102"]


def test_predict_writes_what_it_is_told_to(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(
        "predict", "m", images, "--out", out, "--to", "csv", "--to", "voc-labels", "--json"
    )
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["images"]) == 2
    written = {path.name for path in out.iterdir()}
    assert written == {"detections.csv", "detections.json", "voc-labels"}
    checked = run("check", out / "voc-labels")
    assert "Nobody has looked at these labels" in checked.stdout


def test_predict_prints_a_table_without_a_folder(images: Path) -> None:
    result = run("predict", "m", images, "--to", "table")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1].endswith("a.jpg     80 x 40  1 helmet (0.90)")
    assert lines[-1] == "2 boxes in 2 images."


def test_tracks_are_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACKERS, "sort", Nearest)
    clip = film(tmp_path / "clip.mp4", 3, size=(80, 40))
    places = ("--count-line", "0,5,80,5", "--zone", "0,0,80,0,80,40,0,40")
    words = ("predict", "m", clip, "--out", tmp_path / "out", "--to", "mot", "--track", "sort")
    result = run(*words, *places)
    assert result.exit_code == 0, result.output
    assert (
        "clip.mp4: 1 helmet; line 1: 0 to the left, 0 to the right; "
        "zone 1: 1 helmet inside, 1 helmet in all" in result.stdout.replace("\n", " ")
    )
    assert len((tmp_path / "out" / "mot" / "clip.txt").read_text("utf-8").splitlines()) == 3


def test_tiles_are_an_option_of_predict_and_evaluate(labeled: Path, tmp_path: Path) -> None:
    for words in (["evaluate", "m", labeled], ["predict", "m", labeled, "--to", "table"]):
        result = run(*words, "--tile", "auto")
        assert result.exit_code == 0
        assert "There are no tiles" in result.stderr
        assert run(*words, "--tile", "40").exit_code == 0
        assert run(*words, "--tile", "large").exit_code == 2


def test_evaluate_measures_the_test_images(labeled: Path) -> None:
    result = run("evaluate", "m", labeled, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["images"], answer["boxes"], answer["split"]) == (1, 1, "test")
    assert answer["coco"]["AP"] == pytest.approx(1.0)


def test_evaluate_prints_a_table_with_its_control(labeled: Path) -> None:
    result = run("evaluate", "m", labeled)
    assert "AP50" in result.stdout
    assert "baseline: the mean box of each class in every image" in result.stdout


def test_evaluate_names_the_splits_that_have_images(labeled: Path) -> None:
    result = run("evaluate", "m", labeled, "--split", "val")
    assert result.exit_code == 1
    assert "--split test, --split train" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["evaluate", "m", "no-such-folder"], "BW115"),
        (["predict", "m", "no-such-photo.jpg", "--out", "out"], "BW191"),
        (["export", "no-such-run"], "BW501"),
        (["train", "no-such-folder", "--from-scratch"], "BW115"),
    ],
)
def test_a_failure_is_a_coded_sentence_and_a_remedy(
    arguments: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    said = result.stderr.strip().splitlines()
    assert said[0].startswith(code)
    assert said[1].startswith("-> ")
    assert len(said) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "m", "photo.jpg"],
        ["predict", "m", "photo.jpg", "--out", "x", "--threshold", "2"],
        ["predict", "m", "photo.jpg", "--out", "x", "--to", "excel"],
        ["predict", "m", "photo.jpg", "--out", "x", "--to", "csv", "--no-pictures"],
        ["predict", "m", "photo.jpg", "--to", "table", "--json"],
        ["predict", "m", "photo.jpg", "--to", "csv"],
        ["predict", "m", "photo.jpg", "--out", "x", "--every", "often"],
        ["predict", "m", "photo.jpg", "--out", "x", "--overlap", "1"],
        ["predict", "m", "clip.mp4", "--out", "x", "--track", "magic"],
        ["predict", "m", "clip.mp4", "--out", "x", "--zone", "0,0,9,0,9,9"],
        ["predict", "m", "clip.mp4", "--out", "x", "--track", "sort", "--count-line", "0,0,9"],
        ["evaluate", "m", "d", "--split", "tset"],
        ["export", "run", "--to", "onyx"],
        ["evaluate"],
        ["fly"],
    ],
)
def test_a_misunderstood_command_is_a_usage_error(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr or "Usage: " in result.output


@pytest.mark.parametrize(
    ("raised", "exit_code", "said"),
    [
        (KeyboardInterrupt(), 130, "Stopped."),
        (DataError("BW114", "is [bold]empty[/].", where="d"), 1, "[bold]empty"),
        (ZeroDivisionError("division by zero"), 1, "BW999"),
    ],
)
def test_no_failure_is_a_traceback(
    raised: BaseException,
    exit_code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    images: Path,
    tmp_path: Path,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(Detector, "load", fail)
    monkeypatch.setattr(console.tempfile, "tempdir", str(tmp_path))
    result = run("predict", "m", images, "--out", tmp_path / "out")
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_an_unforeseen_failure_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(console.tempfile, "tempdir", str(tmp_path))
    error = console.unexpected(RuntimeError("what was not foreseen"))
    (log,) = tmp_path.glob("boxwright-*.log")
    assert str(log) in error.remedy
    assert "what was not foreseen" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", [[], *([c.callback.__name__] for c in app.registered_commands)])
def test_every_command_has_help_with_an_example(verb: list[str]) -> None:
    result = run(*verb, "--help")
    assert result.exit_code == 0
    assert f"boxwright {verb[0] if verb else 'demo'} " in result.stdout.replace("`", " ")
