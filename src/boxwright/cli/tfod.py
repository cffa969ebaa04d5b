"""`boxwright tfod`"""

from __future__ import annotations

from typing import Annotated

import typer

from boxwright.cli.console import plain, say

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
    from boxwright.tfod.commands import COMMANDS, named
    from boxwright.tfod.flags import help_text, parse, wants_help

    if not words:
        for name in COMMANDS:
            typer.echo(f"{name:<26}{(named(name).Flags.__doc__ or '').splitlines()[0]}")
        return
    command = named(words[0])
    if wants_help(words[1:]):
        typer.echo(help_text(command.Flags))
        return
    line = parse(command.Flags, words[1:])
    for hint in line.hints:
        say("[yellow]hint[/] ", plain(hint))
    if line.hints:
        words = [f'"{word}"' if " " in word else word for word in line.words]
        corrected = " ".join(["boxwright tfod", command.Flags.NAME, *words])
        say("[yellow]hint[/] ", f"The line as it should be: {plain(corrected)}")
    command.run(line.flags, typer.echo)
