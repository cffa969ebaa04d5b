"""`boxwright tfod`"""

from __future__ import annotations

from typing import Annotated

import typer

from boxwright.console import echo

# Everything after NAME is passed to the command unchanged, including --help.
PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def tfod(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME FLAGS]", help="A command and its flags. [default: list the commands]"
        ),
    ] = None,
) -> None:
    """Run a command from tutorials of the TensorFlow Object Detection API, with its own flags.

    In a tutorial's command line, replace `python` by `boxwright tfod`; the path of the script may
    stay. `boxwright tfod NAME --help` explains a command's flags.

    \b
    Examples:
      boxwright tfod
      boxwright tfod xml_to_csv -i images/train -o annotations/train_labels.csv
      boxwright tfod model_builder_test
    """
    from boxwright.tfod.commands import COMMANDS, named, run_line

    if words:
        run_line(words)
        return
    for name in COMMANDS:
        echo(f"{name:<26}{(named(name).Flags.__doc__ or '').splitlines()[0]}")
