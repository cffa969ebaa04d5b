"""`boxwright forecast`: trainings on parts of the images, and what is said about more."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import boxwright
from boxwright import formats
from boxwright.cli.main import app
from boxwright.errors import DataError
from boxwright.inference.detector import Detector
from boxwright.learning_curve import forecast as module
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training.folds import Training
from boxwright.training.recipe import Recipe
from boxwright.training.request import TrainingRequest
from squares import Squares

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "forecast.md"
TRAIN, VAL, TEST = 12, 4, 20


class Better:
    """Finds the squares of as many test images as there were training images."""

    def __init__(self, learned: int) -> None:
        self.learned = learned

    def detections_in(self, images: Dataset) -> Any:
        for i in range(len(images)):
            rows = images.rows(i)
            count = (rows.stop - rows.start) * (i < self.learned)
            yield Detections(
                images.boxes[rows][:count], np.ones(count), images.labels[rows][:count],
                images.classes,
            )  # fmt: skip


@pytest.fixture
def learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Dataset, int]]:
    """The images and the seed of each training, which takes no time."""
    monkeypatch.chdir(tmp_path)
    drawn, made = Squares(tmp_path / "drawn"), list[tuple[Dataset, int]]()
    images = [drawn.image(split) for split in Split for _ in range(_count(split))]
    formats.write(Dataset.of(drawn.root, images), "images")

    class Request(TrainingRequest):
        def recipe_for(self, images: Dataset) -> Recipe:
            return Recipe(64, seconds=self.seconds, steps=self.steps, held_out=0.25)

    class Quick(Training):
        @classmethod
        def of(cls, asked: TrainingRequest, recipe: Recipe, train: Any = None) -> Training:
            return cls(recipe, "", None, train)

        def detector(self, images: Dataset, out: Path, seed: int | None = None) -> Detector:
            assert self.recipe.held_out == 0
            assert seed is not None
            made.append((images, seed))
            return Better(len(images))  # type: ignore[return-value]

    monkeypatch.setattr(module, "TrainingRequest", Request)
    monkeypatch.setattr(module, "Training", Quick)
    return made


def _count(split: Split) -> int:
    return {Split.TRAIN: TRAIN, Split.VAL: VAL, Split.TEST: TEST}.get(split, 0)


def test_parts_of_the_training_images(learned: list[tuple[Dataset, int]]) -> None:
    said: list[str] = []
    found = boxwright.forecast("images", steps=5, tell=said.append)
    assert said[:2] == [
        "the forecast trains 8 times, 5 steps each", "training 1 of 8: 4 images"
    ]  # fmt: skip
    assert [len(images) for images, _ in learned] == [4, 4, 4, 4, 8, 8, 16, 16]
    assert len({seed for _, seed in learned}) == 8
    quarters = [set(images.names) for images, _ in learned[:4]]
    assert len(set.union(*quarters)) == TRAIN + VAL
    assert set(learned[4][0].names) == quarters[0] | quarters[1]
    assert not any("test" in name for images, _ in learned for name in images.names)
    assert (found.images, found.test_images) == (16, TEST)
    assert found.ap == pytest.approx(16 / 20, abs=0.01)
    assert found.twice.interval[0] > found.ap
    assert found.to_json()["forecast"]["images"] == 32


def test_what_is_printed(learned: list[tuple[Dataset, int]]) -> None:
    result = CliRunner().invoke(app, ["forecast", "images"])
    assert result.exit_code == 0, result.output
    assert "the forecast trains 8 times, 8.0 minutes in all" in result.stderr
    assert re.search(r"^ +4  0\.\d{3}(  0\.\d{3}){3}$", result.stdout, re.MULTILINE)
    assert re.search(r"^AP 0\.\d+ with 16 training images\. With 32 it", result.stdout, re.M)
    assert "boxwright suspects images" in result.stderr


def test_there_must_be_test_images(learned: list[tuple[Dataset, int]]) -> None:
    images = boxwright.load("images").split("train")
    with pytest.raises(DataError, match="BW193"):
        boxwright.forecast(images)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_run(command: str, learned: list[tuple[Dataset, int]]) -> None:
    program, verb, *words = shlex.split(command)
    assert program == "boxwright"
    if verb != "forecast":
        return
    result = CliRunner().invoke(app, [verb, *words])
    assert result.exit_code == 0, result.output
    if "--json" in words:
        assert json.loads(result.stdout)["schema"] == 1
