"""`boxwright diagnose`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Format,
    Labels,
    MaxPixels,
    Rename,
    Trust,
    UnlabeledImages,
    class_choice,
    read_options,
    say_trusted,
)
from boxwright.console import FAILED, plain, show, show_json
from boxwright.structures.findings import counted

if TYPE_CHECKING:
    from boxwright.diagnosis.diagnose import Diagnosis

SIGNS = {
    "passed": "[green]passed[/]",
    "failed": "[bold red]FAILED[/]",
    "not checked": "[yellow]not checked[/]",
    "not reached": "[dim]not reached[/]",
}


def diagnose(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DATA]...",
            help="A folder of labeled images, or several. [default: those of the run]",
        ),
    ] = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    labels: Labels = None,
    trust: Trust = False,
    json: Annotated[bool, typer.Option("--json", help="Print all measurements as JSON.")] = False,
) -> None:
    """Find out why a detector finds nothing, or nothing good.

    Ten questions are answered by measurements, one after the other: the first rung that fails is
    the answer. It takes one to two minutes. For an exported file, questions about the training are
    not checked; give the run folder for those. The exit code is 1 if a fault was found.

    \b
    Examples:
      boxwright diagnose run
      boxwright diagnose run other-images
      boxwright diagnose run/detector-int8.tflite images
      boxwright diagnose coco.tflite images --labels labels.txt --json
    """
    from boxwright.cli.progress import stating
    from boxwright.diagnosis.diagnose import diagnose as climb
    from boxwright.inference.class_names import read_names

    if trust:
        say_trusted(model)
    with stating() as progress:
        diagnosis = climb(
            model,
            data or (),
            rename=class_choice(None, None, rename).rename,
            form=read_options(form, unlabeled, units, max_pixels),
            labels=read_names(labels) if labels else None,
            trust=trust,
            progress=progress,
        )
    if json:
        show_json(diagnosis.to_json())
    else:
        _show(diagnosis)
    if diagnosis.fault:
        raise typer.Exit(FAILED)


def _show(diagnosis: Diagnosis) -> None:
    """Every rung with its measurement, then the answer and what to do."""
    for step in diagnosis.steps:
        show(f"{SIGNS[step.reading.status]} {plain(step.question)}")
        if step.reading.found:
            show(f"    {plain(step.reading.found)}")
    show("")
    if diagnosis.fault:
        reading = diagnosis.fault.reading
        show(f"[bold red]{plain(_sentence(reading.cause))}[/]")
        measured, limit = reading.measured or 0.0, reading.limit or 0.0
        show(plain(f"Measured {measured:.3g}, limit {limit:.3g}: {reading.why}."))
        show(f"[dim]->[/] {plain(reading.remedy)}")
        return
    show(f"[bold]{plain(_sentence(str(diagnosis)))}[/]")
    if diagnosis.agreement:
        images = counted(diagnosis.images, "image")
        show(f"AP50 {diagnosis.agreement.ap50:.2f} on {images}, whatever the classes.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
