"""`boxwright train`: settings, classes, several folders, and the explained recipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, run
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.source import DataSource, source_of
from boxwright.inference.run import Run
from boxwright.training.optimizers import Momentum
from boxwright.training.recipe import Recipe

tiny = pytest.mark.tiny

# ---- Settings, classes, folders ------------------------------------------------------------------


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


# ---- Explaining --------------------------------------------------------------------------------


def test_the_recipe_is_explained_and_nothing_else_is_done(
    asked: Asked, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = asked.run(images, "--budget", "2m", "--set", "learning_rate.peak=5e-4", "--explain")
    assert result.exit_code == 0
    fields, sizes = result.stdout.split("\n\n")
    lines = dict(line.split("  ", 1) for line in fields.splitlines())
    assert lines["--set learning_rate.peak=0.0005"].strip() == (
        "the peak learning rate is 0.0005: set by you"
    )
    assert lines["--set seconds=120"].strip() == "training takes 120 seconds"
    assert "images seen" in sizes.splitlines()[0]
    assert {line.split()[0] for line in sizes.splitlines()[1:]} == {
        "224", "320", "416", "512", "640"
    }  # fmt: skip
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


def test_a_recipe_chosen_by_measurement_is_json_too(asked: Asked, images: Path) -> None:
    result = asked.run(images, "--budget", "2m", "--explain", "--json")
    recipe = Recipe.from_json(json.loads(result.stdout))
    assert recipe.seconds == 120


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


# ---- For real ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_network", "op_by_op")
def test_a_run_remembers_its_folders_classes_and_recipe(
    images: Path, animals: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    small = ["--from-scratch", "--input-size", "64", "--depth-multiplier", "0.1"]
    chosen = ["--exclude-class", "dog", "--rename", "hen=bird", "--set", "batch_size=4"]
    begun = run(images, animals, "--out", out, *small, *chosen, "--steps", "2")
    assert begun.exit_code == 0, begun.stderr
    assert "6 ignored regions" in begun.stderr
    provenance = Run(out).artifact.provenance
    assert Run(out).artifact.classes == ("cat", "bird")
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
