"""Tests give a training what it needs; they do not reach into its modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
OURS = "boxwright.training"

pytestmark = pytest.mark.tiny


def ours(tree: ast.AST) -> set[str]:
    """Names that stand for the package's modules, or for what is in them."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "boxwright":
            names |= {
                alias.asname or alias.name for alias in node.names if alias.name == "training"
            }
        elif isinstance(node, ast.Import):
            names |= {alias.asname for alias in node.names if alias.name.startswith(OURS)} - {None}
    return names


def root(node: ast.expr) -> str:
    """`a.b.c` starts from `a`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def patches(source: str) -> Iterator[int]:
    """The lines that change something of the package."""
    tree = ast.parse(source)
    names = ours(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[first, *_]):
                text = first.value if isinstance(first, ast.Constant) else ""
                named = isinstance(text, str) and text.startswith(OURS)
                kinds = {"setattr", "delattr", "setitem", "delitem", "patch", "object"}
                if called in kinds and (root(first) in names or named):
                    yield node.lineno
            case ast.Assign(targets=targets):
                if any(isinstance(t, ast.Attribute) and root(t) in names for t in targets):
                    yield node.lineno


def test_no_test_patches_the_training_package() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in patches(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "from boxwright.training import loop\nmonkeypatch.setattr(loop, 'train', f)",
        "from boxwright.training import cache as module\nsetattr(module, 'MOST', 2)",
        "from boxwright.training.sampler import Sampler\npatch.setattr(Sampler, 'batch', f)",
        "from boxwright import training\nmock.patch.object(training.loop, 'train')",
        "import boxwright.training.loop as loop\nloop.train = f",
        "monkeypatch.setattr('boxwright.training.loop.train', f)",
    ],
)
def test_such_a_patch_is_seen(source: str) -> None:
    assert list(patches(source)) == [2 if "\n" in source else 1]


def test_other_patches_are_not_its_business() -> None:
    assert not list(patches("import numpy as np\nmonkeypatch.setattr(np, 'savez', f)"))
