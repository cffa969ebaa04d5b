"""Each row of the table of threats names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.tiny

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "explanation" / "threats.md").read_text(encoding="utf-8")
TABLES = PAGE.partition("## Crashes")[0]
ROWS = [row for row in re.findall(r"^\| (.+) \|$", TABLES, re.MULTILINE) if "---" not in row]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.startswith("threat |")])
def test_a_threat_has_a_protection_and_a_test(row: str) -> None:
    _, protection, shown_by = row.split(" | ")
    assert protection
    named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown_by)
    assert named, shown_by
    tree = ast.parse((ROOT / named[1]).read_text(encoding="utf-8"))
    assert named[2] in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_there_are_threats() -> None:
    assert len(ROWS) > 20
