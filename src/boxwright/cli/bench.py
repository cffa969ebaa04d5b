"""`boxwright bench`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import Labels, Trust, say_trusted
from boxwright.console import plain, say, show, show_json

if TYPE_CHECKING:
    from PIL import Image
    from rich.table import Table

    from boxwright.bench.compare import Latency, Measured, Timing

PARTS = ("image to input", "network", "post-processing")


def bench(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Run folders and exported files."),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Labeled images; AP is measured on their test set.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder of images to time with. [default: those of --data, or drawn images]"
        ),
    ] = None,
    threads: Annotated[
        str, typer.Option(help="Numbers of threads to time .tflite files with.")
    ] = "1,2",
    labels: Labels = None,
    trust: Trust = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of timing.")] = 20,
    picture: Annotated[
        Path | None,
        typer.Option(help="PNG chart to write: AP against milliseconds, or the parts of the time."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare the speed, memory, size and accuracy of detector files.

    All files are timed in turns, so that other load on the machine affects them equally. Times
    are per image: from its file to the network's input, through the network, and through the
    post-processing. Ratios are relative to the first file. Times of files in a run folder are kept
    there, for the run's report.

    \b
    Examples:
      boxwright bench run/detector.tflite
      boxwright bench old.tflite new.tflite --data images --picture bench.png
      boxwright bench coco.tflite run/detector.tflite --images holiday --threads 1,2,4 --json
    """
    from boxwright.bench.compare import bench as measure
    from boxwright.bench.kept import keep
    from boxwright.cli.progress import counting
    from boxwright.images.sources import images as images_of
    from boxwright.inference.class_names import read_names

    numbers = _numbers(threads)
    if trust:
        say_trusted(*models)
    with counting("Measuring") as progress:
        found = measure(
            models,
            data=data,
            images=list(images_of([images])) if images else (),
            threads=numbers,
            classes=read_names(labels) if labels else None,
            rounds=rounds,
            trust=trust,
            progress=progress,
        )
    names = _names(models)
    keep(found)
    if picture:
        _save(_drawn(names, found), picture)
    if json:
        show_json([each.to_json() for each in found])
    else:
        for letter, name in zip(ascii_uppercase, names, strict=False):
            show(f"[bold]{letter}[/] {plain(name)}")
        show("")
        show(_times(found))
        show("")
        show(_rest(found, with_ap=data is not None))
    for name, each in zip(names, found, strict=True):
        if each.note:
            say(f"{plain(name)} has no AP. {plain(each.note)}")
    for line in _next(models, data, picture):
        say(line)


def _numbers(text: str) -> list[int]:
    from boxwright.inference.detector import MAX_THREADS

    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = [0]
    if not 1 <= numbers[0] <= numbers[-1] <= MAX_THREADS:
        raise typer.BadParameter(
            f"--threads takes numbers from 1 to {MAX_THREADS}, such as 1,2, not {text!r}"
        )
    return numbers


def _names(paths: Sequence[Path]) -> list[str]:
    """The files' names, with their folders if two would be the same."""
    names = [path.resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = ["/".join(path.resolve().parts[-2:]) for path in paths]
    return names


def _times(found: Sequence[Measured]) -> Table:
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
    rows.add_column("ms")
    columns = (
        "threads",
        "to input",
        "network",
        "p95",
        "ratio",
        "post",
        "both",
        "p95",
        "ratio",
    )
    for title in columns:
        rows.add_column(title, justify="right")
    first = found[0]
    for letter, each in zip(cycle(ascii_uppercase), found):
        for timing in each.timings:
            beside = _same_threads(first.timings, timing)
            alone = (
                _ms(timing.network.median) if timing.network else "",
                _ms(timing.network.p95) if timing.network else "",
                _ratio(timing.network, beside.network),
            )
            rows.add_row(
                letter,
                str(timing.threads or "own"),
                f"{each.prepare.median:.1f}",
                *alone,
                _ms(timing.postprocess),
                _ms(timing.whole.median),
                _ms(timing.whole.p95),
                _ratio(timing.whole, beside.whole),
            )
            letter = ""
    return rows


def _rest(found: Sequence[Measured], *, with_ap: bool) -> Table:
    from rich.table import Table

    from boxwright.evaluation.report import number

    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("")
    columns = ["input", "computes in", "MB", "ratio", "peak MB", "ratio", "images/s", "ratio"]
    for title in [*columns, *(["AP", "AP50"] if with_ap else [])]:
        rows.add_column(title, justify="right")
    first = found[0]
    for letter, each in zip(cycle(ascii_uppercase), found):
        peak = each.peak_bytes
        cells = [
            letter,
            f"{each.input_size} px",
            each.arithmetic or "",
            f"{each.size / 1e6:.1f}",
            _ratio(each.size, first.size),
            f"{peak / 1e6:.0f}" if peak else "n/a",
            _ratio(peak, first.peak_bytes),
            f"{each.images_per_second:.1f}",
            _ratio(each.images_per_second, first.images_per_second),
        ]
        rows.add_row(*cells, *([number(each.ap), number(each.ap50)] if with_ap else []))
    return rows


def _same_threads(timings: Sequence[Timing], timing: Timing) -> Timing:
    return next((each for each in timings if each.threads == timing.threads), timings[-1])


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _ratio(value: Latency | float | None, first: Latency | float | None) -> str:
    from boxwright.bench.compare import Latency

    if value is None or first is None:
        return ""
    a, b = (each.median if isinstance(each, Latency) else each for each in (value, first))
    return f"{a / b:.2f}"


def _drawn(names: Sequence[str], found: Sequence[Measured]) -> Image.Image:
    """A chart of AP against milliseconds if every file has an AP, else of the parts of the time."""
    from boxwright.visualize.chart import Bar, Point, scatter, stacked_bars

    last = [each.timings[-1] for each in found]
    threads = {timing.threads for timing in last}
    number = threads.pop() if len(threads) == 1 else None
    on = f" on {number} thread{'s' if number > 1 else ''}" if number else ""
    axis = f"milliseconds per image{on}, from its file to detections"
    if all(each.ap is not None for each in found):
        points = [
            Point(name, each.prepare.median + timing.whole.median, each.ap or 0.0)
            for name, each, timing in zip(names, found, last, strict=True)
        ]
        return scatter(points, title="Accuracy and time", x=axis, y="AP")
    bars = []
    for name, each, timing in zip(names, found, last, strict=True):
        post = timing.postprocess or 0.0
        bars.append(Bar(name, (each.prepare.median, timing.whole.median - post, post)))
    return stacked_bars(bars, title="Time per image", parts=PARTS, x=axis)


def _save(image: Image.Image, target: Path) -> None:
    from boxwright.io.files import writing

    with writing(target) as draft:
        image.save(draft, format="PNG")


def _next(models: Sequence[Path], data: Path | None, picture: Path | None) -> Iterator[str]:
    if picture:
        yield f"Chart: [bold]{plain(picture)}[/]"
    if data is None:
        yield "[dim]To measure AP too, give labeled images with --data FOLDER.[/]"
    if not picture:
        yield "[dim]For a chart, add --picture bench.png.[/]"
    yield f"[dim]For details of a file: boxwright inspect {plain(models[-1])}[/]"
