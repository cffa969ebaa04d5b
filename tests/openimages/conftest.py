from __future__ import annotations

from pathlib import Path

import pytest
from world_of_images import World, make

from boxwright.openimages.sources import IMAGES_VARIABLE, LISTS_VARIABLE
from misbehaving import Server


@pytest.fixture
def world(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(LISTS_VARIABLE, server.url)
    monkeypatch.setenv(IMAGES_VARIABLE, f"{server.url}/bucket")
    return make(server, {"train": 60, "validation": 20, "test": 10})
