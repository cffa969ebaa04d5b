"""docs/how-to/check-your-data.md shows what its commands print."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.datasets.checks import measure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "check-your-data.md"


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)\n```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.shared
def test_the_page_shows_what_is_printed(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(shared / "data" / "bccd", tmp_path / "bccd")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        measure, "summarize", cache(measure.summarize)
    )  # four commands decode the same
    printed = {}
    for command in blocks("sh"):
        if " images" not in command:  # those are the reader's own
            words = shlex.split(command.partition(" >")[0])
            printed[command] = CliRunner().invoke(app, words[1:]).output
    assert Path("report.html").is_file()
    everything = "\n".join([*printed.values(), Path("repaired/changes.txt").read_text("utf-8")])
    for shown in blocks("text"):
        assert shown in everything
    found = json.loads(printed["boxwright check bccd --json > findings.json"])["findings"]
    (finding,) = blocks("json")
    assert json.loads(finding) in found
    assert "BW131" not in {one["code"] for one in found}, "the split was made anew"
