"""`boxwright evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import Labels, choice
from boxwright.console import show, show_json
from boxwright.datasets.evaluation_set import ALL, SPLITS, images_of_split


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of labelled photos.")],
    split: Annotated[str, choice([*SPLITS, ALL], help="Which photos to measure on.")] = "test",
    labels: Labels = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a detector on labelled photos.

    Prints COCO's twelve numbers, VOC AP50, AP per class, how far the numbers can be trusted, and
    what one constant box would reach on the same photos.

    \b
    Examples:
      boxwright evaluate run photos
      boxwright evaluate run/detector.tflite photos --split val --json
      boxwright evaluate run other-photos --split all
      boxwright evaluate coco.tflite photos --labels labels.txt
    """
    from boxwright import api
    from boxwright.cli.progress import counting
    from boxwright.evaluation import coco, report
    from boxwright.evaluation.bootstrap import constant_box
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector

    detector = Detector.load(model, classes=read_names(labels) if labels else None)
    dataset = api.load(data)
    with counting("Looking at photos") as progress:
        evaluation = api.evaluate(detector, dataset, split=split, progress=progress)
    if json:
        show_json({"model": str(model), "data": str(data), "split": split} | evaluation.to_json())
        return
    images, train = images_of_split(dataset, split), dataset.split("train")
    control = coco.evaluate(images, constant_box(train, images), resamples=0)
    show(report.table(evaluation, control=control if len(train.boxes) else None))
