"""The law of reading: a box is on its own image or named; background loses nothing."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from worlds import WRITERS, World, worlds, write

EXAMPLES = 60


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_every_label_is_on_its_own_image_or_named(form: str, data: st.DataObject) -> None:
    check_world(data.draw(worlds(form)))


def check_world(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(world, Path(folder))
        try:
            dataset = formats.read(folder, tolerant=True)
        except DataError:
            return  # nothing is read, and the error says why
    assert broken_laws(world, dataset) == []


def broken_laws(world: World, dataset: Dataset) -> list[str]:
    """What is wrong with a dataset that was read from a world."""
    now = {world.place(shot): shot for shot in world.shots if shot.now}
    said = [_plain(f"{one.where} {one.message}") for one in dataset.findings]
    used = {}
    problems = []
    for i, name in enumerate(dataset.names):
        shot = now[name]
        classes = [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]]
        used[shot.path] = len(classes)
        problems += [f"{name} has a box of {own}" for own in classes if own != shot.path]
        if not classes and shot.boxes:
            problems.append(f"{name} is background, but has {shot.boxes} boxes")
    for shot in world.labeled():
        if world.form == "yolo" and not shot.boxes:
            continue  # an empty text file somewhere is not known to be a label
        named = any(_plain(name) in text for text in said for name in (shot.stem, shot.name))
        if used.get(shot.path, -1) != shot.boxes and not named:
            problems.append(f"the label of {shot.path} is neither used nor named: {said}")
    return problems


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unquote(text.replace("\\", "/")))
