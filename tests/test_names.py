"""Names in the code are the field's, in American spelling.

A word that is plain English as well, such as "found" or "order", is not in the table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import boxwright

pytestmark = pytest.mark.tiny

PACKAGE = Path(boxwright.__file__).parent

# What was said before, and what the field says; words of a name, in any case.
PAIRS = [
    ("alike", "near duplicates"),
    ("choosing", "validation"),
    ("copies", "duplicates"),
    ("declared", "user groups"),
    ("dice", "random draws"),
    ("die", "random draw"),
    ("doctor", "check"),
    ("examine", "run checks"),
    ("fewest", "min"),
    ("focus", "classification loss"),
    ("guard", "sanity check"),
    ("guards", "sanity checks"),
    ("head start", "class head initialization"),
    ("judge", "validate"),
    ("judgement", "validation result"),
    ("jury", "validation set"),
    ("keeper", "best weights"),
    ("look", "summary"),
    ("looks", "summaries"),
    ("marked", "assigned"),
    ("marks", "splits"),
    ("mirror", "horizontal flip"),
    ("mirroring", "horizontal flip"),
    ("most", "max"),
    ("per coordinate", "normalize by code size"),
    ("per match", "normalize by num matches"),
    ("photo", "image"),
    ("photos", "images"),
    ("places", "positions"),
    ("plate", "label"),
    ("plates", "labels"),
    ("proof", "comparison"),
    ("proven", "verified"),
    ("remedies", "int8 search"),
    ("rounding", "fake quantization"),
    ("runtime", "inference"),
    ("slice", "byte range"),
    ("span", "byte range"),
    ("spans", "byte ranges"),
    ("suppression", "nms"),
    ("torn", "leaked"),
    ("uncertain", "min visibility"),
    ("unmarked", "unassigned"),
    ("unmatched", "negative iou"),
]
FORMER_FOLDERS = {"boxes": "ops", "data": "images", "media": "images", "quality": "datasets"}
BRITISH = re.compile(
    r"behaviour|catalogue|cent(re|ring|red)|colour|favour|grey|labell|licence|neighbour|"
    r"(general|initial|normal|optim|organ|quant|real|recogn|regular|serial|special|summ[a]r)is[aei]"
)
# Names that are not ours, or mean something else where they are.
OTHERS = {
    "demo/scenes/backdrops.py": {"focus"},  # a camera's
    "studio/journal.py": {"uncertain"},  # of active learning
    "studio/queue.py": {"uncertain"},
    "studio/security.py": {"Guard"},  # of a door
    "tfod/doctor.py": {"tfod_doctor"},  # a command
    "tfod/config/model.py": {  # fields of the Object Detection API
        "NonMaxSuppression",
        "batch_non_max_suppression",
        "negatives_lower_than_unmatched",
        "unmatched_threshold",
    },
}


def words(name: str) -> str:
    """The words of a name, lower case, with a space around each."""
    return f" {' '.join(re.findall(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])', name)).lower()} "


def given(tree: ast.AST) -> Iterator[str]:
    """All names that a module gives to something."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def names() -> Iterator[tuple[str, str]]:
    """(file, name) of every name that is given in the package, modules' own among them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        own = file.removesuffix(".py").replace("/", "_")
        for name in {own, *given(ast.parse(path.read_text(encoding="utf-8")))}:
            if name not in OTHERS.get(file, set()):
                yield file, name


def test_names_are_the_fields() -> None:
    old = {f" {before} ": f"{before} is {today}" for before, today in PAIRS}
    faults = [
        f"{file}: {name}: {said}"
        for file, name in names()
        for before, said in old.items()
        if before in words(name)
    ]
    assert faults == []


def test_no_folder_has_its_former_name() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders.isdisjoint(FORMER_FOLDERS)
    assert folders.issuperset(FORMER_FOLDERS.values())


def test_names_are_spelt_as_americans_do() -> None:
    assert [(file, name) for file, name in names() if BRITISH.search(name.lower())] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("most_photos", " most photos "),
        ("HeadStart", " head start "),
        ("FEWEST_PHOTOS", " fewest photos "),
        ("PhotoLike", " photo like "),
        ("at_8bits", " at bits "),
        ("utmost", " utmost "),
    ],
)
def test_a_name_has_words(name: str, expected: str) -> None:
    assert words(name) == expected
