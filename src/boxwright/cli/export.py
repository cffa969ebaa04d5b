"""`boxwright export`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from boxwright.cli.options import choice
from boxwright.console import plain, say, show, show_json
from boxwright.export.targets import TARGETS, Quantized
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.export.verify import Comparison


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder that `boxwright train` wrote.")
    ],
    to: Annotated[str, choice(TARGETS, help="The target format.")] = "tflite",
    out: Annotated[
        Path | None, typer.Option(help="File or folder to write. [default: inside the run]")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labeled images for calibration and verification. [default: those of the run]"
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        choice(
            get_args(Quantized),
            help="Quantization, for .tflite: int8 is more than twice as fast and about a quarter "
            "of the size, fp16 is half the size, dynamic stores int8 weights and computes in "
            "float.",
        ),
    ] = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Keep the file even if it loses accuracy.")
    ] = False,
    golden_image: Annotated[
        Path | None,
        typer.Option(
            help="An image to store in the file, which is checked with it on loading. "
            "[default: a drawn pattern]"
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="End the .onnx before suppression, with all boxes and scores: for OpenCV 4, "
            "TensorRT and other programs that lack NonMaxSuppression.",
        ),
    ] = False,
    max_detections: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Rows of the outputs, for programs with arrays of a fixed size.",
        ),
    ] = 100,
    serving: Annotated[
        Path | None,
        typer.Option(
            metavar="NAME",
            help="Write a SavedModel as the next version of the model in the folder NAME, for "
            "TensorFlow Serving: NAME/1, NAME/2 and so on.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export a detector and verify its accuracy.

    The export is compared with the run on test and other images. It is rejected if it loses more
    than 0.1 AP points as float, 0.2 as fp16, or 1.0 as int8 or dynamic, and the 95 % interval of
    the loss excludes zero, or if too few detections agree. For int8, ways to reduce the loss are
    tried automatically. `labels.txt` with the class names is written beside it, and for frozen
    graphs and SavedModels a label map. For triton it is a folder to put into a model repository.

    \b
    Examples:
      boxwright export run --to tflite
      boxwright export run --to tflite --quantize int8
      boxwright export run --to savedmodel --serving served/helmets
      boxwright export run --to triton --out repository/helmets
      boxwright export run --to onnx
      boxwright export run --to onnx --raw
      boxwright export run --to tflite --max-detections 10
    """
    from boxwright.inference.run import Run

    _ = Run(run).artifact  # fail at once for a wrong folder, not after seconds of imports
    from boxwright.export.export import export as export_run
    from boxwright.io.files import size_of

    quantized = cast(Quantized | None, quantize)
    path, comparison = export_run(
        run,
        to,
        out,
        data,
        quantized,
        accept_loss,
        _progress,
        golden_image,
        raw,
        max_detections,
        serving,
    )
    if json:
        show_json({"path": str(path), "comparison": comparison.to_json()})
        return
    show(_table(comparison))
    show(f"[bold]{plain(path)}[/], {size_of(path) / 1e6:.1f} MB")
    show(f"{_verdict(comparison)}: {plain(str(comparison))}.")
    if comparison.finds_nothing:
        say(
            "[bold red]This detector finds nothing:[/] the run's own AP50 is close to 0. Train it "
            "longer, with a larger --budget, or look for wrong labels with `boxwright check`."
        )
    file = plain(quoted(path))
    show(f"  boxwright predict {file} IMAGES\n  boxwright inspect {file}")


def _verdict(comparison: Comparison) -> str:
    if not comparison.passed:
        return "Kept despite its loss"
    return "Equal to a run that finds nothing" if comparison.finds_nothing else "Verified"


def _progress(line: str) -> None:
    say(plain(line))


def _table(comparison: Comparison) -> Table:
    from rich.table import Table

    table = Table(
        title=f"On {comparison.images[comparison.split]} {comparison.split} images",
        title_justify="left",
    )
    table.add_column("")
    for name in ("run", "file", "difference"):
        table.add_column(name, justify="right")
    for row in comparison.table:
        if row.run is not None and row.file is not None:
            sides = f"{row.run:.3f}", f"{row.file:.3f}", f"{row.file - row.run:+.3f}"
            table.add_row(plain(row.name), *sides)
    return table
