"""The commands: each is a module of this package with `Flags` and `run`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol

import typer

from boxwright.console import any_encoding, guarded, plain, say
from boxwright.errors import FlagError
from boxwright.structures.labels import closest_name
from boxwright.tfod.flags import FlagClass, help_text, parse, wants_help

COMMANDS = (
    "create_pascal_tf_record",
    "create_pet_tf_record",
    "eval",
    "export_inference_graph",
    "export_tflite_ssd_graph",
    "generate_tfrecords",
    "model_builder_test",
    "model_main",
    "sample_config",
    "script",
    "toco",
    "train",
    "xml_to_csv",
)

Say = Callable[[str], None]  # takes a line for standard output


class Command(Protocol):
    """What the module of a command offers."""

    Flags: type[FlagClass]

    def run(self, flags: Any, say: Say) -> None:
        """Do what the original does. `flags` are of the class `Flags`."""


def named(name: str) -> Command:
    """The command of a name; a script's path, as tutorials print it, will do as well.

    Raises:
        FlagError: BW701 there is no such command.
    """
    script = PurePosixPath(name.replace("\\", "/")).name.removesuffix(".py")
    if script not in COMMANDS:
        near = closest_name(script, COMMANDS)
        raise FlagError(
            "BW701",
            f"there is no command '{script}'.",
            nearest=near,
            choices=", ".join(COMMANDS),
        )
    command: Command = import_module(f"boxwright.tfod.{script}")
    return command


def run_line(words: Sequence[str]) -> None:
    """Run a command line: a command's name and its flags.

    Raises:
        FlagError: BW701 to BW704 it is not understood.
        BoxwrightError: what the command itself raises.
    """
    command = named(words[0])
    if wants_help(words[1:]):
        typer.echo(help_text(command.Flags))
        return
    line = parse(command.Flags, words[1:])
    for hint in line.hints:
        say("[yellow]hint[/] ", plain(hint))
    if line.hints:
        quoted = [f'"{word}"' if " " in word else word for word in line.words]
        corrected = " ".join(["boxwright tfod", command.Flags.NAME, *quoted])
        say("[yellow]hint[/] ", f"The line as it should be: {plain(corrected)}")
    command.run(line.flags, typer.echo)


def main(name: str) -> None:
    """`python -m boxwright.tfod.NAME`: the same as `boxwright tfod NAME`."""
    any_encoding()
    guarded(run_line)([name, *sys.argv[1:]])
