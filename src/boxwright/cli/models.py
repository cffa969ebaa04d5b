"""`boxwright models`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.console import plain, say, show, show_json

if TYPE_CHECKING:
    from boxwright.models.weights.zoo import Published

NOTES = """
AP on the COCO validation set, and milliseconds per image of 600 x 600 pixels on a GeForce GTX
TITAN X, as published by the model zoo. MB: size of the download; "-" means not published. Models
without a published checksum are not verified.
"""
EXAMPLE = "ssd_mobilenet_v2_coco"


def models(
    fetch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Download a model now, to train offline later."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the pretrained models that training can start from.

    They are the SSD family of the TensorFlow 1 detection model zoo. `boxwright train` downloads
    the chosen model once.

    \b
    Examples:
      boxwright models
      boxwright models --fetch ssd_mobilenet_v2_coco
    """
    from boxwright.models.weights import zoo

    listed = (zoo.named(fetch),) if fetch else zoo.MODELS
    if fetch:
        fetched(listed[0])
    if json:
        show_json([_as_json(published) for published in listed])
        return
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
    from boxwright.cli.progress import downloading
    from boxwright.models.weights import zoo

    with downloading(published.name, published.url) as progress:
        return zoo.fetch(published, progress)


def _next(fetched: Published | None) -> Iterator[str]:
    """Next steps."""
    from boxwright.models.weights import zoo

    if fetched is None:
        yield f"Without --weights, boxwright train starts from {zoo.DEFAULT.name}."
        yield f"To choose another: boxwright train IMAGES --weights {EXAMPLE}"
        yield f"To download ahead: boxwright models --fetch {EXAMPLE}"
    else:
        yield f"Train from it: boxwright train IMAGES --weights {fetched.name}"


def _table(listed: tuple[Published, ...]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
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
        "url": published.url,
        "coco_ap": published.coco_ap,
        "speed_ms": published.speed,
        "bytes": published.size,
        "license": published.license,
        "checksum_known": bool(published.sha256),
        "path": str(here) if here else None,
        "put_archive_at": str(cache_folder() / published.archive),
    }
