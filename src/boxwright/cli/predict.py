"""`boxwright predict`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    KeepGoing,
    Labels,
    MaxPixels,
    On,
    Overlap,
    Tile,
    Trust,
    choice,
    say_trusted,
    with_tiles,
)
from boxwright.console import FAILED, plain, say, show, show_json
from boxwright.images.options import MAX_PIXELS
from boxwright.io.shell import quoted
from boxwright.outputs.registry import LABELS, OUTPUTS
from boxwright.sources.names import RTSP
from boxwright.tracking.tracker import TRACKERS

if TYPE_CHECKING:
    from boxwright.outputs.every import Every
    from boxwright.outputs.predicting import Predicted
    from boxwright.tracking.following import Tracking


def predict(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A run folder, or an exported file or folder."),
    ],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Images, videos, folders, patterns, .txt files with one of these on each line, "
            "zip files, - for standard input, camera:0, or addresses such as rtsp://host/path.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is written; not needed for a table alone.")
    ] = None,
    to: Annotated[
        list[str] | None,
        choice(
            OUTPUTS,
            help="What to write; may be repeated. [default: drawn and json; of videos video and "
            "jsonl]",
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="N|Ns",
            help="Of a video, write each n-th frame as an image, or one each n seconds: 30, 2s. "
            "[default: with --to, every frame]",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Minimum score. [default: the detector's own]"),
    ] = None,
    labels: Labels = None,
    tile: Tile = None,
    overlap: Overlap = 0.2,
    track: Annotated[
        str | None,
        choice(
            TRACKERS,
            help="Follow the objects of videos with this tracker, and give them identities.",
        ),
    ] = None,
    count_line: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X1,Y1,X2,Y2",
            help="With --track: count the objects that cross this line, in pixels of the upright "
            "frame; may be repeated.",
        ),
    ] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X1,Y1,X2,Y2,X3,Y3...",
            help="With --track: count the objects in this polygon; may be repeated.",
        ),
    ] = None,
    rtsp: Annotated[str, choice(RTSP, help="How RTSP streams are transported.")] = RTSP[0],
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
    on: On = "local",
    keep_going: KeepGoing = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the content of detections.json.")
    ] = False,
) -> None:
    """Find objects in images, videos and streams, and write them in several ways at once.

    By default it writes each image with its boxes drawn, a contact sheet of the first 24, and
    detections.json with all boxes in pixels of the image; of a video a drawn video, and
    detections.jsonl with a line for each frame. What cannot be read is named, the others are
    processed, and the exit code is 1. Of cameras and streams the newest frame is taken, the others
    are dropped and counted; end them with Ctrl-C.

    \b
    Examples:
      boxwright predict run/detector.tflite image.jpg --out found
      boxwright predict run holiday/ "more/*.png" --out found --threshold 0.3
      boxwright predict run/detector.tflite holiday.zip --out found --to csv --to crops
      boxwright predict run holiday/ --out found --to yolo-labels
      boxwright predict coco.tflite holiday/ --to table --labels labels.txt
      boxwright predict run clip.mp4 --out found --every 2s
      boxwright predict run rtsp://192.168.0.9/live --out found --to jsonl
      boxwright predict run clip.mp4 --out found --track bytetrack --count-line 0,200,640,200
      boxwright predict /shared/run /shared/images --out found --to coco --on ray=10.0.0.1:6379
    """
    from boxwright.cli.progress import counting, working
    from boxwright.inference.class_names import read_names
    from boxwright.inference.detector import Detector
    from boxwright.outputs.predicting import write_predictions
    from boxwright.sources.opening import sources

    chosen = _outputs(to, out, full_size=full_size, no_pictures=no_pictures, json=json)
    distance = _distance(every)
    tracking = _tracking(track, count_line or (), zone or ())
    limit = max_pixels or MAX_PIXELS

    results = sys.stdout

    def tell(text: str) -> None:
        say(plain(text))

    def print_line(text: str) -> None:
        with redirect_stdout(results):
            show(plain(text))

    found = sources(images, rtsp=rtsp, max_pixels=limit, tell=tell)
    names = read_names(labels) if labels else None
    if trust:
        say_trusted(model)
    detector = Detector.load(model, classes=names, trust=trust)
    detector = with_tiles(replace(detector, max_pixels=limit), tile, overlap)
    with working(on, keep_going=keep_going) as executor, counting("Detecting") as progress:
        predicted = write_predictions(
            detector,
            found,
            out or Path(),
            chosen,
            every=distance,
            threshold=threshold,
            full_size=full_size,
            file=model,
            tracking=tracking,
            executor=executor,
            tell=tell,
            print_line=print_line,
            progress=progress,
        )
    for lost in predicted.content["failed"]:
        place, message = plain(lost["image"]), plain(lost["message"])
        say(f"[bold red]{lost['code']}[/] [bold]{place}[/]: {message}")
    if json:
        show_json(predicted.content)
    else:
        is_video = any(source.is_video for source in found)
        _summarize(predicted, out, chosen or (), "frame" if is_video else "image")
    if predicted.content["failed"]:
        raise typer.Exit(FAILED)


def _outputs(
    to: list[str] | None, out: Path | None, *, full_size: bool, no_pictures: bool, json: bool
) -> list[str] | None:
    """The chosen outputs; None for the usual ones."""
    for problem, holds in {
        "give --full-size or --no-pictures, not both": full_size and no_pictures,
        "give --to or --no-pictures, not both": to and no_pictures,
        "give --json or --to table, not both: each is printed": json and "table" in (to or ()),
        "Missing option '--out'.": out is None and to != ["table"],
    }.items():
        if holds:
            raise typer.BadParameter(problem)
    chosen = ["json"] if no_pictures else to
    return [*chosen, "json"] if chosen and json else chosen


def _distance(every: str | None) -> Every | None:
    from boxwright.outputs.every import Every

    try:
        return None if every is None else Every.parse(every)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _tracking(track: str | None, lines: Sequence[str], zones: Sequence[str]) -> Tracking | None:
    from boxwright.tracking.counting import Line, Zone
    from boxwright.tracking.following import Tracking

    if track is None:
        if lines or zones:
            raise typer.BadParameter("--count-line and --zone need --track.")
        return None
    try:
        where = tuple(map(Line.parse, lines)), tuple(map(Zone.parse, zones))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return Tracking.by(track, *where)


def _summarize(predicted: Predicted, out: Path | None, outputs: Sequence[str], what: str) -> None:
    from boxwright.structures.findings import counted

    sheet = predicted.content["contact_sheet"]
    found = f"{counted(predicted.boxes, 'box', 'boxes')} in {counted(predicted.images, what)}"
    show(f"{found}: [bold]{plain(out)}[/]" if out else f"{found}.")
    for name, counts in predicted.counts.items():
        show(f"{plain(name)}: {plain('; '.join(counts.sentences()))}")
    if out and sheet:
        show(f"Look at {plain(out / sheet)}")
    for name in outputs:
        if out and name.endswith(LABELS):
            show(f"Look at the labels: boxwright label {plain(quoted(out / name))}")
    if not predicted.boxes and predicted.images:
        threshold = predicted.content["threshold"]
        say(
            f"The detector found nothing with a score above {threshold:.2f}. Try --threshold 0.1; "
            "if that finds nothing useful either, train it longer."
        )
