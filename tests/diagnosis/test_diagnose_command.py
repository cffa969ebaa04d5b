"""`boxwright diagnose`: what it prints, and the commands of its page."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.diagnosis import diagnose
from boxwright.diagnosis.agreement import Agreement
from boxwright.diagnosis.diagnose import Diagnosis, Step
from boxwright.diagnosis.reading import NOT_REACHED, Reading, failed, not_checked, passed

pytestmark = pytest.mark.tiny
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "diagnose-a-detector.md"
GOOD = (passed("AP is [0.9]", 0.9, 0.5, "it is"), not_checked("a file has no training images"))
FAULT = failed("the threshold is too high", "F1 is 0", 0.0, 0.3, why="half", remedy="Lower it.")


class Asked:
    """Stands in for the diagnosis: remembers what it was asked for, and answers."""

    def __init__(self) -> None:
        self.readings: tuple[Reading, ...] = GOOD
        self.detector: Any = None
        self.options: dict[str, Any] = {}

    def __call__(self, detector: Path, data: Any, **options: Any) -> Diagnosis:
        self.detector, self.options = detector, {"data": data, **options}
        steps = (Step(f"rung{i}", f"Is it {i}?", one, 0.1) for i, one in enumerate(self.readings))
        return Diagnosis(detector, 7, Agreement(0.8, 0.9), tuple(steps))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(diagnose, "diagnose", asked)
    return asked


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["diagnose", *words])


def test_without_a_fault_every_measurement_is_printed(asked: Asked) -> None:
    result = run("run", "images")
    assert result.exit_code == 0
    assert (asked.detector, asked.options["data"]) == (Path("run"), [Path("images")])
    assert result.stdout.splitlines() == [
        "passed Is it 0?",
        "    AP is [0.9]",
        "not checked Is it 1?",
        "    a file has no training images",
        "",
        "No fault found.",
        "AP50 0.90 on 7 images, whatever the classes.",
    ]


def test_a_fault_is_the_answer(asked: Asked) -> None:
    asked.readings = (GOOD[0], FAULT, Reading(NOT_REACHED, ""))
    result = run("run")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2:] == [
        "FAILED Is it 1?",
        "    F1 is 0",
        "not reached Is it 2?",
        "",
        "The threshold is too high.",
        "Measured 0, limit 0.3: half.",
        "-> Lower it.",
    ]


def test_the_json_has_the_fault_and_all_rungs(asked: Asked) -> None:
    asked.readings = (GOOD[0], FAULT, Reading(NOT_REACHED, ""))
    result = run("run", "--json", "--rename", "cup=mug")
    assert result.exit_code == 1
    assert asked.options["rename"] == {"cup": "mug"}
    found = json.loads(result.stdout)
    assert found["answer"] == found["fault"]["cause"] == "the threshold is too high"
    assert [one["status"] for one in found["rungs"]] == ["passed", "failed", "not reached"]
    assert found["fault"] | {"seconds": 0} == {
        "rung": "rung1",
        "question": "Is it 1?",
        "status": "failed",
        "found": "F1 is 0",
        "measured": 0.0,
        "limit": 0.3,
        "why": "half",
        "cause": "the threshold is too high",
        "remedy": "Lower it.",
        "seconds": 0,
    }


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("boxwright diagnose")]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_run(
    command: str, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.txt").write_text("cup\n", "utf-8")
    _, _, *words = shlex.split(command)
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert str(asked.detector) == words[0]
