"""`boxwright forecast`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Classes,
    ExcludeClass,
    Format,
    MaxPixels,
    Model,
    Rename,
    Steps,
    TrainingData,
    UnlabeledImages,
    Weights,
    class_choice,
    read_options,
)
from boxwright.console import plain, say, show, show_json
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from boxwright.learning_curve.forecast import Forecast


def forecast(
    data: TrainingData,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Wall time of each of eight trainings. [default: 1m]"),
    ] = None,
    steps: Steps = None,
    weights: Weights = None,
    model: Model = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Random seed of parts and trainings.")
    ] = 0,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
) -> None:
    """Forecast the AP with twice the training images, to decide whether to label more.

    Eight detectors are trained: on the four quarters of the training images, on two halves, and
    twice on all. Each is measured on the test images. It says first how long that takes; Ctrl-C
    ends it. The forecast goes one doubling ahead and no farther.

    \b
    Examples:
      boxwright forecast images
      boxwright forecast images --budget 30s --json
    """
    from boxwright.learning_curve.forecast import forecast as foresee

    chosen = class_choice(classes, exclude_class, rename)
    foreseen = foresee(
        data,
        budget=budget,
        steps=steps,
        weights=weights,
        model=model,
        classes=chosen.classes,
        exclude=chosen.exclude,
        rename=chosen.rename,
        form=read_options(form, unlabeled, units, max_pixels),
        seed=seed,
        tell=lambda text: say(plain(text)),
    )
    if json:
        show_json(foreseen.to_json())
        return
    _show(foreseen)
    words = " ".join(quoted(path) for path in data)
    say(f"[dim]Repair the labels first, it costs less: boxwright suspects {plain(words)}[/]")


def _show(foreseen: Forecast) -> None:
    """The curve as a table, the forecast, and how far to trust it."""
    from boxwright.learning_curve.extrapolation import LEVEL

    sizes = dict.fromkeys(point.images for point in foreseen.points)
    show("[bold]images  AP of each training[/]")
    for size in sorted(sizes):
        values = [point.ap for point in foreseen.points if point.images == size]
        show(f"{size:6}  {'  '.join(f'{value:.3f}' for value in values)}")
    show("")
    show(plain(str(foreseen)))
    low, high = foreseen.gain
    verdict = f"Twice the images would change AP by {low:+.3f} to {high:+.3f}"
    show(f"{verdict} ({LEVEL:.0%} interval), on these {foreseen.test_images} test images.")
    show(
        f"Trainings of the same size differ by {foreseen.twice.spread:.3f} (standard deviation), "
        "by their images and seeds alone."
    )
