"""Runs the commands, and reads what they made with TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from data_commands import Examples, Tfod

from boxwright.tfod.commands import named
from boxwright.tfod.flags import parse


@pytest.fixture
def tfod() -> Tfod:
    """`tfod(name, *words)` runs a command; returns what it says."""

    def run(name: str, *words: str | Path) -> list[str]:
        said: list[str] = []
        command = named(name)
        command.run(parse(command.Flags, list(map(str, words))).flags, said.append)
        return said

    return run


@pytest.fixture(scope="module")
def examples() -> Examples:
    """`examples(path)`: every feature of every Example of a record file, by TensorFlow."""
    tf = pytest.importorskip("tensorflow")

    def read(path: Path) -> list[dict[str, list[Any]]]:
        found = []
        for raw in tf.data.TFRecordDataset(str(path), buffer_size=1 << 20):
            features = tf.train.Example.FromString(raw.numpy()).features.feature
            found.append(
                {
                    key: list(getattr(feature, feature.WhichOneof("kind")).value)
                    for key, feature in features.items()
                }
            )
        return found

    return read
