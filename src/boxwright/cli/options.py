"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from boxwright.datasets.class_choice import ClassChoice

Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="Class names for files that have none: one a line, or a label map.",
    ),
]

Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="NAMES",
        help="Use only these classes, separated by commas. Objects of others are ignored: they are "
        "neither objects nor background.",
    ),
]
ExcludeClass = Annotated[
    list[str] | None,
    typer.Option("--exclude-class", metavar="NAME", help="Ignore this class; may be repeated."),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        metavar="OLD=NEW",
        help="Rename a class; may be repeated. Classes of one new name become one.",
    ),
]


def class_choice(
    classes: list[str] | None, exclude: list[str] | None, rename: list[str] | None
) -> ClassChoice:
    """What the options `--classes`, `--exclude-class` and `--rename` say; raises
    `typer.BadParameter` if that makes no sense."""
    from boxwright.datasets.class_choice import ClassChoice

    if classes and exclude:
        raise typer.BadParameter("--classes and --exclude-class exclude each other.")
    names = [name.strip() for text in classes or () for name in text.split(",")]
    pairs = [pair.partition("=") for pair in rename or ()]
    for old, equals, new in pairs:
        if not (equals and old.strip() and new.strip()):
            raise typer.BadParameter(f"{old + equals + new!r} is not OLD=NEW.")
    renamed = {old.strip(): new.strip() for old, _, new in pairs}
    return ClassChoice(tuple(filter(None, names)), tuple(exclude or ()), renamed)


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
