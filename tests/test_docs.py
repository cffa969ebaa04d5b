"""The documents speak of what exists: commands, options, folders, dependencies, files."""

from __future__ import annotations

import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from boxwright.cli.main import app
from boxwright.evaluation.summary import (
    COCO_CLASS_TAG,
    COCO_TAGS,
    PASCAL_CLASS_TAG,
    PASCAL_TAG,
    PICTURE_TAG,
)
from boxwright.formats import FORMATS
from boxwright.formats.annotations import Holds
from boxwright.tfod.commands import named
from boxwright.tfod.flags import parse

pytestmark = pytest.mark.tiny

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "boxwright"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LONGEST = 400  # lines


def commands_in(text: str) -> list[str]:
    """What follows `boxwright` in code blocks (one command a line) and in inline code."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    found = (
        re.match(r"[$>\s]*(?:\S*[/\\])?boxwright +([a-z-].*)", each) for each in lines + inline
    )
    return [match[1] for match in found if match]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist_with_their_options(document: Path) -> None:
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    for command in commands_in(document.read_text(encoding="utf-8")):
        verb, *words = shlex.split(command, comments=True)
        if verb.startswith("--"):
            continue
        assert verb in verbs, f"{document.name}: boxwright {command}"
        if verb == "tfod" and words and words[0].lstrip("[") != "NAME":
            assert parse(named(words[0]).Flags, words[1:]).hints == (), command
            continue
        known = {"--help", "-h"}.union(*(option.opts for option in verbs[verb].params))
        unknown = {word.partition("=")[0] for word in words if word.startswith("-")} - known
        assert not unknown, f"{document.name}: boxwright {command}"


def test_the_readme_walks_the_whole_road() -> None:
    verbs = {command.split()[0] for command in commands_in((ROOT / "README.md").read_text("utf-8"))}
    assert verbs >= {"train", "evaluate", "export", "predict", "demo"}


def test_the_readme_is_short_and_begins_with_a_small_picture() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 110
    picture = re.fullmatch(r"!\[.+\]\((docs/images/.+)\)", lines[2])
    assert picture
    assert (ROOT / picture[1]).stat().st_size <= 300_000


def test_the_readme_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (?:none|`(\w+)`) \| \d\.\d GB \| .+ \|$", text, re.MULTILINE)
    assert sorted(listed) == sorted(["", *project["optional-dependencies"]])


def test_the_readmes_test_command_is_what_ci_runs() -> None:
    called = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert called == "make test"
    assert f"```sh\n{called}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_in_the_architecture_is_the_packages() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = re.search(r"```text\nboxwright/\n(.*?)```", text, re.DOTALL)
    assert tree is not None
    drawn, inside = set(), ""
    for indent, name in re.findall(r"^( +)(\w+)/", tree[1], re.MULTILINE):
        inside = name if len(indent) == 2 else inside
        drawn.add(name if len(indent) == 2 else f"{inside}/{name}")
    packages = {
        path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.glob("*/**/__init__.py")
    }
    assert drawn == packages


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {("", name) for name in project["dependencies"]}
    for extra, names in project["optional-dependencies"].items():
        declared |= {(extra, name) for name in names if not name.startswith("boxwright[")}
    needed = {(extra, re.split(r"[<>=;\[ ]", name)[0]) for extra, name in declared}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| (\w*) ?\| (.+) \|$", text, re.MULTILINE)
    assert {(extra, name) for name, extra, reason in rows if name != "package"} == needed


def test_the_table_of_formats_is_what_they_hold() -> None:
    columns = {
        "difficult": Holds.DIFFICULT,
        "truncated": Holds.TRUNCATED,
        "crowd": Holds.CROWD,
        "occluded": Holds.OCCLUDED,
        "ignored regions": Holds.IGNORED_REGIONS,
        "verified": Holds.VERIFIED,
        "verified classes": Holds.VERIFIED_CLASSES,
        "splits": Holds.SPLITS,
        "empty images": Holds.EMPTY_IMAGES,
        "class order": Holds.CLASS_ORDER,
        "unused classes": Holds.UNUSED_CLASSES,
    }
    text = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    header, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()
    )
    assert header[2:] == list(columns)
    assert [row[:2] for row in rows] == [
        [form.TITLE, f"`{name}`"] for name, form in FORMATS.items()
    ]
    for row, form in zip(rows, FORMATS.values(), strict=True):
        kinds = zip(row[2:], columns.values(), strict=True)
        assert {kind for cell, kind in kinds if cell} == {
            kind for kind in columns.values() if kind in form.HOLDS
        }


def test_each_format_has_a_section() -> None:
    text = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    for name, form in FORMATS.items():
        _, _, rest = text.partition(f"\n### {form.TITLE}\n")
        section = " ".join(rest.partition("\n#")[0].split())
        about = form.ABOUT
        for said in (about.sources, about.files, about.detected[1:], *about.written):
            assert said in section, name
        assert f"`--to {name}`" in section
        assert about.quirks
        assert all(quirk in section and quirk.endswith(".") for quirk in about.quirks), name


def test_the_table_of_tags_is_what_a_training_writes() -> None:
    losses = {f"Loss/{kind}_loss" for kind in ("total", "classification", "localization")}
    losses |= {"Loss/regularization_loss", "learning_rate", "global_step/sec"}
    by_class = {tag.format("<class>") for tag in (COCO_CLASS_TAG, PASCAL_CLASS_TAG)}
    measured = {*COCO_TAGS.values(), PASCAL_TAG, PICTURE_TAG.format("<i>")}
    text = (ROOT / "docs" / "how-to" / "tensorboard.md").read_text(encoding="utf-8")
    tags = re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)
    assert len(tags) == len(set(tags))
    assert set(tags) == losses | by_class | measured


@pytest.mark.parametrize(
    "page",
    [
        *("reference/codes.md", "reference/commands.md", "reference/api.md"),
        *("reference/formats.md", "llms.txt"),
    ],
)
def test_generated_pages_are_up_to_date(page: str) -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == pages[page](), "run: .venv/bin/python docs/generate.py"


@pytest.mark.parametrize("folder", ["src", "benchmarks", "docs"])
def test_no_file_is_too_long(folder: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length >= LONGEST} == {}


def test_every_code_is_raised_for_one_thing_and_lies_in_its_range() -> None:
    ranges = {
        "DataError": "1",
        "UnusableError": "1",
        "WeightsError": "2",
        "TrainingError": "3",
        "ExportError": "4",
        "DetectorError": "5",
        "SourceError": "5",
        "EvaluationError": "6",
        "ArgumentError": "8",
        "FlagError": "7",
        "TfodError": "7",
        "SystemFaultError": "9",
    }
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for error, code in re.findall(r"(\w+Error)\(\s*\"BW(\d)\d\d\"", text):
            assert ranges[error] == code, f"{path}: {error} BW{code}.."
