"""`boxwright tfod`"""

from __future__ import annotations

from typing import Annotated

import typer

# All that follows NAME goes to the command as it stands, --help included.
PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def tfod(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME FLAGS]", help="A command and its flags; none lists all."),
    ] = None,
) -> None:
    """Run a command of the TensorFlow Object Detection API's tutorials, with its own flags.

    In a line that a tutorial prints, `boxwright tfod` takes the place of `python`; a path to the
    script may stay. `boxwright tfod NAME --help` explains a command's flags.

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
        typer.echo(f"{name:<26}{(named(name).Flags.__doc__ or '').splitlines()[0]}")
