"""`boxwright compare`: sides of one or several detectors, and the how-to page's commands."""

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
from boxwright.datasets.class_choice import ClassChoice
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, LabeledImage, Split

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "compare.md"
RUNS = ("old", "new", "old-1", "old-2", "old-3", "new-1", "new-2", "new-3")
BOX = (20, 10, 60, 30)


class Finds:
    """Finds the hat of every image, or only that of bright ones."""

    num_classes = 1

    def __init__(self, all_of_them: bool) -> None:
        self.all_of_them = all_of_them

    def __call__(self, images: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        box = np.array([(0.25, 0.25, 0.75, 0.75)], np.float32)
        shown = [int(self.all_of_them or image.mean() > 100) for image in images]
        return [(box[:n], np.array([0.9], np.float32)[:n], np.zeros(n, np.int32)) for n in shown]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with images, old and new runs, and detections of another tool."""
    monkeypatch.chdir(tmp_path)
    data = {"data": {"path": str(tmp_path / "images"), "fingerprint": "1"}}
    for name in RUNS:
        Path(name).mkdir()
        Run(name).describe(Artifact({}, ("hat",), Preprocessing(size=32), provenance=data))
    monkeypatch.setattr(
        Detector,
        "load",
        lambda path, **_: Detector(Finds(path.name.startswith("new")), Run(path).artifact),
    )
    described, rows = [], []
    Path("drawn").mkdir()
    for i in range(24):
        noise = np.random.default_rng(i).integers(0, 10 * i + 20, (5, 10, 3)).astype(np.uint8)
        Image.fromarray(noise).resize((80, 40), Image.Resampling.NEAREST).save(f"drawn/{i}.png")
        split = Split.TEST if i % 8 else Split.VAL
        described.append(LabeledImage(f"{i}.png", 80, 40, [BOX], ["hat"], split=split))
        rows.append({"image_id": i, "category_id": 1, "bbox": [20, 10, 40, 20], "score": 0.6})
    formats.write(Dataset.of(Path("drawn"), described, ("hat",)), "images")
    Path("results.json").write_text(json.dumps(rows), "utf-8")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["compare", *words])


def answer(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("words", "sides", "verdicts"),
    [
        (["old", "new"], [["old"], ["new"]], ["better"]),
        (["new", "old", "results.json"], [["new"], ["old"], ["results.json"]],
         ["worse", "no difference shown"]),
        (["old-1", "old-2", "vs", "new-1", "./new"], [["old-1", "old-2"], ["new-1", "new"]],
         ["better"]),
        (["old", "vs", "new", "vs", "results.json"], [["old"], ["new"], ["results.json"]],
         ["better", "better"]),
    ],
)  # fmt: skip
def test_sides(words: list[str], sides: list[list[str]], verdicts: list[str]) -> None:
    found = answer(*words)
    assert [[one["name"] for one in side["members"]] for side in found["sides"]] == sides
    assert [one["verdict"] for one in found["against_first"]] == verdicts
    assert found["images"] == 21
    assert found["differing_images"][0]["mistakes"]["A"] in {0, 1}


def test_what_is_printed() -> None:
    result = run("old", "new")
    assert result.exit_code == 0, result.output
    first, *sides = result.stdout.splitlines()[:3]
    assert first == "21 images, 21 boxes"
    assert sides == ["A  old, threshold 0.5, not validated", "B  new, threshold 0.5, not validated"]
    assert re.search(r"^recall +0\.\d+ +1\.000 .* better$", result.stdout, re.MULTILINE)
    assert "B is better than A" in result.stdout
    assert "--picture differences.png" in result.stderr


def test_thresholds_for_an_aim_are_chosen_on_validation_images() -> None:
    threshold = answer("old", "new", "--aim", "f1")["sides"][1]["members"][0]["threshold"]
    assert (threshold["validated"], threshold["value"]) == (True, 0.5)


def test_detectors_of_different_data_are_named(tmp_path: Path) -> None:
    described = Run("new").artifact
    data = {"data": {"path": str(tmp_path / "images"), "fingerprint": "2"}}
    Run("new").describe(Artifact({}, ("hat",), described.preprocessing, provenance=data))
    assert "unfair" in answer("old", "new")["notes"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["old"], "BW802"),
        (["old", "vs"], "a side is missing"),
        (["old", "./old", "vs", "new"], "BW802 old is twice"),
        (["old", "other"], "BW802"),  # other data
        (["results.json", "results.json"], "BW802"),  # no data
        (["old", "chosen"], "BW802"),  # other classes
        (["old", "new", "--aim", "f1", "--split", "all"], "BW802"),
    ],
)
def test_what_is_refused(words: list[str], said: str) -> None:
    for name, more in (
        ("other", {"data": {"path": "elsewhere", "fingerprint": "1"}}),
        ("chosen", {"class_choice": ClassChoice(("hat",)).to_json()}),
    ):
        Path(name).mkdir()
        described = Run("old").artifact
        provenance = described.provenance | more
        artifact = Artifact({}, ("hat",), described.preprocessing, provenance=provenance)
        Run(name).describe(artifact)
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_run(command: str) -> None:
    program, verb, *words = shlex.split(command)
    assert program == "boxwright"
    if verb != "compare":
        return
    result = run(*words)
    assert result.exit_code == 0, result.output
    if "--picture" in words:
        with Image.open("differences.png") as picture:
            assert picture.width == 3 * 480


def test_the_python_of_the_page_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    assert names["comparison"].contrasts[0].verdict == "better"
    assert names["recipes"].of_recipes
