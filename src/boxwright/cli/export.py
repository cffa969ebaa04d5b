"""`boxwright export`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from boxwright.cli.options import choice
from boxwright.console import plain, quoted, say, show, show_json
from boxwright.export.targets import TARGETS, Quantized

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.export.verify import Comparison


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder that `boxwright train` wrote.")
    ],
    to: Annotated[str, choice(TARGETS, help="The kind of file.")] = "tflite",
    out: Annotated[
        Path | None, typer.Option(help="File or folder to write; inside the run if not given.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labelled photos to calibrate and prove it on; those of the run if not given."
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        choice(
            get_args(Quantized),
            help="Fewer bits a number, for .tflite: int8 is three times as fast and a quarter of "
            "the size, fp16 half the size, dynamic stores 8 bits and computes in more.",
        ),
    ] = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Keep a file that is worse than its run, too.")
    ] = False,
    golden_image: Annotated[
        Path | None,
        typer.Option(
            help="An image to put into the file and to check it with whenever it is loaded; a "
            "drawn pattern if not given."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a detector that runs elsewhere, and prove it.

    The written file is run on test photos and compared with the run: float files may lose 0.1 AP
    points, fp16 0.2, int8 and dynamic 1.0. A worse one is not kept. For int8, what makes the loss
    smaller is tried by itself.

    \b
    Examples:
      boxwright export run --to tflite
      boxwright export run --to tflite --quantize int8
      boxwright export run --to savedmodel --out served/helmets
      boxwright export run --to onnx
    """
    from boxwright.inference.run import Run

    _ = Run(run).artifact  # a wrong folder is named at once, not after seconds of imports
    from boxwright.export.export import export as export_run
    from boxwright.io.files import size_of

    quantized = cast(Quantized | None, quantize)
    path, comparison = export_run(
        run, to, out, data, quantized, accept_loss, _progress, golden_image
    )
    if json:
        show_json({"path": str(path), "comparison": comparison.to_json()})
        return
    show(_table(comparison))
    show(f"[bold]{plain(path)}[/], {size_of(path) / 1e6:.1f} MB")
    show(
        f"{'Proven' if comparison.passed else 'Kept as it is, as asked'}: {plain(str(comparison))}."
    )
    file = plain(quoted(path))
    show(f"  boxwright predict {file} PHOTOS\n  boxwright inspect {file}")


def _progress(line: str) -> None:
    say(plain(line))


def _table(comparison: Comparison) -> Table:
    from rich.table import Table

    table = Table(
        title=f"On {comparison.images[comparison.split]} {comparison.split} photos",
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
