"""Anchors are known below `DetectionModel` alone: a test over identifiers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src/boxwright"
ALLOWED = ("models/ssd/", "ops/anchors.py", "ops/box_coder.py", "tfod/")
FOREIGN = ("inference/heads/ssd.py", "inference/litert.py")  # raw SSDs of others, with their own
PATHLIB = "anchor"  # the attribute of a path; where a keyword is ours, its parameter is found


def identifiers(tree: ast.AST) -> Iterator[str]:
    """All names that a module gives or uses, but for the keywords of calls."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name) if name != PATHLIB:
                yield name
            case ast.ImportFrom(module=name):
                yield name or ""
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Import():
                yield from (alias.asname or alias.name for alias in node.names)


@pytest.mark.tiny
def test_anchors_are_named_by_their_family_alone() -> None:
    found = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        for name in identifiers(ast.parse(path.read_text(encoding="utf-8")))
        if "anchor" in name.lower()
    }
    assert {name for name in found if not name.startswith(ALLOWED + FOREIGN)} == set()
    assert "models/ssd/detector.py" in found
