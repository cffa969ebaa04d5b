"""`boxwright compare`"""

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
    from boxwright.evaluation.comparison import Comparison

BETWEEN = "vs"  # a file of this name is ./vs


def compare(
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C]... | A... vs B...",
            help="Run folders, exported files, or detections of any tool: COCO results, a folder "
            "of VOC XML or YOLO files with scores. With `vs` between them, those before and after "
            "it are several trainings of one side.",
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="A folder of labeled images; may be repeated. [default: those of the runs]",
        ),
    ] = None,
    split: Annotated[str, choice([*SPLITS, ALL], help="The split to compare on.")] = "test",
    aim: Annotated[
        str | None,
        typer.Option(
            metavar="f1|precision=P|recall=R",
            help="Choose every score threshold on the validation images. [default: the detectors' "
            "own, 0.5 for detections]",
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the images on which they differ into this PNG file."),
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
    json: Annotated[
        bool, typer.Option("--json", help="Print all numbers as JSON instead of a summary.")
    ] = False,
) -> None:
    """Compare detectors on the same images: is one of them better?

    Every side is compared with the first one, A: differences in AP, AP50 and the numbers at each
    side's threshold, with intervals from a paired bootstrap over images. The verdict is about AP.
    With one training on each side it is about these detectors; with several, separated by `vs`, it
    is about their recipes.

    \b
    Examples:
      boxwright compare old-run new-run
      boxwright compare run run/detector-int8.tflite other.tflite
      boxwright compare old-run results.json --data images --picture differences.png
      boxwright compare old-1 old-2 old-3 vs new-1 new-2 new-3
      boxwright compare old-run new-run --aim precision=.95 --json
    """
    from boxwright.cli.progress import counting
    from boxwright.evaluation.comparing import compare
    from boxwright.evaluation.comparison_report import table
    from boxwright.inference.class_names import read_names
    from boxwright.inference.file_kinds import is_detector

    groups = _grouped(sides)
    if trust:
        say_trusted(*filter(is_detector, (Path(one) for group in groups for one in group)))
    chosen = class_choice(classes, exclude_class, rename)
    with counting("Detecting objects") as progress:
        comparison = compare(
            *groups,
            data=data or (),
            split=split,
            classes=chosen.classes,
            exclude=chosen.exclude,
            rename=chosen.rename,
            form=read_options(form, unlabeled, units, max_pixels),
            labels=read_names(labels) if labels else None,
            aim=aim,
            trust=trust,
            progress=progress,
        )
    if json:
        show_json(comparison.to_json())
    else:
        show(table(comparison))
    if picture:
        _draw(comparison, picture)
    else:
        say("[dim]To see the images on which they differ, add --picture differences.png.[/]")


def _grouped(words: list[str]) -> list[list[str]]:
    """The members of each side: every word is a side, or those between two `vs` together."""
    if BETWEEN not in words:
        return [[word] for word in words]
    groups: list[list[str]] = [[]]
    for word in words:
        if word == BETWEEN:
            groups.append([])
        else:
            groups[-1].append(word)
    if not all(groups):
        raise typer.BadParameter(f"a side is missing beside '{BETWEEN}'.")
    return groups


def _draw(comparison: Comparison, target: Path) -> None:
    """Write the picture of the images on which the sides differ."""
    from boxwright.evaluation.side_by_side import side_by_side
    from boxwright.io.files import writing

    drawn = side_by_side(comparison)
    if drawn is None:
        say("They make the same number of mistakes in every image: there is nothing to draw.")
        return
    with writing(target) as draft:
        drawn.save(draft, "PNG")
    say(f"Dashed boxes are the truth: [bold]{plain(target)}[/]")
