"""`boxwright evaluate`"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Classes,
    ExcludeClass,
    Format,
    KeepGoing,
    Labels,
    MaxPixels,
    On,
    Overlap,
    Rename,
    Tile,
    Trust,
    UnlabeledImages,
    choice,
    class_choice,
    read_options,
    say_trusted,
    with_tiles,
)
from boxwright.console import plain, say, show, show_json
from boxwright.datasets.evaluation_set import ALL, SPLITS
from boxwright.errors import ArgumentError
from boxwright.parallel.choice import LOCAL

if TYPE_CHECKING:
    from boxwright.evaluation.numbers import Numbers
    from boxwright.structures.dataset import Dataset
    from boxwright.structures.detections import Detections


def evaluate(
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
            help="A folder of labeled images, or several. [default: those of the run]",
        ),
    ] = None,
    split: Annotated[str, choice([*SPLITS, ALL], help="The split to evaluate on.")] = "test",
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Evaluate these detections of any tool instead of a model: COCO results, or a "
            "folder of VOC XML or YOLO files with scores."
        ),
    ] = None,
    aim: Annotated[
        str | None,
        typer.Option(
            metavar="f1|precision=P|recall=R",
            help="Choose the score threshold on the validation images, never on those that are "
            "reported. [default: the model's own]",
        ),
    ] = None,
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Choose a threshold for each class, with --aim.")
    ] = False,
    folds: Annotated[
        bool,
        typer.Option(
            "--folds",
            help="Without validation images, train on three folds of the training images to "
            "choose the threshold of --aim. Takes as long as three trainings.",
        ),
    ] = False,
    save_threshold: Annotated[
        bool, typer.Option("--save-threshold", help="Store the chosen threshold in the run.")
    ] = False,
    confusion: Annotated[
        Path | None, typer.Option(help="Draw the confusion matrix into this PNG file.")
    ] = None,
    slices: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file that divides the images: the first column names them, every other one "
            "is a property, such as weather."
        ),
    ] = None,
    hierarchy: Annotated[
        Path | None,
        typer.Option(help="The class hierarchy of Open Images, JSON with the data's class names."),
    ] = None,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    labels: Labels = None,
    tile: Tile = None,
    overlap: Overlap = 0.2,
    trust: Trust = False,
    on: On = "local",
    keep_going: KeepGoing = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print all numbers as JSON instead of a summary.")
    ] = False,
) -> None:
    """Evaluate a detector on labeled images.

    Prints what happens at the score threshold, the COCO metrics with intervals, and the costliest
    kind of mistake. --json has all numbers: curves, kinds of mistakes, calibration, slices. Objects
    of classes that were excluded from training are ignored here too, unless --classes,
    --exclude-class or --rename override that.

    \b
    Examples:
      boxwright evaluate run images
      boxwright evaluate run/detector.tflite images --split val --json
      boxwright evaluate run other-images --split all
      boxwright evaluate run monday tuesday --exclude-class dog
      boxwright evaluate coco.tflite images --labels labels.txt
      boxwright evaluate run images --aim precision=.95 --save-threshold
      boxwright evaluate images --detections results.json --confusion confusion.png
      boxwright evaluate /shared/run /shared/images --on ray=10.0.0.1:6379
    """
    from boxwright.cli.progress import counting, working
    from boxwright.datasets.describe import counted
    from boxwright.datasets.evaluation_set import evaluation_data
    from boxwright.datasets.source import known_paths
    from boxwright.evaluation import measuring, report
    from boxwright.evaluation.numbers import How
    from boxwright.evaluation.openimages import read_hierarchy
    from boxwright.evaluation.threshold import Aim
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector
    from boxwright.inference.run import Run

    if (per_class or folds or save_threshold) and aim is None:
        raise ArgumentError("BW802", "--per-class, --folds and --save-threshold need --aim.")
    if (folds or save_threshold) and detections:
        raise ArgumentError("BW802", "--folds and --save-threshold need a run, not --detections.")
    if detections and (on != LOCAL or keep_going):
        raise ArgumentError("BW802", "--on and --keep-going need a model, not --detections.")
    options = measuring.Options(
        None if aim is None else Aim.parse(aim),
        per_class,
        _in_folds(model) if folds else None,
        How(table=slices, above=read_hierarchy(hierarchy) if hierarchy else None),
    )
    names = read_names(labels) if labels else None
    if trust:
        say_trusted(model)
    if detections is None:
        detector = with_tiles(Detector.load(model, classes=names, trust=trust), tile, overlap)
        provenance, paths = detector.artifact.provenance, tuple(data or ())
    else:
        provenance, paths = {}, (model, *(data or ()))
    chosen = class_choice(classes, exclude_class, rename)
    dataset = evaluation_data(
        provenance, paths, chosen, read_options(form, unlabeled, units, max_pixels)
    )
    if len(dataset.ignored):
        say(plain(counted(dataset)))
    source: measuring.Source
    if detections is None:
        source = detector
    else:
        source = given = measuring.foreign(detections, dataset, paths, names or ())
        if note := given.note():
            say(plain(note))
    with working(on, keep_going=keep_going) as executor, counting("Detecting objects") as progress:
        measured = measuring.measure(source, dataset, split, options, progress, executor)
    if confusion:
        _draw(measured, confusion)
    if save_threshold:
        measuring.save_threshold(model, measured.threshold)
    if json:
        where = [str(path) for path in paths or known_paths(provenance)]
        shown = {"model": str(detections or model), "data": where[0] if len(where) == 1 else where}
        show_json({**shown, "split": split} | measured.to_json())
        return
    show(report.table(measured, report.how_to_validate(dataset, is_run=Run(model).exists())))


def _in_folds(model: Path) -> Callable[[Dataset], Sequence[Detections]]:
    """What detects in training images without having learned from them."""
    from boxwright.training.folds import out_of_fold

    return partial(out_of_fold, model, tell=lambda text: say(plain(text)))


def _draw(measured: Numbers, target: Path) -> None:
    """Write the picture of the confusion matrix."""
    from boxwright.evaluation.confusion import BACKGROUND
    from boxwright.io.files import writing
    from boxwright.visualize.matrix import matrix

    confusion, threshold = measured.confusion, measured.threshold
    limits = (
        "thresholds by class" if threshold.per_class else f"score of at least {threshold.value:g}"
    )
    picture = matrix(
        confusion.counts,
        [*confusion.classes, BACKGROUND],
        title="Confusion matrix",
        rows="truth",
        columns="detected",
        notes=(
            f"Pairs with an IoU of at least {confusion.iou:g}, one to one, regardless of class; "
            f"{limits}.",
            "Last column: missed. Last row: false alarms. A cell is as dark as its part of a row.",
        ),
    )
    with writing(target) as draft:
        picture.save(draft, "PNG")
