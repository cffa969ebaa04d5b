"""`boxwright export`"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.console import plain, show, show_json


class Kind(StrEnum):
    tflite = "tflite"
    savedmodel = "savedmodel"
    onnx = "onnx"
    openvino = "openvino"


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder that `boxwright train` wrote.")
    ],
    to: Annotated[Kind, typer.Option(help="The kind of file.")] = Kind.tflite,
    out: Annotated[
        Path | None, typer.Option(help="File or folder to write; inside the run if not given.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled photos to prove the file on; those of the run if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a detector that runs elsewhere, and prove it.

    The written file is run on test photos; if it is not as good as the run, nothing is kept.

    \b
    Examples:
      boxwright export run --to tflite
      boxwright export run --to savedmodel --out served/helmets
      boxwright export run --to onnx
    """
    from boxwright.runtime.run import Run

    _ = Run(run).artifact  # a wrong folder is named at once, not after seconds of imports
    from boxwright.export import export as export_run

    path, proof = export_run(run, to.value, out, data)
    if json:
        show_json({"path": str(path), "proof": proof.to_json()})
    else:
        show(f"[bold]{plain(path)}[/]\nProven: {plain(str(proof))}.")
