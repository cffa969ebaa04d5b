"""`boxwright report`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Classes,
    ExcludeClass,
    Format,
    Labels,
    MaxPixels,
    Rename,
    Trust,
    UnlabeledImages,
    choice,
    class_choice,
    read_options,
    say_trusted,
)
from boxwright.console import plain, say, show, show_json
from boxwright.datasets.evaluation_set import ALL, SPLITS

if TYPE_CHECKING:
    from boxwright.report.run_report import Report


def report(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A run folder, or an exported file or folder. With --detections, the data.",
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DATA]...",
            help="A folder of labeled images, or several. [default: the validation images of the "
            "run]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html",
            help="The page to write. [default: report.html in the run folder, or in this folder]",
        ),
    ] = None,
    split: Annotated[
        str | None, choice([*SPLITS, ALL], help="The split of DATA to report. [default: test]")
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Report these detections of any tool instead of a model: COCO results, or a "
            "folder of VOC XML or YOLO files with scores."
        ),
    ] = None,
    slices: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file that divides the images: the first column names them, every other one "
            "is a property, such as weather."
        ),
    ] = None,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    labels: Labels = None,
    trust: Trust = False,
    json: Annotated[bool, typer.Option("--json", help="Print the content of report.json.")] = False,
) -> None:
    """Write all that is known about a detector as one HTML page.

    What happens at the score threshold, the data, the recipe with its reasons, curves, the kinds of
    mistakes and the worst images of each, parts of the images, leaks of the split, exported files
    and their times. Beside the page is a JSON file with the same content. Without DATA the
    validation images of the run are measured; a training writes this report. Test images are
    measured only with DATA.

    \b
    Examples:
      boxwright report run
      boxwright report run images
      boxwright report run/detector-int8.tflite images --out int8.html
      boxwright report run images --split val --slices weather.csv
      boxwright report images --detections results.json
    """
    from boxwright.cli.progress import counting
    from boxwright.report.run_report import report as write_report

    if trust:
        say_trusted(model)
    chosen = class_choice(classes, exclude_class, rename)
    with counting("Detecting objects") as progress:
        written = write_report(
            model,
            data or (),
            out=out,
            split=split,
            detections=detections,
            classes=chosen.classes,
            exclude=chosen.exclude,
            rename=chosen.rename,
            form=read_options(form, unlabeled, units, max_pixels),
            labels=labels,
            slices=slices,
            trust=trust,
            progress=progress,
        )
    if json:
        show_json(written.content)
    else:
        show(plain(written.says))
    say_written(written)


def say_written(written: Report) -> None:
    """Say where a report is, and what it took."""
    took = f"{written.size / 1e3:,.0f} kB, {written.seconds:.1f} s"
    say(f"Report: {plain(written.page)} ({took}), and {plain(written.json.name)} beside it")
    say(f"Open it in a browser: {plain(written.page.absolute().as_uri())}")
