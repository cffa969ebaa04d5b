"""`boxwright train`: how it is asked, what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asking import Asked, run

from boxwright.cli import progress as progress_line
from boxwright.errors import TrainingError
from boxwright.inference.detector import Detector
from boxwright.training.events import Downloading, Event, Step
from boxwright.training.processes import ALONE
from boxwright.training.progress import Progress
from folders import VocFolder

tiny = pytest.mark.tiny


# ---- Options -----------------------------------------------------------------------------------


@tiny
def test_options_are_passed_on_as_they_are(asked: Asked, images: Path, tmp_path: Path) -> None:
    given = {
        "budget": "1h",
        "steps": 50,
        "weights": "ssd_mobilenet_v2_coco",
        "from_scratch": True,
        "model": "auto",
        "latency": "20@2",
        "size_limit": 2.5,
        "input_size": 96,
        "depth_multiplier": 0.25,
        "seed": 5,
        "deterministic": True,
        "resume": True,
        "devices": "all",
        "cache_dir": tmp_path / "cache",
        "cache_size": 1.5,
        "out": tmp_path / "there",
    }
    words = []
    for name, value in given.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if value is True else [str(value)]
    asked.run(images, *words)
    del asked.options["on_event"], asked.options["started"]
    unset = {"recipe": {}, "classes": (), "exclude": (), "rename": {}, "form": None}
    alone = {"processes": ALONE, "control": None}
    assert asked.options == given | unset | alone


@tiny
@pytest.mark.parametrize("budget", ["soon", "-30s", "1d", "m", "1e3", "2m30s", "5s", "0", "0.1m"])
def test_a_budget_that_is_none_is_not_understood(budget: str, images: Path) -> None:
    result = run(images, "--budget", budget)
    assert result.exit_code == 2
    assert "BW801" in result.stderr
    assert budget in result.stderr


@tiny
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "2m", "--steps", "50"], "BW802"),
        (["--from-scratch", "--weights", "net.tflite"], "BW802"),
        (["--depth-multiplier", "0.5"], "BW802"),
        (["--deterministic"], "BW802"),
        (["--deterministic", "--budget", "2m"], "BW802"),
        (["--depth-multiplier", "0.5", "--weights", "net.tflite"], "BW802"),
        (["--input-size", "32"], "Usage: "),
        (["--steps", "0"], "Usage: "),
        (["--seed", "-1"], "Usage: "),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    options: list[str], said: str, images: Path
) -> None:
    result = run(images, *options)
    assert result.exit_code == 2
    assert said in result.output


@tiny
@pytest.mark.parametrize(
    ("weights", "code", "said"),
    [
        ("ssd_mobilnet_v1_coco", "BW201", "Did you mean ssd_mobilenet_v1_coco?"),
        ("yolo11n.pt", "BW201", "does not exist"),
    ],
)
def test_weights_that_cannot_be_are_refused_before_the_images_are_read(
    weights: str, code: str, said: str, tmp_path: Path
) -> None:
    result = run(tmp_path / "no images", "--weights", weights)
    assert result.exit_code == 1
    assert code in result.stderr
    assert said in result.stderr
    assert "models" in result.stderr


@tiny
def test_without_data_there_is_nothing_to_train_on() -> None:
    result = run()
    assert result.exit_code == 2
    assert "BW802 data is missing" in result.stderr


# ---- What it says ------------------------------------------------------------------------------


@tiny
def test_a_note_is_printed_as_it_is(asked: Asked, images: Path) -> None:
    assert "what the run has to [say]" in asked.run(images).stderr


@tiny
def test_a_download_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line.ProgressLine() as shown:
        for received in (0, 10, 20):
            shown(Downloading("net [1]", "https://a.org/net.zip", received, 20))
    assert capsys.readouterr().err == "Downloading net [1] from https://a.org/net.zip\n"


@tiny
def test_the_end_says_what_to_do_next(asked: Asked, images: Path, tmp_path: Path) -> None:
    asked.validation = SimpleNamespace(ap=0.4567, ap50=0.8912, images=12)
    out = tmp_path / "my [run]"
    said = asked.run(images, "--out", out).stdout
    assert f"{out} has the weights of step 7." in said
    assert "Validation AP 0.457, AP50 0.891 (12 images)." in said
    assert f"boxwright evaluate '{out}' {images}" in said
    assert f"boxwright export '{out}' --to tflite" in said


@tiny
def test_the_end_proposes_no_evaluation_without_images_for_it(
    asked: Asked, voc_folder: VocFolder
) -> None:
    voc_folder.pair("train/a")
    voc_folder.pair("val/b")
    said = asked.run(voc_folder.root).stdout
    assert "There is no test set." in said
    assert f"boxwright split {voc_folder.root} --anew" in said
    assert "boxwright evaluate" not in said


@tiny
def test_the_end_says_if_nothing_chose(asked: Asked, images: Path) -> None:
    assert "Without a validation set" in asked.run(images).stdout


@tiny
def test_json_is_all_of_standard_output(asked: Asked, images: Path, tmp_path: Path) -> None:
    asked.validation = SimpleNamespace(to_json=lambda: {"coco": {"AP": 0.5}})
    result = asked.run(images, "--out", tmp_path / "run", "--json")
    answer = json.loads(result.stdout)
    assert answer.pop("seconds") > 0
    assert answer == {
        "run": str(tmp_path / "run"),
        "step": 7,
        "interrupted": False,
        "validation": {"coco": {"AP": 0.5}},
        "report": None,
    }


@tiny
@pytest.mark.parametrize("json_wanted", [True, False])
def test_ctrl_c_says_how_to_go_on(json_wanted: bool, asked: Asked, images: Path) -> None:
    asked.interrupted = True
    result = asked.run(images, "--out", "there", *(["--json"] if json_wanted else []))
    assert result.exit_code == 130
    assert f"boxwright train {images} --out there --resume" in result.stderr
    if json_wanted:
        assert json.loads(result.stdout)["interrupted"] is True


@tiny
@pytest.mark.parametrize(
    ("raised", "exit_code", "said"),
    [
        pytest.param(KeyboardInterrupt(), 130, "Stopped.", id="Ctrl-C before the first step"),
        pytest.param(TrainingError("BW303", "the loss became nan."), 1, "BW303", id="coded"),
    ],
)
def test_failures_are_sentences(
    raised: BaseException, exit_code: int, said: str, asked: Asked, images: Path
) -> None:
    asked.raises = raised
    result = asked.run(images)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@tiny
def test_without_keras_it_says_what_to_install(images: Path, tmp_path: Path) -> None:
    arguments = ["boxwright", "train", str(images), "--from-scratch", "--out", str(tmp_path / "r")]
    program = (
        "import sys; sys.modules['keras'] = None\n"  # what Python itself does to block an import
        f"sys.argv = {arguments!r}\n"
        "from boxwright.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "BW901" in done.stderr
    assert "pip install 'boxwright[train]'" in done.stderr
    assert "Traceback" not in done.stderr


# ---- The line that moves -----------------------------------------------------------------------


def report(fraction: float, ap: float | None = None) -> Progress:
    return Progress(round(fraction * 1000), fraction, 0.834, ap, ap, 312.4, 41.2)


@tiny
@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (report(0.42), "step 420 · loss 0.83 · 312 images/s · 0:41 left"),
        (report(0.5, ap=0.41), "step 500 · loss 0.83 · AP 0.410 · 312 images/s · 0:41 left"),
        (
            Progress(1, 0.0, 2.0, None, None, 9.6, 119.7),
            "step 1 · loss 2.00 · 10 images/s · 2:00 left",
        ),
    ],
)
def test_the_state_of_a_run_is_a_line(progress: Progress, expected: str) -> None:
    assert progress_line.line(progress) == expected


@tiny
def test_where_nothing_can_move_ten_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line.ProgressLine() as shown:
        for step in range(1, 1001):
            shown.progress(report(step / 1000))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == [f"{10 * i}%" for i in range(1, 11)]


# ---- For real ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_network", "op_by_op")
def test_stopped_by_ctrl_c_and_resumed(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ctrl_c(_: Any, event: Event) -> None:
        if isinstance(event, Step) and event.step == 2:
            raise KeyboardInterrupt

    out = tmp_path / "run"
    small = ["--from-scratch", "--input-size", "64", "--depth-multiplier", "0.1", "--steps", "4"]
    with monkeypatch.context() as patch:
        patch.setattr(progress_line.ProgressLine, "__call__", press_ctrl_c)
        stopped = run(images, "--out", out, *small)
    assert stopped.exit_code == 130
    assert not (out / "report.html").exists()
    assert f"{out} has the weights of step 2." in stopped.stdout
    assert Detector.load(out).classes == ("cat",)

    again = run(images, "--out", out, *small)
    assert again.exit_code == 1
    assert again.stderr.splitlines()[-2].startswith("BW304")

    other = run(images, "--out", out, *small, "--resume", "--seed", "3")
    assert other.exit_code == 1
    assert "BW310" in other.stderr

    explained = run("--out", out, "--resume", "--explain")
    assert "--set steps=4 " in explained.stdout
    assert "--set depth_multiplier=0.1 " in explained.stdout

    resumed = run(images, "--out", out, *small, "--resume", "--json")
    assert resumed.exit_code == 0
    answer = json.loads(resumed.stdout)
    assert (answer["step"], answer["interrupted"]) == (4, False)
    assert "100%  step 4" in resumed.stderr
    assert "Not measured: there are no validation images" in (out / "report.html").read_text(
        "utf-8"
    )
    assert answer["report"] == str(out / "report.html")
