"""Progress of long work: messages and a progress line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from types import TracebackType
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from boxwright.console import messages, plain, say
from boxwright.structures.findings import counted
from boxwright.training.events import Downloading, Event, Note
from boxwright.training.progress import EVERY, Meter
from boxwright.training.progress import Progress as State

if TYPE_CHECKING:
    from boxwright.parallel.units import Executor, Trouble

LINES = 10  # outside of a terminal the line is printed this many times
MINUTE = 60.0  # seconds between two lines outside of a terminal


class _Rate(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


class _Lines:
    """Lines about long work, for output that goes into a file: one each minute."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < MINUTE:
            return
        self._said = now
        rate = done / (now - self._start)
        left = f", {(total - done) / rate / 60:,.0f} minutes left" if rate else ""
        say(plain(f"{self._what}: {done:,} of {total:,}, {rate:,.0f}/s{left}"))


@contextmanager
def counting(what: str, *then: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar with rate and time left; yield a function to call with done and total.

    Work in several stages, `what` and `then`, counts from the start again in each. Outside of a
    terminal it is a line each minute.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    console = messages()
    still = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=still) as bar:
        stages = iter(then)
        task = bar.add_task(escape(what))
        lines = _Lines(what)

        def progress(done: int, total: int) -> None:
            nonlocal task, lines
            if done < bar.tasks[-1].completed and (stage := next(stages, None)):
                bar.remove_task(task)
                task = bar.add_task(escape(stage))
                lines = _Lines(stage)
            bar.update(task, completed=done, total=total)
            if still:
                lines(done, total)

        yield progress


@contextmanager
def working(on: str, *, keep_going: bool = False) -> Iterator[Executor]:
    """Yield the executor of `--on`. At the end, what failed on it is shown. What Ray prints on
    standard output goes to standard error, since it is no result.

    Raises:
        As `executor`.
    """
    from boxwright.parallel.choice import executor

    with redirect_stdout(sys.stderr), executor(on, keep_going=keep_going) as chosen:
        try:
            yield chosen
        finally:
            if chosen.troubles:
                messages().print(_table(chosen.troubles), soft_wrap=False)


def _table(troubles: Sequence[Trouble]) -> Table:
    """A row for each unit that failed: how often, why the last time, and what came of it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("images", "number", "failed", "the last time", "then"):
        table.add_column(heading, overflow="fold")
    for images, last in {each.images: each for each in troubles}.items():
        then = "given up" if last.lost else "begun again"
        texts = (images, f"{last.number}", counted(last.attempt, "time"), last.error.message, then)
        table.add_row(*map(plain, texts))
    return table


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show a spinner beside a message. Shows nothing outside of a terminal."""
    console = messages()
    if not console.is_terminal:
        yield
        return
    with console.status(f"{escape(what)} ..."):
        yield


@contextmanager
def stating() -> Iterator[Callable[[str], None]]:
    """Show a spinner beside the message that the yielded function was last called with. Shows
    nothing outside of a terminal."""
    console = messages()
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("") as status:
        yield lambda text: status.update(f"{escape(text)} ...")


class ProgressLine:
    """Print a training's events on standard error: an event handler and context manager.

    In a terminal one line shows loss, AP, images per second and the time left. If the output
    goes into a file, the line is printed ten times per run.

    Args:
        every: seconds between two updates.
    """

    def __init__(self, *, every: float = EVERY) -> None:
        self._meter = Meter(self.progress, every=every)
        self._console = messages()
        self._bar = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[state]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, visible=False, state="")
        self._printed = 0
        self._source = ""

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            self._console.print(plain(event.text))
        elif isinstance(event, Downloading):
            self._download(event)
        else:
            self._meter(event)

    def _download(self, event: Downloading) -> None:
        """Show a download's progress; the first event prints its name and source."""
        if event.source != self._source:
            self._source = event.source
            self._console.print(plain(f"Downloading {event.name} from {event.source}"))
        if self._console.is_terminal:
            fraction = event.received / event.total if event.total else 0.0
            self._bar.update(self._task, completed=fraction, visible=True, state=str(event))

    def progress(self, progress: State) -> None:
        """Update the line."""
        if self._console.is_terminal:
            state, fraction = line(progress), progress.fraction
            self._bar.update(self._task, completed=fraction, visible=True, state=state)
        elif int(progress.fraction * LINES) > self._printed:
            self._printed = int(progress.fraction * LINES)
            self._console.print(f"{progress.fraction:4.0%}  {line(progress)}")


def line(progress: State) -> str:
    """`step 420 · loss 0.83 · AP 0.41 · 312 images/s · 0:41 left`"""
    parts = [f"step {progress.step}", f"loss {progress.loss:.2f}"]
    if progress.ap is not None:
        parts.append(f"AP {progress.ap:.3f}")
    if progress.images_per_second is not None:
        parts.append(f"{progress.images_per_second:.0f} images/s")
    if progress.seconds_left is not None:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return " · ".join(parts)
