"""The commands: each is a module of this package with `Flags` and `run`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol

from boxwright.errors import FlagError
from boxwright.structures.labels import closest_name
from boxwright.tfod.flags import FlagClass

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
