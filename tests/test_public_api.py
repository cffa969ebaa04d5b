"""The names people build on, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import boxwright

pytestmark = pytest.mark.tiny

NAMES = [
    *("BoxwrightError", "Dataset", "Detections", "Detector", "Event", "ReadOptions", "Recipe"),
    "Run",
    *("bench", "check", "compare", "convert", "diagnose", "download_openimages"),
    *("evaluate", "export", "load", "merge"),
    *("predict", "read", "report", "split", "train", "write"),
]


def test_the_public_names_are_these() -> None:
    assert boxwright.__all__ == NAMES == dir(boxwright)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_can_be_had_and_says_what_it_is_for(name: str) -> None:
    assert getattr(boxwright, name).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_each_name_has_an_example(name: str) -> None:
    """`test_api_examples` runs them."""
    assert ">>> " in (getattr(boxwright, name).__doc__ or "")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'train_my_dragon'"):
        _ = boxwright.train_my_dragon


@pytest.mark.parametrize("module", ["bench.memory", "export.targets", "report.html"])
def test_a_folder_of_the_same_name_does_not_replace_a_function(module: str) -> None:
    folder, _, name = module.partition(".")
    program = (
        f"import boxwright, boxwright.{module}; from boxwright.{folder} import {name}; "
        f"assert callable(boxwright.{folder}); assert {name}.__name__ == 'boxwright.{module}'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import boxwright", {"numpy", "PIL", "keras", "tensorflow"}),
        ("import boxwright; boxwright.load", {"keras", "tensorflow", "ai_edge_litert"}),
        ("import boxwright; boxwright.convert", {"keras", "tensorflow", "ai_edge_litert"}),
        ("import boxwright; boxwright.Detections", {"keras", "tensorflow", "pandas", "PIL"}),
        ("import boxwright; boxwright.Detector", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.Event", {"keras", "tensorflow", "numpy"}),
        ("import boxwright; boxwright.Recipe", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.bench", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.compare", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.diagnose", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.export", {"keras", "tensorflow"}),
        ("import boxwright; boxwright.train", {"keras", "tensorflow", "ai_edge_litert"}),
    ],
)
def test_importing_is_light(statement: str, unwanted: set[str]) -> None:
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert unwanted.isdisjoint(done.stdout.split())
