"""`boxwright licenses`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import Trust, say_trusted
from boxwright.console import plain, show, show_json

if TYPE_CHECKING:
    from boxwright.report.licenses import Part


def licenses(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ] = None,
    trust: Trust = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the licenses of a detector's parts: code, weights, images; without MODEL those of PyAV.

    The weights are those that training started from, as recorded in the detector's file. Of images
    from Open Images, the images of each license and their authors are counted. PyAV is what the
    extra `video` installs; its wheel contains libraries under other licenses, among them the GPL.

    \b
    Examples:
      boxwright licenses run/detector.tflite
      boxwright licenses
    """
    parts = tuple(_videos() if model is None else _detector(model, trust=trust))
    if json:
        show_json([part._asdict() for part in parts])
        return
    for part in parts:
        show(
            f"[bold]{part.part:8}[/] {plain(part.name)}: {plain(part.license)}\n"
            f"         [dim]{plain(part.source)}[/]"
        )


def _detector(model: Path, *, trust: bool) -> Iterator[Part]:
    from boxwright.inference.detector import Detector
    from boxwright.inference.run import Run
    from boxwright.report.licenses import parts_of

    if trust:
        say_trusted(model)
    run = Run(model)
    artifact = run.artifact if run.exists() else Detector.load(model, trust=trust).artifact
    yield from parts_of(artifact)


def _videos() -> Iterator[Part]:
    from boxwright.report.licenses import Part
    from boxwright.sources.licenses import contained, pyav

    package = pyav()
    yield Part("videos", *package, "reads and writes videos, with the extra video")
    for each in contained():
        yield Part("videos", *each, f"in the wheel of {package.name}")
