"""`boxwright train`: how it is asked, what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner, Result

from boxwright.cli import progress as progress_line
from boxwright.cli.main import app
from boxwright.cli.train import seconds_of
from boxwright.errors import TrainingError, WeightsError
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.models.weights import zoo
from boxwright.training.events import Event, Note, Step
from boxwright.training.loop import Outcome
from boxwright.training.progress import Progress

if TYPE_CHECKING:
    from conftest import VocFolder

tiny = pytest.mark.tiny


def run(*arguments: str | Path, trains: Any = None) -> Result:
    """The command, with `trains` in place of the training if it is given."""
    return CliRunner().invoke(app, ["train", *map(str, arguments)], obj=trains)


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    """Ten photos, without marks."""
    for i in range(10):
        voc_folder.pair(f"photo{i}")
    return voc_folder.root


class Asked:
    """Stands in for training: remembers what it was asked for and does what it was told."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.evaluation: Any = None
        self.interrupted = False
        self.raises: BaseException | None = None

    def run(self, *arguments: str | Path) -> Result:
        return run(*arguments, trains=self)

    def __call__(self, dataset: Any, **options: Any) -> Outcome:
        self.options = options
        options["on_event"](Note("what the run has to [say]"))
        if self.raises:
            raise self.raises
        return Outcome(Run(options["out"]), self.evaluation, 7, self.interrupted)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr(zoo, "fetch", lambda published, progress: Path("cache") / published.name)
    return Asked()


# ---- Budget ------------------------------------------------------------------------------------


@tiny
@pytest.mark.parametrize(
    ("budget", "seconds"),
    [("90", 90), ("90s", 90), ("2m", 120), ("1.5h", 5400), ("0.5m", 30), (" 2M ", 120), ("15", 15)],
)
def test_a_budget_is_a_time(budget: str, seconds: float) -> None:
    assert seconds_of(budget) == seconds


@tiny
@pytest.mark.parametrize("budget", ["soon", "-30s", "1d", "m", "1e3", "2m30s", "5s", "0", "0.1m"])
def test_anything_else_is_a_usage_error(budget: str, asked: Asked, images: Path) -> None:
    with pytest.raises(typer.BadParameter, match=budget):
        seconds_of(budget)
    result = asked.run(images, "--budget", budget)
    assert result.exit_code == 2
    assert not asked.options


@tiny
@pytest.mark.parametrize(
    ("options", "seconds", "steps"),
    [
        ([], None, None),
        (["--budget", "1h"], 3600, None),
        (["--steps", "50"], None, 50),
        (["--resume"], None, None),
        (["--resume", "--budget", "30s"], 30, None),
        (["--resume", "--steps", "80"], None, 80),
    ],
)
def test_a_run_gets_its_budget(
    options: list[str], seconds: float | None, steps: int | None, asked: Asked, images: Path
) -> None:
    assert asked.run(images, *options).exit_code == 0
    assert (asked.options["seconds"], asked.options["steps"]) == (seconds, steps)


# ---- Options -----------------------------------------------------------------------------------


@tiny
@pytest.mark.parametrize(
    "options",
    [
        ["--budget", "2m", "--steps", "50"],
        ["--from-scratch", "--weights", "net.tflite"],
        ["--depth-multiplier", "0.5"],
        ["--deterministic"],
        ["--deterministic", "--budget", "2m"],
        ["--depth-multiplier", "0.5", "--weights", "net.tflite"],
        ["--input-size", "32"],
        ["--steps", "0"],
        ["--seed", "-1"],
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    options: list[str], asked: Asked, images: Path
) -> None:
    result = asked.run(images, *options)
    assert result.exit_code == 2
    assert "Usage: " in result.output
    assert not asked.options


@tiny
@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ([], Path("cache/ssd_mobilenet_v1_coco_quant")),
        (["--weights", "ssd_mobilenet_v2_coco"], Path("cache/ssd_mobilenet_v2_coco")),
        (["--weights", "SSD_mobilenet_v2_coco_2018_03_29"], Path("cache/ssd_mobilenet_v2_coco")),
        (["--weights", "mine.tflite"], Path("mine.tflite")),
        (["--weights", "net/model.ckpt-7"], Path("net/model.ckpt-7")),
        (["--from-scratch"], None),
        (["--resume"], None),
    ],
)
def test_weights_are_fetched_unless_there_is_something_to_start_from(
    options: list[str],
    weights: Path | None,
    asked: Asked,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "net").mkdir()
    for name in ("mine.tflite", "net/model.ckpt-7.index"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    asked.run(images, *options)
    assert asked.options["weights"] == weights


@tiny
@pytest.mark.parametrize(
    ("weights", "code", "said"),
    [
        ("ssd_mobilnet_v1_coco", "BW201", "Did you mean ssd_mobilenet_v1_coco?"),
        ("yolo11n.pt", "BW201", "there is nothing at"),
    ],
)
def test_weights_that_cannot_be_are_refused_before_the_images_are_read(
    weights: str, code: str, said: str, asked: Asked, tmp_path: Path
) -> None:
    result = asked.run(tmp_path / "no photos", "--weights", weights)
    assert result.exit_code == 1
    assert code in result.stderr
    assert said in result.stderr
    assert "models" in result.stderr


@tiny
def test_options_are_passed_on(asked: Asked, images: Path, tmp_path: Path) -> None:
    sizes = ["--input-size", "96", "--depth-multiplier", "0.25"]
    asked.run(images, "--from-scratch", *sizes, "--seed", "5", "--out", tmp_path / "there")
    passed = {name: asked.options[name] for name in ("input_size", "depth_multiplier", "seed")}
    assert passed == {"input_size": 96, "depth_multiplier": 0.25, "seed": 5}
    assert asked.options["out"] == tmp_path / "there"
    assert asked.options["resume"] is False


# ---- What it says ------------------------------------------------------------------------------


@tiny
def test_the_data_are_counted_and_their_oddities_named(asked: Asked, images: Path) -> None:
    (images / "photo3.jpg").write_bytes(b"not a photo")
    said = asked.run(images).stderr
    assert "BW102 photo3.jpg" in said
    assert "9 photos, 9 boxes of 1 class (cat): 7 to train on, 2 for testing" in said
    assert "what the run has to [say]" in said


@tiny
def test_the_end_says_what_to_do_next(asked: Asked, images: Path, tmp_path: Path) -> None:
    asked.evaluation = SimpleNamespace(ap=0.4567, ap50=0.8912, images=12)
    out = tmp_path / "my [run]"
    said = asked.run(images, "--out", out).stdout
    assert f"{out} holds the weights of step 7." in said
    assert "AP 0.457, AP50 0.891 on the 12 photos that chose them" in said
    assert f"boxwright evaluate '{out}' {images}" in said
    assert f"boxwright export '{out}' --to tflite" in said


@tiny
def test_the_end_proposes_no_evaluation_without_images_for_it(
    asked: Asked, voc_folder: VocFolder
) -> None:
    voc_folder.pair("train/a")
    voc_folder.pair("val/b")
    said = asked.run(voc_folder.root).stdout
    assert "None is for testing." in said
    assert f"boxwright split {voc_folder.root} --anew" in said
    assert "boxwright evaluate" not in said


@tiny
def test_the_end_says_if_nothing_chose(asked: Asked, images: Path) -> None:
    assert "Too few photos to choose by" in asked.run(images).stdout


@tiny
def test_json_is_all_of_standard_output(asked: Asked, images: Path, tmp_path: Path) -> None:
    asked.evaluation = SimpleNamespace(to_json=lambda: {"coco": {"AP": 0.5}})
    result = asked.run(images, "--out", tmp_path / "run", "--json")
    answer = json.loads(result.stdout)
    assert answer.pop("seconds") > 0
    assert answer == {
        "run": str(tmp_path / "run"),
        "step": 7,
        "interrupted": False,
        "validation": {"coco": {"AP": 0.5}},
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
def test_without_a_network_nothing_is_begun(
    asked: Asked, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> Path:
        raise WeightsError("BW203", "could not be downloaded.")

    monkeypatch.setattr(zoo, "fetch", offline)
    result = asked.run(images)
    assert result.exit_code == 1
    assert "BW203" in result.stderr
    assert not asked.options


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
        (report(0.42), "step 420 · loss 0.83 · 312 photos/s · 0:41 left"),
        (report(0.5, ap=0.41), "step 500 · loss 0.83 · AP 0.410 · 312 photos/s · 0:41 left"),
        (
            Progress(1, 0.0, 2.0, None, None, 9.6, 119.7),
            "step 1 · loss 2.00 · 10 photos/s · 2:00 left",
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


@pytest.mark.usefixtures("small_network")
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
    assert f"{out} holds the weights of step 2." in stopped.stdout
    assert Detector.load(out).classes == ("cat",)

    again = run(images, "--out", out, *small)
    assert again.exit_code == 1
    assert again.stderr.splitlines()[-2].startswith("BW304")

    other = run(images, "--out", out, *small, "--resume", "--seed", "3")
    assert other.exit_code == 1
    assert "BW310" in other.stderr

    resumed = run(images, "--out", out, *small, "--resume", "--json")
    assert resumed.exit_code == 0
    answer = json.loads(resumed.stdout)
    assert (answer["step"], answer["interrupted"]) == (4, False)
    assert "100%  step 4" in resumed.stderr
