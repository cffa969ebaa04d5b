"""The tutorial quotes sentences that the program prints today, whatever their numbers are."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from boxwright.cli.export import _table
from boxwright.datasets.describe import counted
from boxwright.evaluation import report
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.numbers import How, numbers
from boxwright.evaluation.threshold import STANDING, Threshold
from boxwright.export.verify import Comparison, Row
from boxwright.structures.dataset import Dataset, Split
from squares import Squares

pytestmark = pytest.mark.tiny

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial" / "raccoons.md"
SHORTEST = 2  # words of a text that has no gaps; single words are names and keys, too
GAP = "\0"  # what an f-string fills in
# Names of files, classes and numbers, and words that a sentence chooses.
NAMES = {"raccoon", "cat", "run", "found", "detector", "int8", "tflite", "jpg", "contact_sheet"}
NAMES |= {"nanodet_plus_m_320_coco", "float32", "layers", "test", "train", "AP", "AP50"}
NAMES |= {"Verified", "and", "images", "steps", "bfloat16", "report"}
NAMES |= {"APlarge", "ARlarge"}  # none are drawn here
NAMES |= {"head_32_1_project", "head_8_1_project", "head_32_classes", "head_16_1_project"}


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module, with gaps where an f-string fills something in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def sentences() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each text of the source with its longest fixed part, as a pattern for a line."""
    found: dict[tuple[str, str], None] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            for line in re.sub(r"\[/?[a-z ]*\]", "", text).splitlines():
                fixed = [part for part in line.strip().split(GAP) if part]
                said = sum(len(words(part)) for part in fixed)
                if said >= SHORTEST or (said and GAP in line):
                    pattern = ".*?".join(f"({re.escape(part)})" for part in fixed)
                    found[max(fixed, key=len), pattern] = None
    return tuple((longest, re.compile(pattern)) for longest, pattern in found)


def words(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[A-Za-z][A-Za-z_0-9]*", text))


def stale(line: str) -> list[str]:
    """Return the words of a line that no text of the source prints there."""
    covered: set[int] = set()
    for longest, pattern in sentences():
        if longest in line and (match := pattern.search(line)):
            for group in range(1, pattern.groups + 1):
                covered |= set(range(*match.span(group)))
    return [word[0] for word in words(line) if word.start() not in covered and word[0] not in NAMES]


def shape(line: str) -> str:
    """Return a line without its numbers and spaces."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*|n/a", "0", line)).strip()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The shapes of lines that are put together from single words: counts and tables."""
    drawn = Squares(tmp_path_factory.mktemp("tutorial"))
    images = [drawn.image(split) for split in (Split.TRAIN, Split.TEST) for _ in range(4)]
    dataset = Dataset.of(drawn.root, images)
    test = dataset.split("test")
    found = constant_box(dataset.split("train"), test)
    how = How(resamples=10)
    baseline = numbers(test, found, Threshold(0.5, STANDING), baseline=found, how=how)
    console = Console(file=io.StringIO(), width=120)
    console.print(report.table(baseline))
    rows = tuple(Row(name, 0.5, 0.5) for name in ("AP", "AP50", "AP square"))
    console.print(_table(Comparison("test", rows, {"test": 4}, 0.0, None, 0.01, 1, 1, 1)))
    console.print(counted(dataset))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().replace("square", "raccoon").splitlines()
    return {shape(line) for line in lines}


def quoted() -> list[str]:
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if words(line)]


def test_the_tutorial_quotes_what_is_printed_today(fresh: set[str]) -> None:
    lines = quoted()
    assert len(lines) > 50
    assert {line: stale(line) for line in lines if shape(line) not in fresh and stale(line)} == {}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("40 photos, 44 boxes", "photos"),
        ("running it on photos of the run", "photos"),
        ("no images are held out for validation: too few images", "few"),
        ("246 of 247 sure detections agree, where 198 are needed", "sure"),
    ],
)
def test_sentences_that_are_not_printed_are_noticed(line: str, word: str, fresh: set[str]) -> None:
    assert shape(line) not in fresh
    assert word in stale(line)
