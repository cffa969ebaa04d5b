"""`boxwright suspects`: with detections of another tool, with trainings, and what it writes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

import boxwright
from boxwright import formats
from boxwright.cli.main import app
from boxwright.errors import ArgumentError, DataError
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.suspects import suspects as module
from boxwright.suspects.queue import read_queue
from boxwright.training.folds import Training
from boxwright.training.recipe import Recipe
from boxwright.training.request import TrainingRequest
from browser import asked, errors, violations, visit
from squares import Squares

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "find-label-mistakes.md"
LEFT, RIGHT = (10, 10, 50, 50), (70, 20, 110, 60)
MOVED = (22, 22, 62, 62)
SIZE = (120, 80)
IMAGES = 12
MISTAKES: dict[int, list[tuple[str, tuple[int, ...]]]] = {
    0: [("dog", RIGHT)],
    1: [("dog", LEFT), ("dog", RIGHT)],
    2: [("cat", MOVED), ("dog", RIGHT)],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of which the first three have a mistake each, and detections of what is right."""
    monkeypatch.chdir(tmp_path)
    Path("drawn").mkdir()
    images, rows = [], []
    for number in range(IMAGES):
        noise = np.random.default_rng(number).integers(0, 255, (8, 12, 3), np.uint8)
        Image.fromarray(noise).resize(SIZE, Image.Resampling.NEAREST).save(f"drawn/{number}.png")
        labels = MISTAKES.get(number, [("cat", LEFT), ("dog", RIGHT)])
        names, boxes = zip(*labels, strict=True)
        split = (Split.TRAIN, Split.TEST)[number % 2]
        images.append(LabeledImage(f"{number}.png", *SIZE, boxes, names, split=split))
        for category, (left, top, right, bottom) in enumerate((LEFT, RIGHT), 1):
            box = [left, top, right - left, bottom - top]
            rows.append({"image_id": number, "category_id": category, "bbox": box, "score": 0.9})
    formats.write(Dataset.of("drawn", images, ("cat", "dog")), "images")
    Path("results.json").write_text(json.dumps(rows), "utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["suspects", *words])


def test_detections_of_another_tool(place: Path) -> None:
    result = run("images", "--detections", "results.json")
    assert result.exit_code == 0, result.output
    said = "3 suspects among 23 labels in 12 images: 1 object without a label, 1 wrong class"
    assert f"{said} and 1 loose box." in result.stdout
    assert "1 is cat, 2 is dog" in result.stdout
    assert "• BW182 A detector sees another class" in result.stdout
    assert "1.png: labeled dog, detected cat, score 0.90" in " ".join(result.stdout.split())
    assert "suspects.json, all suspects" in result.stderr
    queue = json.loads(Path("suspects.json").read_text("utf-8"))
    assert [Path(one["image"]).name for one in queue["items"]] == ["0.png", "1.png", "2.png"]
    assert [one["kind"] for one in queue["items"]] == ["missed", "wrong class", "loose"]
    assert queue["counts"] == {"missed": 1, "wrong class": 1, "loose": 1}
    assert [len(one["boxes"]) for one in queue["items"]] == [1, 2, 2]
    assert json.loads(run("images", "--detections", "results.json", "--json").stdout) == queue


def test_the_page_is_complete_and_has_no_faults(place: Path, browser: BrowserContext) -> None:
    assert run("images", "--detections", "results.json", "--out", "a.html").exit_code == 0
    text = Path("a.html").read_text("utf-8")
    assert text.count("<figure") == 3
    assert "move the edges of the box" in text
    assert len(text) < 200_000
    address = Path("a.html").absolute().as_uri()
    for width, dark in ((360, False), (1440, True)):
        with visit(browser, address, width=width, dark=dark) as page:
            assert page.evaluate("document.querySelectorAll('figure svg image').length") == 3
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert violations(page) == []
            assert (errors(page), asked(page)) == ([], [address])


def test_without_suspects_the_page_says_so(place: Path) -> None:
    found = boxwright.suspects(
        "images", detections="results.json", classes=["dog"], labels=["cat", "dog"]
    )
    assert len(found.ranked) == 0
    written = found.write("a.html")
    assert "No suspects among 13 labels" in written.page.read_text("utf-8")
    assert json.loads(written.queue.read_text("utf-8"))["items"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["images", "--out", "a.txt"], "BW804"),
        (["images", "--out", "results.html"], "BW804"),  # results.json is no queue
        (["images", "--budget", "soon"], "BW801"),
        (["images", "--budget", "1m", "--steps", "3"], "BW802"),
        (["nowhere"], "BW115"),
    ],
)
def test_what_is_refused(place: Path, words: list[str], code: str) -> None:
    result = run(*words)
    assert code in result.stderr
    assert result.exit_code in {1, 2}
    assert not Path("suspects.html").exists()


def test_the_queue_is_read_back(place: Path) -> None:
    assert run("images", "--detections", "results.json").exit_code == 0
    items = json.loads(Path("suspects.json").read_text("utf-8"))["items"]
    read = read_queue("suspects.json")
    assert [one["message"] for one in read] == [one["message"] for one in items]
    assert [one["boxes"] for one in read] == [[b["box"] for b in one["boxes"]] for one in items]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "boxwright-report", "schema": 1, "items": []}',
        '{"format": "boxwright-suspects", "schema": 2, "items": []}',
        '{"format": "boxwright-suspects", "schema": 1, "items": [{"image": "a.png"}]}',
        '{"format": "boxwright-suspects", "schema": 1, "items": [{"image": 1, "kind": "", "code": '
        '"", "message": "", "remedy": "", "boxes": []}]}',
        '{"format": "boxwright-suspects", "schema": 1, "items": [{"image": "", "kind": "", "code": '
        '"", "message": "", "remedy": "", "boxes": [{"box": [1, 2, NaN, 4]}]}]}',
    ],
)
def test_a_file_that_is_no_queue_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "suspects.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="BW184"):
        read_queue(path)
    with pytest.raises(DataError, match="BW184"):
        read_queue(tmp_path / "missing.json")


def test_detections_are_of_files(place: Path) -> None:
    with pytest.raises(ArgumentError, match="BW802"):
        boxwright.suspects(boxwright.load("images"), detections="results.json")


class Request(TrainingRequest):
    """Decides without weights."""

    def recipe_for(self, images: Dataset) -> Recipe:
        return Recipe(64, seconds=60.0)


class Quick(Training):
    """Needs no weights."""

    @classmethod
    def of(cls, asked: TrainingRequest, recipe: Recipe, train: Any = None) -> Training:
        return cls(recipe, "", None, train)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_run(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_fold(training: object, images: Dataset, *_: object) -> Any:
        return list(given(images))

    def given(images: Dataset) -> Any:
        return module.foreign(Path("results.json"), images, [Path("images")]).detections

    monkeypatch.setattr(module, "detect_in_folds", out_of_fold)
    monkeypatch.setattr(module, "TrainingRequest", Request)
    monkeypatch.setattr(module, "Training", Quick)
    program, verb, *words = shlex.split(command)
    assert program == "boxwright"
    if verb == "suspects":
        assert run(*words).exit_code == 0


def test_trainings_find_what_was_planted(centers: None, tmp_path: Path) -> None:
    """A label is removed, and another one is beside its square."""
    drawn = Squares(tmp_path / "images")
    images = [drawn.image() for _ in range(24)]
    boxes = np.concatenate([one.boxes for one in images])
    images[7] = LabeledImage(images[7].name, 96, 80)
    data = Dataset.of(drawn.root, images)
    said: list[str] = []
    found = boxwright.suspects(
        data,
        steps=40,
        from_scratch=True,
        recipe={"model": "centers", "input_size": 64},
        tell=said.append,
    )
    assert said[0] == "judging all labels trains 4 times, 40 steps each"
    assert said[1:] == [f"fold {i} of 4: training without 6 images" for i in (1, 2, 3, 4)]
    first = found.of_kind("missed")[0]
    assert found.images.names[first.image] == images[7].name
    assert np.abs(np.array(first.box) - boxes[7]).max() < 20
