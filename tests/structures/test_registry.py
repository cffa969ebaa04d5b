"""Registry: names cost nothing, and a row's place is imported when the row is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxwright.structures.registry import Registry

pytestmark = pytest.mark.tiny


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    (tmp_path / "rowed.py").write_text("ROW = object()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rowed", raising=False)
    return Registry({"thing": 1.5, "module": "rowed", "name": "rowed:ROW"})


def test_names_are_listed_without_an_import(registry: Registry[object]) -> None:
    assert list(registry) == ["thing", "module", "name"]
    assert len(registry) == 3
    assert "module" in registry
    assert "other" not in registry
    assert "rowed" not in sys.modules


def test_a_row_is_the_thing_or_what_is_at_its_place(registry: Registry[object]) -> None:
    assert registry["thing"] == 1.5
    assert registry["name"] is registry["name"]
    assert registry["module"] is sys.modules["rowed"]
    assert registry["name"] is sys.modules["rowed"].ROW


def test_a_row_is_added_from_anywhere(registry: Registry[object]) -> None:
    registry["more"] = "rowed:ROW"
    assert list(registry)[-1] == "more"
    assert registry["more"] is registry["name"]
    del registry["more"]
    assert "more" not in registry
    with pytest.raises(KeyError):
        registry["more"]
