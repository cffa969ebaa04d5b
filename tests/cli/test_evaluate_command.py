"""`boxwright evaluate`: thresholds, detections of other tools, and the how-to page's commands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from boxwright import formats
from boxwright.cli.main import app
from boxwright.datasets.checks import measure
from boxwright.images import decoding
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, LabeledImage, Split

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "evaluate.md"
MARKS = (Split.TRAIN, Split.TRAIN, Split.VAL, Split.VAL, Split.TEST, Split.TEST, Split.TEST)
CLASSES = ("hat", "vest")
BOX = (20, 10, 60, 30)


class Half:
    """Finds the hat of every image with a score of 0.45, and one in the corner with 0.3."""

    num_classes = 2

    def __call__(self, images: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        boxes = np.array([(0.25, 0.25, 0.75, 0.75), (0, 0, 0.2, 0.2)], np.float32)
        return [(boxes, np.array([0.45, 0.3], np.float32), np.zeros(2, np.int32)) for _ in images]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the commands of the page name."""
    monkeypatch.chdir(tmp_path)
    artifact = Artifact({}, CLASSES, Preprocessing(size=32))
    Path("run").mkdir()
    Run("run").describe(artifact)
    monkeypatch.setattr(Detector, "load", lambda path, **_: Detector(Half(), Run(path).artifact))
    described = []
    Path("photos").mkdir()
    for i, mark in enumerate(MARKS):
        Image.new("RGB", (80, 40), (30 * i, 90, 90)).save(f"photos/{i}.png")
        kinds = ["hat", "vest"] if i % 2 else ["hat"]
        boxes = [BOX, (0, 0, 9, 9)][: len(kinds)]
        described.append(LabeledImage(f"{i}.png", 80, 40, boxes, kinds, split=mark))
    formats.write(Dataset.of(Path("photos"), described, CLASSES), "images")
    rows = [
        {"image_id": str(i), "category_id": 1, "bbox": [20, 10, 40, 20], "score": 0.6}
        for i in range(len(MARKS))
    ]
    rows.append({"image_id": "4", "category_id": 2, "bbox": [70, 30, 5, 5], "score": 0.01})
    Path("results.json").write_text(json.dumps(rows), "utf-8")
    Path("weather.csv").write_text("image,weather\n4,sun\n5,rain\n6,sun\n", "utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def answer(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_threshold_stands_until_validation_images_choose_one() -> None:
    standing = answer("run", "images")
    assert standing["threshold"] | {"value": 0} == {
        "value": 0,
        "source": "standing",
        "validated": False,
        "aim": None,
        "met": None,
        "per_class": None,
        "images": 0,
    }
    assert standing["at_threshold"]["recall"]["value"] == 0  # 0.45 is below 0.5
    chosen = answer("run", "images", "--aim", "f1")
    assert chosen["threshold"]["value"] == pytest.approx(0.38)  # halfway
    assert chosen["threshold"]["validated"]
    assert chosen["at_threshold"]["precision"]["value"] == 1


def test_a_threshold_is_saved_only_when_asked_for() -> None:
    before = Path("run/run.json").read_bytes()
    run("run", "images", "--aim", "f1")
    assert Path("run/run.json").read_bytes() == before
    result = run("run", "images", "--aim", "precision=.9", "--per-class", "--save-threshold")
    assert result.exit_code == 0, result.output
    artifact = Run("run").artifact
    assert artifact.threshold == pytest.approx(0.375)
    assert artifact.thresholds == pytest.approx((0.375, 0.375))
    assert artifact.provenance["threshold"]["aim"] == "precision=0.9"
    again = answer("run", "images")
    assert again["threshold"]["validated"]
    found = Detector.load(Path("run")).predict("photos/4.png")
    assert [round(one.score, 2) for one in found] == [0.45]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "images", "--save-threshold"], "BW802"),
        (["run", "images", "--per-class"], "BW802"),
        (["run", "images", "--folds"], "BW802"),
        (["run", "images", "--aim", "f1", "--split", "val"], "BW802"),
        (["run", "images", "--aim", "f1", "--split", "all"], "BW802"),
        (["images", "--detections", "results.json", "--aim", "f1", "--save-threshold"], "BW802"),
        (["run", "images", "--aim", "f3"], "BW807"),
        (["images", "--detections", "nothing.json"], "BW604"),
    ],
)
def test_what_is_refused(words: list[str], code: str) -> None:
    result = run(*words)
    assert result.exit_code != 0
    assert code in result.stderr


def test_without_validation_images_the_threshold_is_not_saved() -> None:
    test = formats.read("images").split("test")
    formats.write(test, "only-test")
    assert not answer("run", "only-test", "--aim", "f1")["threshold"]["validated"]
    result = run("run", "only-test", "--aim", "f1", "--save-threshold")
    assert "BW802" in result.stderr


def test_detections_of_another_tool() -> None:
    found = answer("images", "--detections", "results.json", "--slices", "weather.csv")
    assert (found["model"], found["data"]) == ("results.json", "images")
    assert "1 is hat, 2 is vest" in run("images", "--detections", "results.json").stderr
    assert found["per_class"]["hat"]["AP"] == pytest.approx(1)
    assert found["at_threshold"]["recall"]["value"] == pytest.approx(3 / 4)
    weather = {one["name"]: one["images"] for one in found["slices"] if one["by"] == "weather"}
    assert weather == {"rain": 1, "sun": 2}


def test_images_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = decoding.opened

    def counted(image: Path, *words: Any, **options: Any) -> Any:
        read.append(image.name)
        return real(image, *words, **options)

    monkeypatch.setattr(decoding, "opened", counted)
    monkeypatch.setattr(measure, "opened", counted)
    slices = answer("run", "images", "--aim", "f1")["slices"]
    assert sorted(read) == ["2.png", "3.png", "4.png", "5.png", "6.png"]
    assert "brightness" in {one["by"] for one in slices}


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_run(command: str) -> None:
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("boxwright", "evaluate")
    result = run(*words)
    assert result.exit_code == 0, result.output
    for path in Path().glob("*.png"):
        with Image.open(path) as picture:
            assert min(picture.size) > 200
