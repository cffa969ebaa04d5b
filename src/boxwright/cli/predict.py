"""`boxwright predict`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.console import FAILED, plain, say, show, show_json


def predict(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ],
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Photos, folders, or patterns.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the drawn photos and detections.json.")],
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Lowest score to keep; the detector's own if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what detections.json holds.")] = False,
) -> None:
    """Find objects in photos.

    Writes each photo with its boxes drawn, and detections.json with all of them in pixels. A photo
    that cannot be read is named, the others are done all the same, and the exit code is 1.

    \b
    Examples:
      boxwright predict run/detector.tflite photo.jpg --out found
      boxwright predict run holiday/ "more/*.png" --out found --threshold 0.3
    """
    from boxwright.media.sources import photos as photos_of
    from boxwright.runtime.detector import Detector
    from boxwright.runtime.gallery import write_gallery

    paths = photos_of(photos)
    result = write_gallery(Detector.load(model), paths, out, threshold=threshold)
    for lost in result["failed"]:
        place, message = plain(lost["photo"]), plain(lost["message"])
        say(f"[bold red]{lost['code']}[/] [bold]{place}[/]: {message}")
    if json:
        show_json(result)
    else:
        boxes = sum(len(photo["detections"]) for photo in result["photos"])
        show(f"{boxes} boxes in {len(result['photos'])} photos: [bold]{plain(out)}[/]")
    if result["failed"]:
        raise typer.Exit(FAILED)
