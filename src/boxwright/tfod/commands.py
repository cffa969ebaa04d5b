"""Registry and entry point of the commands. Each is a module with `Flags` and `run`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol

from boxwright.console import echo, guarded, plain, prepare_streams, say
from boxwright.errors import FlagError
from boxwright.structures.labels import closest_name
from boxwright.tfod.flags import FlagClass, help_text, parse, wants_help

COMMANDS = (
    "create_coco_tf_record",
    "create_csv",
    "create_pascal_tf_record",
    "create_pet_tf_record",
    "doctor",
    "eval",
    "export_inference_graph",
    "export_tflite_graph_tf2",
    "export_tflite_ssd_graph",
    "exporter_main_v2",
    "generate_tfrecords",
    "model_builder_test",
    "model_main",
    "model_main_tf2",
    "oidv4",
    "partition_dataset",
    "sample_config",
    "script",
    "toco",
    "train",
    "train_val_test_split",
    "xml_to_csv",
)
ALSO = {  # other names of the scripts
    "create_helmet_tf_record": "create_pascal_tf_record",
    "create_tfrecord": "generate_tfrecords",
    "generate_tfrecord": "generate_tfrecords",
    "main": "oidv4",
    "model_builder_tf2_test": "model_builder_test",
    "tflite_convert": "toco",
}

Say = Callable[[str], None]  # prints a line to standard output


class Command(Protocol):
    """Interface of a command's module."""

    Flags: type[FlagClass]

    def run(self, flags: Any, say: Say) -> None:
        """Run the command. `flags` is an instance of the class `Flags`."""


def named(name: str) -> Command:
    """Return the command with this name. A script's path or module, as in tutorials, works too.

    Raises:
        FlagError: BW701 unknown command.
    """
    script = PurePosixPath(name.replace("\\", "/")).name.removesuffix(".py").rpartition(".")[2]
    script = ALSO.get(script, script)
    if script not in COMMANDS:
        near = closest_name(script, [*COMMANDS, *ALSO])
        raise FlagError(
            "BW701",
            f"unknown command '{script}'.",
            nearest=near,
            choices=", ".join(COMMANDS),
        )
    command: Command = import_module(f"boxwright.tfod.{script}")
    return command


def run_line(words: Sequence[str]) -> None:
    """Run a command line: the name of a command, then its flags. A `-m` before it is skipped.

    Raises:
        FlagError: BW701 to BW704 the command line is invalid.
        BoxwrightError: any error of the command itself.
    """
    if words[0] == "-m" and len(words) > 1:
        words = words[1:]
    command = named(words[0])
    if wants_help(words[1:]):
        echo(help_text(command.Flags))
        return
    line = parse(command.Flags, words[1:])
    for hint in line.hints:
        say("[yellow]hint[/] ", plain(hint))
    if line.hints:
        quoted = [f'"{word}"' if " " in word else word for word in line.words]
        corrected = " ".join(["boxwright tfod", command.Flags.NAME, *quoted])
        say("[yellow]hint[/] ", f"Corrected command: {plain(corrected)}")
    command.run(line.flags, echo)


def main(name: str) -> None:
    """Entry point of `python -m boxwright.tfod.NAME`, same as `boxwright tfod NAME`."""
    prepare_streams()
    guarded(run_line)([name, *sys.argv[1:]])
