"""Downloads as the terminal shows them: progress lines, and the question before a large one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from boxwright.console import messages
from boxwright.errors import ArgumentError

ASKS_ABOVE = 10**10  # bytes
LINES = 10  # outside of a terminal this many lines are printed for a number of images
EVERY = 10.0  # seconds between two lines about one file


@contextmanager
def downloading(what: str, source: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show the progress of a file with bytes, rate and time left; yield a function to call with
    received and total bytes. The first call prints the name and the source."""
    columns = (BarColumn(20), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = messages()
    still = not console.is_terminal
    began = printed = time.monotonic()
    first: int | None = None  # what was there before
    with Progress(*columns, console=console, transient=True, disable=still) as bar:
        task = bar.add_task("", visible=False)

        def progress(received: int, total: int | None) -> None:
            nonlocal began, printed, first
            now = time.monotonic()
            if first is None:
                first, began, printed = received, now, now
                console.print(escape(f"Downloading {what} from {source}"))
            bar.update(task, completed=received, total=total, visible=True)
            if still and now - printed >= EVERY:
                printed = now
                console.print(_line(received, total, (received - first) / (now - began)))

        yield progress


@contextmanager
def fetching(what: str) -> Iterator[Callable[[int, int, int], None]]:
    """Show the progress of many images with bytes, rate and time left; yield a function to call
    with the number of images so far, of all images, and of bytes so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[bytes]}"),
        TimeRemainingColumn(),
    )
    console = messages()
    still = not console.is_terminal
    began, printed = time.monotonic(), 0
    with Progress(*columns, console=console, transient=True, disable=still) as bar:
        task = bar.add_task(escape(what), bytes="")

        def told(done: int, total: int, received: int) -> None:
            nonlocal printed
            seconds = max(time.monotonic() - began, 1e-3)
            rate = f"{received / 1e6:,.1f} MB, {received / 1e6 / seconds:,.1f} MB/s"
            bar.update(task, completed=done, total=total, bytes=rate)
            if still and done * LINES // total > printed:
                printed = done * LINES // total
                left = seconds / done * (total - done)
                console.print(f"{done:,} of {total:,} images, {rate}, {left:.0f} s left")

        yield told


def confirm_size(images: int, estimated_bytes: int, *, yes: bool) -> None:
    """Ask before a download of more than 10 GB.

    Args:
        images: the number of images.
        estimated_bytes: their size.
        yes: the answer was given before.

    Raises:
        ArgumentError: BW802 there is no terminal to ask in.
        typer.Abort: the answer is no.
    """
    if yes or estimated_bytes <= ASKS_ABOVE:
        return
    said = f"{images:,} images are about {estimated_bytes / 1e9:,.0f} GB"
    if not sys.stdin.isatty():
        raise ArgumentError("BW802", f"{said}: confirm with --yes, or give --limit.")
    if not typer.confirm(f"{said}. Download them?", err=True):
        raise typer.Abort


def _line(received: int, total: int | None, rate: float) -> str:
    """`120.5 of 2,258.4 MB, 21.3 MB/s, 100 s left`"""
    of = f" of {total / 1e6:,.1f}" if total else ""
    left = f", {(total - received) / rate:,.0f} s left" if total and rate else ""
    return f"{received / 1e6:,.1f}{of} MB, {rate / 1e6:,.1f} MB/s{left}"
