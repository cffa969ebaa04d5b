"""`boxwright licenses`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from boxwright.cli.options import Trust, say_trusted
from boxwright.console import plain, show, show_json

if TYPE_CHECKING:
    from boxwright.inference.artifact import Artifact

UNKNOWN = "unknown"


class Part(NamedTuple):
    """A part of a detector: its name, its license, and the source of the license."""

    part: str
    name: str
    license: str
    source: str


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

    if trust:
        say_trusted(model)
    run = Run(model)
    artifact = run.artifact if run.exists() else Detector.load(model, trust=trust).artifact
    yield from (_code(artifact), weights_of(artifact), _images(artifact))


def _videos() -> Iterator[Part]:
    from boxwright.sources.licenses import contained, pyav

    package = pyav()
    yield Part("videos", *package, "reads and writes videos, with the extra video")
    for each in contained():
        yield Part("videos", *each, f"in the wheel of {package.name}")


def _code(artifact: Artifact) -> Part:
    version = artifact.provenance.get("boxwright")
    name = f"Boxwright {version}" if version else UNKNOWN
    source = "training code and network architecture" if version else "another tool"
    return Part("code", name, "Apache-2.0" if version else UNKNOWN, source)


def weights_of(artifact: Artifact) -> Part:
    """The weights that the training started from."""
    from boxwright.models.weights.published import MODELS

    name = artifact.provenance.get("weights", UNKNOWN)
    if name is None:
        return Part("weights", "from scratch", "yours", "trained only on your images")
    for published in MODELS:
        if published.name == name:
            return Part("weights", name, published.license, published.urls[0])
    return Part("weights", str(name), UNKNOWN, "ask the author of the file")


def _images(artifact: Artifact) -> Part:
    from boxwright.openimages.licenses import image_licenses
    from boxwright.structures.findings import counted

    path, name = artifact.data_path, artifact.data_name
    if name is None:
        return Part("images", UNKNOWN, UNKNOWN, "the file does not record its training data")
    if path and (known := image_licenses(Path(path))):
        counts = ", ".join(f"{name} ({count:,})" for name, count in known.counts.items())
        source = f"{counted(known.authors, 'author')}, listed in {', '.join(known.lists)}"
        return Part("images", path, counts or UNKNOWN, source)
    texts = sorted(each.name for each in Path(path).glob("LICEN[CS]E*")) if path else []
    source = f"see {Path(path) / texts[0]}" if path and texts else "ask the authors of the images"
    return Part("images", path or name, UNKNOWN, source)
