"""`boxwright report`, the report after a training, and the how-to page's commands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import Asked
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from boxwright import formats
from boxwright.bench import kept
from boxwright.bench.compare import Measured
from boxwright.bench.timing import Latency, Timing
from boxwright.cli.main import app
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, LabeledImage, Split

pytestmark = pytest.mark.tiny

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "report.md"
SPLITS = (Split.TRAIN, Split.TRAIN, Split.VAL, Split.VAL, Split.TEST, Split.TEST, Split.TEST)


class Half:
    """Finds the hat of every image."""

    num_classes = 1

    def __call__(self, images: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        box = np.array([(0.25, 0.25, 0.75, 0.75)], np.float32)
        return [(box, np.array([0.7], np.float32), np.zeros(1, np.int32)) for _ in images]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what the commands of the page name."""
    monkeypatch.chdir(tmp_path)
    described = []
    Path("drawn").mkdir()
    for number, split in enumerate(SPLITS):
        Image.new("RGB", (80, 40), (30 * number, 90, 90)).save(f"drawn/{number}.png")
        box = [(20, 10, 60, 30)]
        described.append(LabeledImage(f"{number}.png", 80, 40, box, ["hat"], split=split))
    formats.write(Dataset.of(Path("drawn"), described), "images")
    source = {"data": {"path": str(tmp_path / "images"), "fingerprint": "0"}}
    Path("run").mkdir()
    Run("run").describe(Artifact({}, ("hat",), Preprocessing(32), provenance=source))
    Path("run/detector-int8.tflite").write_bytes(b"")
    monkeypatch.setattr(Detector, "load", lambda path, **_: Detector(Half(), Run("run").artifact))
    rows = [
        {"image_id": str(i), "category_id": 1, "bbox": [20, 10, 40, 20], "score": 0.6}
        for i in range(len(SPLITS))
    ]
    Path("results.json").write_text(json.dumps(rows), "utf-8")
    Path("weather.csv").write_text("image,weather\n4,sun\n5,rain\n6,sun\n", "utf-8")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


def answer(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("boxwright report")]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_write_a_report(command: str) -> None:
    _, _, *words = shlex.split(command)
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("At the score threshold 0.5 it finds 100 of 100 ")
    (named,) = re.findall(r"Report: (\S+\.html) \([\d,]+ kB, \d+\.\d s\)", result.stderr)
    written = json.loads(Path(named).with_suffix(".json").read_text("utf-8"))
    assert written["command"] == command
    assert "<!doctype html>" in Path(named).read_text("utf-8")


def test_without_data_the_validation_images_of_the_run_are_measured() -> None:
    found = answer("run")
    assert (found["data"]["input_size"], found["data"]["images"]) == (32, 7)
    assert (found["split"], found["numbers"]["images"]) == ("val", 2)
    assert Path("run/report.html").is_file()
    found = answer("run", "images", "--slices", "weather.csv")
    assert (found["split"], found["numbers"]["images"]) == ("test", 3)
    weather = [one["name"] for one in found["numbers"]["slices"] if one["by"] == "weather"]
    assert weather == ["rain", "sun"]
    assert found == json.loads(Path("run/report.json").read_text("utf-8"))


def test_detections_of_another_tool_are_reported_too() -> None:
    found = answer("images", "--detections", "results.json", "--out", "other.html")
    assert found["detector"] == "results.json"
    assert found["numbers"]["coco"]["AP50"] == pytest.approx(1)
    assert (found["recipe"], found["training"], found["exports"]) == ([], [], [])
    assert found["command"] == (
        "boxwright report images --detections results.json --out other.html"
    )


def test_the_command_asks_for_the_same_again() -> None:
    words = [
        *("run", "images", "--split", "all", "--slices", "weather.csv", "--classes", "hat"),
        *("--rename", "hat=hat", "--format", "voc", "--labels", "my labels.txt", "--trust"),
    ]
    Path("my labels.txt").write_text("hat", "utf-8")
    found = answer(*words)
    assert found["command"] == shlex.join(["boxwright", "report", *words])
    assert found["numbers"]["images"] == 7
    assert found["leaks"] == {"training_images": None, "images": []}, "compared with themselves"


def test_what_bench_measured_of_files_in_a_run_is_in_its_report() -> None:
    latency = Latency(3.0, 4.0)
    measured = Measured(
        Path("run/detector-int8.tflite"),
        *(".tflite", 9, 32, "integer", latency, (Timing(1, latency, None, None),), 50.0),
        *(None, None, None, None),
    )
    kept.keep([measured])
    (name,) = found = answer("run")["bench"]
    assert name == "detector-int8.tflite"
    assert found[name]["timings"][0]["whole"] == {"median": 3.0, "p95": 4.0}
    assert "path" not in found[name]
    assert answer("run/detector-int8.tflite", "images")["bench"] == found
    assert "detector-int8.tflite" in Path("run/report.html").read_text("utf-8")


def test_a_training_writes_a_report_after_its_budget_unless_told_not_to(asked: Asked) -> None:
    result = asked.run("images", "--out", "run")
    assert "Report: run/report.html" in result.stderr
    assert json.loads(Path("run/report.json").read_text("utf-8"))["split"] == "val"
    Path("run/report.html").unlink()
    said = asked.run("images", "--out", "run", "--no-report").stderr
    assert "Report:" not in said
    assert not Path("run/report.html").exists()
    asked.interrupted = True
    asked.run("images", "--out", "run")
    assert not Path("run/report.html").exists()


def test_a_report_that_cannot_be_written_is_no_failure_of_the_training(asked: Asked) -> None:
    Path("run/report.html").mkdir()
    result = asked.run("images", "--out", "run")
    assert result.exit_code == 0
    assert "There is no report: BW804" in result.stderr
