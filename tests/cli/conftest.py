"""Images to train on, and a stand-in for training."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import Asked

from folders import VocFolder


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    """Ten photos, without marks."""
    for i in range(10):
        voc_folder.pair(f"photo{i}")
    return voc_folder.root


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Nine images, each with two kinds of animals."""
    folder = VocFolder(tmp_path / "animals", made=100)  # of other looks than `images`
    for i in range(9):
        names = [["cat", "dog"], ["dog", "hen"], ["hen", "cat"]][i % 3]
        folder.pair(f"animal{i}", [(name, 4, 6, 30, 40) for name in names])
    return folder.root


@pytest.fixture
def asked() -> Asked:
    return Asked()
