"""`boxwright dockerfile`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxwright.console import plain, show, show_json
from boxwright.io.shell import quoted


def dockerfile(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write. [default: Dockerfile in the run folder, or beside the file]"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a Dockerfile that serves a detector over HTTP.

    The image installs Boxwright's server and what runs this kind of file, copies the detector and
    nothing else, and starts the server as a user without rights, with a health check. A .tflite
    gives the smallest image. The Dockerfile is yours to edit: one that is there is not replaced.

    \b
    Examples:
      boxwright dockerfile run/detector-int8.tflite
      boxwright dockerfile run/detector.onnx --out onnx.Dockerfile
    """
    from boxwright.export.dockerfile import PORT, write_dockerfile

    written = write_dockerfile(model, out)
    path, context = (quoted(_short(each)) for each in (written.dockerfile, written.context))
    build = f"docker build --tag {written.tag} --file {path} {context}"
    run = f"docker run --rm --publish 127.0.0.1:{PORT}:{PORT} {written.tag}"
    if json:
        show_json({"path": str(written.dockerfile), "build": build, "run": run})
        return
    show(f"[bold]{plain(written.dockerfile)}[/] was written.")
    show(f"  {plain(build)}\n  {plain(run)}")


def _short(path: Path) -> Path:
    """The path as seen from here, if it is inside this folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
