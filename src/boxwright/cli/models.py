"""`boxwright models`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.console import plain, say, show, show_json

if TYPE_CHECKING:
    from boxwright.models.weights.published import Published

NOTES = """
M: millions of weights. AP on the COCO validation set, and ms, milliseconds per image of 600 x 600
pixels on a GeForce GTX TITAN X, as published by their authors. MB: size of the download; "-" means
not published. Downloads without a known checksum are not verified. "ms here": an exported float
.tflite of 320 px on one thread of this machine, measured by `boxwright models --measure`.
"""
EXAMPLE = "ssd_mobilenet_v2_coco"
MEASURED_SIZE = 320  # pixels of the input


def models(
    fetch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Download a model now, to train offline later."),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Time the models whose weights are here, each exported untrained. The times are "
            "kept.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models for training and their pretrained weights.

    `boxwright train` downloads the chosen weights once. The time of a trained detector on this
    machine is measured by `boxwright bench`.

    \b
    Examples:
      boxwright models
      boxwright models --fetch ssd_mobilenet_v2_coco
      boxwright models --measure
    """
    from boxwright.models.weights import zoo
    from boxwright.models.weights.published import MODELS

    listed = (zoo.named(fetch),) if fetch else MODELS
    if fetch:
        fetched(listed[0])
    if measure:
        _measure()
    if json:
        show_json([_as_json(published) for published in listed])
        return
    if not fetch:
        show(_models_table())
        show("")
    show(_table(listed))
    if not fetch:
        show(NOTES)
    for each in listed:
        if here := zoo.find(each):
            show(f"{each.name} is here: {plain(here)}")
    for step in _next(listed[0] if fetch else None):
        say(f"[dim]{step}[/]")


def fetched(published: Published) -> Path:
    """Return the path of the model's weights; the first call downloads them with a progress bar."""
    from boxwright.downloads import downloading
    from boxwright.models.weights import zoo

    with downloading(published.name, published.urls[0]) as progress:
        return zoo.fetch(published, progress)


def _measure() -> None:
    """Measure the models whose weights are here and that were not measured before."""
    from boxwright.bench.limits import Remembered
    from boxwright.models.weights import zoo
    from boxwright.models.weights.published import CHOICES

    costs, found = Remembered(), 0
    for each in CHOICES:
        here = [weights for weights in each.weights if zoo.find(weights)]
        found += len(here)
        if here and not costs.known(here[0], MEASURED_SIZE, 1):
            say(f"measuring {each.name}")
            costs(here[0], MEASURED_SIZE, 1)
    if not found:
        say(f"No weights are here yet: boxwright models --fetch {zoo.DEFAULT.name}")


def _next(fetched: Published | None) -> Iterator[str]:
    """Next steps."""
    from boxwright.models.weights import zoo

    if fetched is None:
        yield f"Without an option, boxwright train starts from {zoo.DEFAULT.name}."
        yield "To choose another model: boxwright train IMAGES --model ssd_mobilenet_v1"
        yield f"To choose other weights: boxwright train IMAGES --weights {EXAMPLE}"
        yield f"To download ahead: boxwright models --fetch {EXAMPLE}"
    else:
        yield f"Train from it: boxwright train IMAGES --weights {fetched.name}"


def _models_table() -> Any:
    from rich.table import Table

    from boxwright.bench.limits import Remembered
    from boxwright.models.weights.published import CHOICES

    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
    for column in ("M", "AP", "ms here"):
        table.add_column(column, justify="right")
    table.add_column("good for")
    costs = Remembered()
    for each in CHOICES:
        known = (costs.known(weights, MEASURED_SIZE, 1) for weights in each.weights)
        cost = next(filter(None, known), None)
        here = f"{cost.milliseconds:.1f}" if cost else "-"
        millions = f"{each.parameters:.1f}" if each.parameters else "-"
        ap = f"{each.coco_ap:.2f}" if each.coco_ap else "-"
        table.add_row(each.name, millions, ap, here, each.good_for)
    return table


def _table(listed: tuple[Published, ...]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("weights", overflow="fold")
    for column in ("AP", "ms", "MB"):
        table.add_column(column, justify="right")
    for column in ("license", "checked"):
        table.add_column(column)
    for each in listed:
        table.add_row(
            plain(each.name),
            f"{each.coco_ap:.2f}" if each.coco_ap else "-",
            f"{each.speed}" if each.speed else "-",
            f"{each.size / 1e6:.0f}" if each.size else "-",
            each.license,
            "yes" if each.sha256 else "no",
        )
    return table


def _as_json(published: Published) -> dict[str, Any]:
    from boxwright.io.cache import cache_folder
    from boxwright.models.weights import zoo

    here = zoo.find(published)
    return {
        "name": published.name,
        "model": published.model,
        "urls": list(published.urls),
        "coco_ap": published.coco_ap,
        "speed_ms": published.speed,
        "bytes": published.size,
        "license": published.license,
        "checksum_known": bool(published.sha256),
        "path": str(here) if here else None,
        "put_downloads_at": [str(cache_folder() / name) for name in published.downloads],
    }
