"""The commands of docs/how-to/control-the-training.md, run on small folders."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from boxwright.api import Run
from boxwright.cli.main import app
from boxwright.datasets.class_choice import ClassChoice
from boxwright.structures.dataset import Dataset
from boxwright.training.deciding import checked
from boxwright.training.request import TrainingRequest
from boxwright.training.settings import parse, value_at
from folders import VocFolder

pytestmark = pytest.mark.tiny

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "control-the-training.md"
CLASSES = ("car", "bus", "truck", "person", "dog")
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
TRAININGS = [line for line in COMMANDS if line.startswith("boxwright train ")]
PROSE = re.sub(r"^```.*?^```", "", TEXT, flags=re.DOTALL | re.MULTILINE)
SETTINGS = sorted(set(re.findall(r"([a-z_][a-z_0-9.]*=[\w.,-]+)", PROSE)))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the page speaks of."""
    for number, name in enumerate(("photos", "monday", "wednesday", "tuesday")):
        folder = VocFolder(tmp_path / name, made=100 * number)
        for i in range(5):
            folder.pair(f"{i}", [(CLASSES[(i + k) % 5], 4, 6, 30, 40) for k in range(3)])
    converted = CliRunner().invoke(
        app, ["convert", str(tmp_path / "tuesday"), str(tmp_path / "coco"), "--to", "coco"]
    )
    assert converted.exit_code == 0, converted.output
    (annotation,) = (tmp_path / "coco").rglob("*.json")
    for path in (tmp_path / "coco").rglob("*.jpg"):
        shutil.copy(path, tmp_path / path.name)
    shutil.copy(annotation, tmp_path / "tuesday.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", [line for line in TRAININGS if "--resume" not in line])
def test_trainings_are_understood(command: str, workplace: Path) -> None:
    asked: list[Dataset] = []

    def train(data: list[Path], **options: Any) -> Run:
        """Decides how to train, and does not."""
        names = {each.name for each in fields(TrainingRequest)}
        chosen = ClassChoice(*(options[name] for name in ("classes", "exclude", "rename")))
        own = {name: value for name, value in options.items() if name in names}
        request = TrainingRequest(tuple(data), choice=chosen, **own)
        dataset = request.dataset()
        request.recipe_for(dataset)
        asked.append(dataset)
        return Run(request.out, dataset, 7, None, False, request.source.paths)

    result = CliRunner().invoke(app, shlex.split(command)[1:], obj=train)
    assert result.exit_code == 0, result.output
    assert len(asked) == ("--explain" not in command)
    if "--classes car,bus" in command:
        assert asked[0].classes == ("car", "bus")
    if "tuesday.json" in command:
        assert len(asked[0]) == 15


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_said_to_set_a_field_does(setting: str) -> None:
    settings = parse([setting])
    recipe = checked(settings, pretrained=True)
    (path,) = settings
    assert value_at(recipe, path) is not None or settings[path] == "none"


def test_the_page_has_examples() -> None:
    assert len(TRAININGS) >= 12
    assert len(SETTINGS) >= 10
