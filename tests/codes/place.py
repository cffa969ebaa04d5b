"""Where a fault is planted: a folder of photos, a command line, and what may be replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from folders import VocFolder


@dataclass
class Place:
    """An empty data folder, and the tools to plant a fault in it."""

    folder: VocFolder
    patch: pytest.MonkeyPatch

    @property
    def root(self) -> Path:
        return self.folder.root

    def cli(self, *words: object) -> str:
        """What `boxwright WORDS` prints, on both streams."""
        return CliRunner().invoke(app, [str(word) for word in words]).output

    def raise_instead(self, target: object, name: str, error: BaseException) -> None:
        """Have a function fail."""

        def fail(*_: object, **__: object) -> None:
            raise error

        self.patch.setattr(target, name, fail)


Plant = Callable[[Place], str]  # returns what is printed, or raises


def checked(plant: Callable[[VocFolder], object]) -> Plant:
    """What `boxwright check` prints about a folder with this fault."""

    def run(place: Place) -> str:
        plant(place.folder)
        return place.cli("check", place.root)

    return run


def raised(call: Callable[[Place], object]) -> Plant:
    """A call that raises."""

    def run(place: Place) -> str:
        call(place)
        raise AssertionError("nothing was raised")

    return run
