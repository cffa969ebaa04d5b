"""What the folders promise: one place for each thing, and names that lead somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import boxwright

pytestmark = pytest.mark.tiny

PACKAGE = Path(boxwright.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = [
    PACKAGE.parents[1] / "docs" / "architecture.md",
    *sorted((PACKAGE.parents[1] / "docs" / "explanation").glob("*.md")),
]
MAX_INIT_SIZE = 40  # lines of logic
BOX_OPERATIONS = {"ops/boxes.py", "backend/boxes.py"}  # NumPy's and keras.ops'
SPEAKS_OF_AREAS = re.compile(r"(^|_)(iou|areas?|intersections?)(_|$)")
NO_BOXES = {}
# First parts of names that are other people's, or an example's.
OTHERS = {
    *("keras", "model", "openvino", "package", "pandas", "pycocotools", "ray"),
    *("struct", "supervision", "tf", "time"),
}
FILE_ENDINGS = {
    *("bin", "ckpt", "config", "csv", "h5", "jpg", "js", "json", "jsonl"),
    *("names", "npz", "pbtxt", "py", "split", "tflite", "toml", "txt", "xml", "yaml", "yml"),
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_side(node: ast.AST) -> bool:
    """`boxes[..., 2] - boxes[..., 0]` or `bottom - top`: a difference of corners."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and isinstance(node.left, ast.Subscript | ast.Name)
        and isinstance(node.right, ast.Subscript | ast.Name)
    )


def multiplies_sides(function: ast.FunctionDef) -> bool:
    """Whether a function multiplies two sides of a box, or clips a box by another."""
    products = (node for node in ast.walk(function) if isinstance(node, ast.BinOp))
    if any(
        isinstance(node.op, ast.Mult) and is_side(node.left) and is_side(node.right)
        for node in products
    ):
        return True
    clipped = {
        node.func.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if any(isinstance(each, ast.Subscript) for each in node.args)
    }
    return {"maximum", "minimum"} <= clipped


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_areas_and_overlaps_of_boxes_are_written_once_per_array_module(path: Path) -> None:
    if name_of(path) in BOX_OPERATIONS:
        return
    for function in functions(tree_of(path)):
        named = SPEAKS_OF_AREAS.search(function.name) and function.name not in NO_BOXES
        assert not named, f"{function.name}: see ops.boxes and backend.boxes"
        assert not multiplies_sides(function), f"{function.name}: see ops.boxes, backend.boxes"


def test_the_search_for_areas_finds_those_that_are_there() -> None:
    found = {
        function.name
        for name in BOX_OPERATIONS
        for function in functions(tree_of(PACKAGE / name))
        if SPEAKS_OF_AREAS.search(function.name) and multiplies_sides(function)
    }
    assert found == {"areas", "intersections"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=name_of)
def test_a_packages_own_module_gathers_names_and_does_no_work(path: Path) -> None:
    def is_logic(node: ast.stmt) -> bool:
        gathers = isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        lists = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        return not (gathers or for_types or lists)

    logic = [node for node in tree_of(path).body if is_logic(node)]
    lines = sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in logic)
    assert lines <= MAX_INIT_SIZE


def leads_somewhere(name: str, folder: Path) -> bool:
    """Whether `name` is a module below `folder`, or a name in one, down to attributes."""
    first, *rest = name.split(".")
    if (folder / first).is_dir():
        return not rest or leads_somewhere(".".join(rest), folder / first)
    if (folder / f"{first}.py").is_file():
        return not rest or rest[0] in names_in(folder / f"{first}.py")
    return first in names_in(folder / "__init__.py")


def names_in(path: Path) -> set[str]:
    """The names that a module defines or gathers."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names


def homes(first: str, path: Path) -> list[Path]:
    """The folders where the first part of a name is looked for: the package, and those around a
    file."""
    around = [each for each in path.parents if PACKAGE in (each, *each.parents)] or [PACKAGE]
    return [each for each in around if (each / first).is_dir() or (each / f"{first}.py").is_file()]


def variables(path: Path) -> set[str]:
    """The names that a module uses and the parameters of its functions."""
    nodes = list(ast.walk(tree_of(path))) if path.suffix == ".py" else []
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return used | {node.arg for node in nodes if isinstance(node, ast.arg)}


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: path.name)
def test_modules_that_texts_speak_of_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for dotted in re.findall(r"`([a-z_]\w*(?:\.\w+)+)`", text):
        name = dotted.removeprefix("boxwright.")
        first, last = name.split(".")[0], name.split(".")[-1]
        if last in FILE_ENDINGS or first in OTHERS | variables(path):
            continue
        assert any(leads_somewhere(name, folder) for folder in homes(first, path)), name
