"""`boxwright predict`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import Labels, MaxPixels, Trust, say_trusted
from boxwright.console import FAILED, plain, say, show, show_json


def predict(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ],
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders, or patterns.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the drawn images and detections.json.")],
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Minimum score. [default: the detector's own]"),
    ] = None,
    labels: Labels = None,
    trust: Trust = False,
    max_pixels: MaxPixels = None,
    full_size: Annotated[
        bool,
        typer.Option(
            "--full-size", help="Draw on the full-size images, not on at most 1600 pixels a side."
        ),
    ] = False,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Write only detections.json, which is fastest.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the content of detections.json.")
    ] = False,
) -> None:
    """Find objects in images.

    Writes each image with its boxes drawn, a contact sheet of the first 24, and detections.json
    with all boxes in pixels of the image. An image that cannot be read is named, the others are
    processed, and the exit code is 1.

    \b
    Examples:
      boxwright predict run/detector.tflite image.jpg --out found
      boxwright predict run holiday/ "more/*.png" --out found --threshold 0.3
      boxwright predict run/detector.tflite holiday/ --out found --no-pictures
      boxwright predict coco.tflite holiday/ --out found --labels labels.txt
    """
    from boxwright.cli.progress import counting
    from boxwright.images.sources import images as images_of
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector
    from boxwright.inference.gallery import Pictures, write_gallery
    from boxwright.structures.findings import counted

    if full_size and no_pictures:
        raise typer.BadParameter("give --full-size or --no-pictures, not both")
    pictures: Pictures = "full" if full_size else "none" if no_pictures else "small"
    paths = list(images_of(images))
    names = read_names(labels) if labels else None
    if trust:
        say_trusted(model)
    detector = Detector.load(model, classes=names, trust=trust)
    detector = replace(detector, max_pixels=max_pixels or detector.max_pixels)
    with counting("Detecting") as progress:
        result = write_gallery(
            detector, paths, out, threshold=threshold, pictures=pictures, progress=progress
        )
    for lost in result["failed"]:
        place, message = plain(lost["image"]), plain(lost["message"])
        say(f"[bold red]{lost['code']}[/] [bold]{place}[/]: {message}")
    if json:
        show_json(result)
    else:
        boxes = sum(len(image["detections"]) for image in result["images"])
        found = f"{counted(boxes, 'box', 'boxes')} in {counted(len(result['images']), 'image')}"
        show(f"{found}: [bold]{plain(out)}[/]")
        if result["contact_sheet"]:
            show(f"Look at {plain(out / result['contact_sheet'])}")
        if not boxes and result["images"]:
            say(
                f"The detector found nothing with a score above {result['threshold']:.2f}. Try "
                "--threshold 0.1; if that finds nothing useful either, train it longer."
            )
    if result["failed"]:
        raise typer.Exit(FAILED)
