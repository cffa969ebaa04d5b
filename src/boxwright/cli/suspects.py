"""`boxwright suspects`"""

from __future__ import annotations

from collections.abc import Iterator
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

if TYPE_CHECKING:
    from boxwright.suspects.suspects import Suspects


def suspects(
    data: TrainingData,
    out: Annotated[
        Path, typer.Option(metavar="PAGE.html", help="The page to write; the queue is beside it.")
    ] = Path("suspects.html"),
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Wall time of each of four trainings. [default: 1m]"),
    ] = None,
    steps: Steps = None,
    weights: Weights = None,
    model: Model = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Train nothing, and take these detections of any tool in the images, by detectors "
            "that did not learn from them: COCO results, or a folder of VOC XML or YOLO files with "
            "scores."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Random seed of folds and trainings.")
    ] = 0,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    labels: Labels = None,
    json: Annotated[bool, typer.Option("--json", help="Print the queue as JSON.")] = False,
) -> None:
    """Find labels that may be wrong: objects without a label, wrong classes, loose boxes.

    Four detectors are trained, each without a quarter of the images, and judge the labels that they
    did not learn from. Near-duplicates stay together. A page shows the likeliest mistakes of each
    kind, and a JSON file beside it has all of them, the likeliest first. DATA is not changed.

    \b
    Examples:
      boxwright suspects images
      boxwright suspects images --budget 3m --out review.html
      boxwright suspects images --detections results.json --json
    """
    from boxwright.cli.progress import counting
    from boxwright.inference.class_names import read_names
    from boxwright.report.html import check_pair
    from boxwright.suspects.queue import FORMAT
    from boxwright.suspects.suspects import suspects as find

    check_pair(out, FORMAT)  # fail at once, not after minutes of training
    chosen = class_choice(classes, exclude_class, rename)
    with counting("Comparing images") as progress:
        found = find(
            data,
            budget=budget,
            steps=steps,
            weights=weights,
            model=model,
            detections=detections,
            classes=chosen.classes,
            exclude=chosen.exclude,
            rename=chosen.rename,
            form=read_options(form, unlabeled, units, max_pixels),
            labels=read_names(labels) if labels else None,
            seed=seed,
            tell=lambda text: say(plain(text)),
            progress=progress,
        )
    if json:
        show_json(found.to_json())
    else:
        for line in _lines(found):
            show(line)
    written = found.write(out)
    say(f"Page: {plain(written.page)} ({written.size / 1e6:.1f} MB)")
    say(f"Queue: {plain(written.queue)}, all suspects, the likeliest first")
    say(f"Open the page in a browser: {plain(written.page.absolute().as_uri())}")


def _lines(found: Suspects) -> Iterator[str]:
    """How many suspects there are, the likeliest of each kind, and what to do."""
    from boxwright.cli.describe import described
    from boxwright.suspects.page import said
    from boxwright.suspects.scoring import KINDS

    yield from map(plain, found.notes)
    yield plain(said(found.images, found.ranked))
    if found.agreement:
        yield plain(str(found.agreement))
    for some in filter(None, map(found.of_kind, KINDS)):
        yield from described([one.finding(found.images) for one in some])
