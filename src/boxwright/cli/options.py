"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        "--classes",
        help="Class names for files that have none: one a line, or a label map.",
    ),
]


def choice(names: Collection[str], *declarations: str, help: str) -> Any:
    """An option whose value is one of the names of a registry or of a Literal.

    Args:
        names: what can be chosen; names that a registry is given later are accepted too.
        declarations: how the option is written, such as `--from`; the parameter's name if none.
        help: what it is for.
    """

    def name(text: str) -> str:
        if text not in names:
            listed = ", ".join(repr(each) for each in names)
            raise typer.BadParameter(f"{text!r} is not one of {listed}.")
        return text

    return typer.Option(*declarations, metavar=f"<{'|'.join(names)}>", parser=name, help=help)
