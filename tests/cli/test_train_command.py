"""`boxwright train`: how it is asked, what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from boxwright.api import Run, load
from boxwright.cli import progress as progress_line
from boxwright.cli.main import app
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.source import DataSource, source_of
from boxwright.errors import TrainingError
from boxwright.inference import run as run_folder
from boxwright.inference.detector import Detector
from boxwright.training.events import Downloading, Event, Note, Step
from boxwright.training.optimizers import Momentum
from boxwright.training.progress import Progress
from boxwright.training.recipe import Recipe
from folders import VocFolder

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


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Nine images, each with two kinds of animals."""
    folder = VocFolder(tmp_path / "animals", made=100)  # of other looks than `images`
    for i in range(9):
        names = [["cat", "dog"], ["dog", "hen"], ["hen", "cat"]][i % 3]
        folder.pair(f"animal{i}", [(name, 4, 6, 30, 40) for name in names])
    return folder.root


class Asked:
    """Stands in for training: remembers what it was asked for and does what it was told."""

    def __init__(self) -> None:
        self.data: list[Path] = []
        self.options: dict[str, Any] = {}
        self.validation: Any = None
        self.interrupted = False
        self.raises: BaseException | None = None

    def run(self, *arguments: str | Path) -> Result:
        return run(*arguments, trains=self)

    def __call__(self, data: list[Path], **options: Any) -> Run:
        self.data, self.options = data, options
        options["on_event"](Note("what the run has to [say]"))
        if self.raises:
            raise self.raises
        paths = tuple(data)
        return Run(options["out"], load(paths), 7, self.validation, self.interrupted, paths)


@pytest.fixture
def asked() -> Asked:
    return Asked()


# ---- Options -----------------------------------------------------------------------------------


@tiny
def test_options_are_passed_on_as_they_are(asked: Asked, images: Path, tmp_path: Path) -> None:
    given = {
        "budget": "1h",
        "steps": 50,
        "weights": "ssd_mobilenet_v2_coco",
        "from_scratch": True,
        "input_size": 96,
        "depth_multiplier": 0.25,
        "seed": 5,
        "deterministic": True,
        "resume": True,
        "out": tmp_path / "there",
    }
    words = []
    for name, value in given.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if value is True else [str(value)]
    asked.run(images, *words)
    del asked.options["on_event"], asked.options["started"]
    unset = {"recipe": {}, "classes": (), "exclude": (), "rename": {}}
    assert asked.options == given | unset


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
def test_settings_are_passed_on(asked: Asked, images: Path) -> None:
    asked.run(images, "--set", "learning_rate.peak=5e-4", "--set", "augmentation.horizontal_flip=0")
    assert asked.options["recipe"] == {
        "learning_rate.peak": "5e-4",
        "augmentation.horizontal_flip": "0",
    }


@tiny
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("learning_rate.peek=1e-3", "Did you mean learning_rate.peak?"),
        ("batch_size=many", "batch_size must be a whole number from 1 to 1024, not 'many'"),
        ("batch_size", "is not PATH=VALUE"),
        ("frozen_through=5", "BW114"),  # fits, and the images are read
    ],
)
def test_settings_are_checked_before_the_images_are_read(
    setting: str, said: str, tmp_path: Path
) -> None:
    result = run(tmp_path, "--set", setting)
    assert result.exit_code == 1
    assert said in result.stderr


@tiny
@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ([], ClassChoice()),
        (["--classes", "cat,dog", "--classes", "hen"], ClassChoice(("cat", "dog", "hen"))),
        (["--exclude-class", "dog", "--exclude-class", "hen"], ClassChoice((), ("dog", "hen"))),
        (
            ["--rename", "dog=cat", "--rename", "hen = bird"],
            ClassChoice(rename={"dog": "cat", "hen": "bird"}),
        ),
    ],
)
def test_classes_are_chosen(
    options: list[str], choice: ClassChoice, asked: Asked, animals: Path
) -> None:
    result = asked.run(animals, *options)
    assert result.exit_code == 0, result.stderr
    passed = (asked.options[name] for name in ("classes", "exclude", "rename"))
    assert ClassChoice(*passed) == choice


@tiny
@pytest.mark.parametrize(
    ("options", "exit_code", "said"),
    [
        (["--classes", "cat", "--exclude-class", "dog"], 2, "cannot be combined"),
        (["--rename", "dog"], 2, "is not OLD=NEW"),
        (["--rename", "dog="], 2, "is not OLD=NEW"),
        (["--classes", "cats"], 1, "Did you mean 'cat'?"),
        (["--exclude-class", "cow"], 1, "there is no class 'cow'"),
        (["--rename", "cow=cat"], 1, "there is no class 'cow'"),
        (["--rename", "hen=dog", "--classes", "hen"], 1, "there is no class 'hen'"),
    ],
)
def test_classes_that_are_not_there_are_refused(
    options: list[str], exit_code: int, said: str, animals: Path, tmp_path: Path
) -> None:
    result = run(animals, *options, "--out", tmp_path / "run")
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert not (tmp_path / "run").exists()


@tiny
def test_several_folders_are_one_dataset(
    asked: Asked, images: Path, animals: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = run(images, animals, "--explain")
    assert "19 images, 28 boxes of 3 classes (cat, dog, hen)" in result.stderr
    result = asked.run(images, animals, "--out", tmp_path / "run")
    assert asked.data == [images, animals]
    assert f"boxwright evaluate {tmp_path / 'run'} {images} {animals}" in result.stdout
    assert sorted(tmp_path.rglob("*")) == before, "nothing is copied"


@tiny
def test_without_data_there_is_nothing_to_train_on() -> None:
    result = run()
    assert result.exit_code == 2
    assert "BW802 data is missing" in result.stderr


# ---- Explaining --------------------------------------------------------------------------------


@tiny
def test_the_recipe_is_explained_and_nothing_else_is_done(
    asked: Asked, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = asked.run(images, "--budget", "2m", "--set", "learning_rate.peak=5e-4", "--explain")
    assert result.exit_code == 0
    lines = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    assert lines["--set learning_rate.peak=0.0005"].strip() == (
        "the peak learning rate is 0.0005: set by you"
    )
    assert lines["--set seconds=120"].strip() == "training takes 120 seconds"
    assert not asked.options, "nothing was trained"
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written or downloaded"


@tiny
def test_the_whole_recipe_is_json(asked: Asked, images: Path) -> None:
    options = ["--steps", "9", "--deterministic", "--seed", "3", "--set", "optimizer=momentum"]
    result = asked.run(images, *options, "--explain", "--json")
    recipe = Recipe.from_json(json.loads(result.stdout))
    assert (recipe.steps, recipe.deterministic, recipe.seed) == (9, True, 3)
    assert recipe.optimizer == Momentum()
    assert recipe.reasons["optimizer"] == "set by you"


@tiny
def test_contradictions_are_found_without_training(asked: Asked, images: Path) -> None:
    result = asked.run(images, "--steps", "9", "--set", "seconds=60", "--explain")
    assert result.exit_code == 1
    assert "BW313 seconds and steps exclude each other" in result.stderr


def test_a_recipe_is_explained_without_keras(images: Path) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['boxwright', 'train', {str(images)!r}, '--explain']\n"
        "from boxwright.cli.main import main\n"
        "try:\n    main()\n"
        "finally:\n    print([name for name in ('keras', 'tensorflow') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


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


@pytest.mark.usefixtures("small_network")
def test_a_run_remembers_its_folders_classes_and_recipe(
    images: Path, animals: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    small = ["--from-scratch", "--input-size", "64", "--depth-multiplier", "0.1"]
    chosen = ["--exclude-class", "dog", "--rename", "hen=bird", "--set", "batch_size=4"]
    begun = run(images, animals, "--out", out, *small, *chosen, "--steps", "2")
    assert begun.exit_code == 0, begun.stderr
    assert "6 ignored regions" in begun.stderr
    provenance = run_folder.Run(out).artifact.provenance
    assert run_folder.Run(out).artifact.classes == ("cat", "bird")
    assert provenance["recipe"]["batch_size"] == 4
    assert source_of(provenance) == DataSource(
        (images, animals), ClassChoice((), ("dog",), {"hen": "bird"})
    )

    def evaluate(*words: str) -> Any:
        result = CliRunner().invoke(app, ["evaluate", str(out), *words, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    own, other, all_classes = (
        evaluate(),
        evaluate(str(animals), "--classes", "cat"),
        evaluate(str(animals), "--rename", "hen=bird"),
    )
    assert own["data"] == [images.as_posix(), animals.as_posix()]
    assert list(own["per_class"]) == ["cat", "bird"]
    assert list(other["per_class"]) == ["cat"]
    assert list(all_classes["per_class"]) == ["cat", "dog", "bird"]

    for option, value in [
        ("--classes", "cat"),
        ("--exclude-class", "hen"),
        ("--rename", "dog=cat"),
    ]:
        refused = run("--out", out, "--resume", "--steps", "4", option, value)
        assert refused.exit_code == 1
        assert f"Remove {option}" in refused.stderr
    refused = run("--out", out, "--resume", "--steps", "4", "--set", "batch_size=8")
    assert "Remove --set batch_size" in refused.stderr
