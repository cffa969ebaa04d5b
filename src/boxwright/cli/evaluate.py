"""`boxwright evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from boxwright.datasets.evaluation_set import ALL, SPLITS, images_of_split


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DATA]...",
            help="A folder of labeled images, or several. [default: those of the run]",
        ),
    ] = None,
    split: Annotated[str, choice([*SPLITS, ALL], help="The split to evaluate on.")] = "test",
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    labels: Labels = None,
    trust: Trust = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Evaluate a detector on labeled images.

    Prints all 12 COCO metrics, VOC AP50, AP per class, confidence intervals, and the metrics of
    a baseline that predicts one constant box. Objects of classes that were excluded from training
    are ignored here too, unless --classes, --exclude-class or --rename override that.

    \b
    Examples:
      boxwright evaluate run images
      boxwright evaluate run/detector.tflite images --split val --json
      boxwright evaluate run other-images --split all
      boxwright evaluate run monday tuesday --exclude-class dog
      boxwright evaluate coco.tflite images --labels labels.txt
    """
    from boxwright import api
    from boxwright.cli.progress import counting
    from boxwright.datasets.describe import counted
    from boxwright.datasets.evaluation_set import evaluation_data
    from boxwright.datasets.source import known_paths
    from boxwright.evaluation import coco, report
    from boxwright.evaluation.bootstrap import constant_box
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector

    names = read_names(labels) if labels else None
    if trust:
        say_trusted(model)
    detector = Detector.load(model, classes=names, trust=trust)
    provenance = detector.artifact.provenance
    chosen = class_choice(classes, exclude_class, rename)
    options = read_options(form, unlabeled, units, max_pixels)
    dataset = evaluation_data(provenance, tuple(data or ()), chosen, options)
    if len(dataset.ignored):
        say(plain(counted(dataset)))
    images = images_of_split(dataset, split)
    with counting("Detecting objects") as progress:
        evaluation = api.measured(detector, images, progress)
    if json:
        where = [str(path) for path in data or known_paths(provenance)]
        data_said = where[0] if len(where) == 1 else where
        show_json({"model": str(model), "data": data_said, "split": split} | evaluation.to_json())
        return
    train = dataset.split("train")
    control = coco.evaluate(images, constant_box(train, images), resamples=0)
    show(report.table(evaluation, control=control if len(train.boxes) else None))
