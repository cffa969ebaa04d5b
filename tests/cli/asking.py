"""`boxwright train`, asked with something else in place of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from boxwright.api import Run, load
from boxwright.cli.main import app
from boxwright.training.events import Note


def run(*arguments: str | Path, trains: Any = None) -> Result:
    """The command, with `trains` in place of the training if it is given."""
    return CliRunner().invoke(app, ["train", *map(str, arguments)], obj=trains)


class Asked:
    """Stands in for training: remembers what it was asked for and does what it was told."""

    def __init__(self) -> None:
        self.data: list[Path] = []
        self.options: dict[str, Any] = {}
        self.validation: Any = None
        self.interrupted = False
        self.raises: BaseException | None = None

    def run(self, *arguments: str | Path) -> Result:
        return run(*arguments, trains=self)

    def __call__(self, data: list[Path], **options: Any) -> Run:
        self.data, self.options = data, options
        options["on_event"](Note("what the run has to [say]"))
        if self.raises:
            raise self.raises
        paths = tuple(data)
        return Run(options["out"], load(paths), 7, self.validation, self.interrupted, paths)
