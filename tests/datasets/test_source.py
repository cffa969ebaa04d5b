"""Where a run's images come from, as its provenance has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.source import DataSource, choice_of, source_of
from folders import VocFolder

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a", DataSource((Path("a"),))),
        (Path("a"), DataSource((Path("a"),))),
        (["a", Path("b.json")], DataSource((Path("a"), Path("b.json")))),
        (
            DataSource((Path("a"),), ClassChoice(("cat",))),
            DataSource((Path("a"),), ClassChoice(("cat",))),
        ),
    ],
)
def test_paths_are_a_source(source: Any, expected: DataSource) -> None:
    assert DataSource.of(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        DataSource((Path("a"),)),
        DataSource((Path("a"), Path("b.json"))),
        DataSource((Path("a"), Path("b")), ClassChoice(("x",), (), {"y": "x"})),
    ],
)
def test_a_run_remembers_its_source(source: DataSource) -> None:
    provenance = json.loads(json.dumps(source.to_provenance("f1")))
    kept = source_of(provenance)
    assert kept is not None
    assert kept.paths == tuple(path.absolute() for path in source.paths)
    assert kept.choice == choice_of(provenance) == source.choice
    assert provenance["data"]["fingerprint"] == "f1"


@pytest.mark.parametrize(
    "provenance",
    [{}, {"data": None}, {"data": {"fingerprint": "f1"}}, {"data": {"folder": "a"}}, {"data": 3}],
)
def test_a_detector_may_not_say(provenance: dict[str, Any]) -> None:
    assert source_of(provenance) is None
    assert choice_of(provenance) == ClassChoice()


def test_a_run_of_before_has_one_folder() -> None:
    old = {"data": {"path": "/photos", "fingerprint": "f1"}}
    assert source_of(old) == DataSource((Path("/photos"),))


def test_it_is_loaded_with_the_choice_of_classes(voc_folder: VocFolder) -> None:
    for i in range(6):
        voc_folder.pair(f"{i}", [(name, 4, 6, 30, 40) for name in ("cat", "dog")])
    dataset = DataSource((voc_folder.root,), ClassChoice(("dog",))).load()
    assert (dataset.classes, len(dataset.boxes), len(dataset.ignored)) == (("dog",), 6, 6)
