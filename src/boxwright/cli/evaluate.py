"""`boxwright evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import Classes, ExcludeClass, Labels, Rename, choice, class_choice
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
            help="A folder of labelled images, or several. [default: those of the run]",
        ),
    ] = None,
    split: Annotated[str, choice([*SPLITS, ALL], help="Which photos to measure on.")] = "test",
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    labels: Labels = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a detector on labelled photos.

    Prints COCO's twelve numbers, VOC AP50, AP per class, how far the numbers can be trusted, and
    what one constant box would reach on the same photos. Objects of classes that were left out of
    the training are ignored here too, unless --classes, --exclude-class or --rename say otherwise.

    \b
    Examples:
      boxwright evaluate run photos
      boxwright evaluate run/detector.tflite photos --split val --json
      boxwright evaluate run other-photos --split all
      boxwright evaluate run monday tuesday --exclude-class dog
      boxwright evaluate coco.tflite photos --labels labels.txt
    """
    from boxwright.cli.describe import counted
    from boxwright.cli.progress import counting
    from boxwright.datasets.source import DataSource, choice_of, source_of
    from boxwright.evaluation import coco, report
    from boxwright.evaluation.bootstrap import constant_box
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector

    detector = Detector.load(model, classes=read_names(labels) if labels else None)
    origin = detector.artifact.provenance
    known = source_of(origin)
    paths = data or (known.paths if known else ())
    if not paths:
        raise typer.BadParameter("Missing argument 'DATA': the detector names no folder.")
    chosen = class_choice(classes, exclude_class, rename)
    dataset = DataSource(tuple(paths), chosen or choice_of(origin)).load(strict=bool(chosen))
    if len(dataset.ignored):
        say(plain(counted(dataset)))
    images = images_of_split(dataset, split)
    found = []
    with counting("Looking at photos") as progress:
        for one in detector.predict_many(images.image(i) for i in range(len(images))):
            found.append(one)
            progress(len(found), len(images))
    evaluation = coco.evaluate(images, found)
    if json:
        where = [str(path) for path in paths]
        data_said = where[0] if len(where) == 1 else where
        show_json({"model": str(model), "data": data_said, "split": split} | evaluation.to_json())
        return
    train = dataset.split("train")
    control = coco.evaluate(images, constant_box(train, images), resamples=0)
    show(report.table(evaluation, control=control if len(train.boxes) else None))
