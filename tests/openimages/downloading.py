"""`boxwright download openimages` in tests, and what it wrote."""

from __future__ import annotations

import csv
from pathlib import Path

from typer.testing import CliRunner, Result

from boxwright.cli.main import app


def run(*arguments: object) -> Result:
    words = ["download", "openimages", *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "160"})


def get(out: Path, *arguments: object) -> Result:
    result = run(*arguments, "--out", out)
    assert result.exit_code == 0, result.output
    return result


def images_in(out: Path, split: str) -> set[str]:
    return {path.stem for path in (out / split).glob("*.jpg")}


def boxes_in(out: Path, split: str) -> list[list[str]]:
    with (out / f"{split}-annotations-bbox.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]
