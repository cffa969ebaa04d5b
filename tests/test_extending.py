"""docs/explanation/extending.md: its modules are written to files, and its commands are run."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.codes import MEANINGS
from boxwright.datasets.checks.registry import CHECKS
from boxwright.export.targets import TARGETS
from boxwright.formats import FORMATS
from boxwright.inference.file_kinds import FILE_KINDS

if TYPE_CHECKING:
    from folders import VocFolder

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "extending.md"
EARLIER = Path(__file__).resolve().parent / "earlier" / "files"  # a run, and its photos
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
MODULES = ("dots", "narrow", "zipped")
ADDED: tuple[tuple[Any, str], ...] = (
    (FORMATS, "dots"),
    (TARGETS, "zipped"),
    (FILE_KINDS, "zipped .tflite"),
    (CHECKS, "narrow"),
    (MEANINGS, "BW851"),
)


@pytest.fixture
def extended(voc_folder: VocFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's modules and labelled photos, its rows in force for one test."""
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "python":
            name = text.partition("\n")[0].removeprefix("# ")
            with (tmp_path / name).open("a", encoding="utf-8") as file:
                file.write(text)
    for i in range(4):
        voc_folder.pair(f"{i}", [("cat", 2, 2, 40, 30), ("dog", 5, 10, 60, 15)])
    voc_folder.root.rename(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for registry, name in ADDED:
        assert name not in registry
        monkeypatch.setitem(registry, name, None)  # taken away again at the end
    runpy.run_path("rows.py")
    return tmp_path


def follow(section: str) -> list[str]:
    """What the commands of a section print, run one after the other."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    printed = []
    for language, block in BLOCK.findall(text):
        for line in block.splitlines() if language == "sh" else ():
            program, script, *words = line.split()
            assert (program, script) == ("python", "mybox.py")
            printed.append(run(*words))
    return printed


def run(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.tiny
def test_the_command_line_lists_the_rows(extended: Path) -> None:
    for verb, names in (("convert", FORMATS), ("export", TARGETS)):
        answer = subprocess.run(
            [sys.executable, "mybox.py", verb, "--help"],
            cwd=extended,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert f"<{'|'.join(names)}>" in answer.stdout


@pytest.mark.tiny
def test_a_format_is_a_module_and_a_row(extended: Path) -> None:
    converted, checked = follow("A format")
    assert "has the same data as Dots, verified by reading it back" in converted
    lines = (extended / "images-dots" / "boxes.dots").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "images/0.jpg\tcat\t2\t2\t40\t30"
    assert len(lines) == 8
    assert "4 images" in checked


@pytest.mark.tiny
def test_a_check_is_a_function_and_a_row(extended: Path) -> None:
    checked, explained = follow("A check")
    assert "BW851 A box is very long and narrow (4 times)" in checked
    assert "0.jpg, box 2" in checked
    assert explained.startswith("BW851 A box is very long and narrow (warning)")


@pytest.mark.slow
def test_an_export_target_is_a_module_and_two_rows(extended: Path) -> None:
    folder = extended / "run"
    folder.mkdir()
    for name in ("run.json", "best.weights.h5"):
        shutil.copy(EARLIER / "run" / name, folder)
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    said["provenance"]["data"]["path"] = str(EARLIER / "squares")
    (folder / "run.json").write_text(json.dumps(said), encoding="utf-8")
    exported, inspected = follow("An export target")
    assert "detector.tflite.gz" in exported
    assert "zipped .tflite" in inspected
