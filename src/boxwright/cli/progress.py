"""Progress of long work: messages and a progress line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from boxwright.console import messages, plain
from boxwright.training.events import Downloading, Event, Note
from boxwright.training.progress import EVERY, Meter
from boxwright.training.progress import Progress as State

LINES = 10  # outside of a terminal the line is printed this many times


@contextmanager
def counting(what: str, *then: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar with the time left; yield a function to call with done and total.

    Work in several stages, `what` and `then`, counts from the start again in each. Shows nothing
    outside of a terminal.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = messages()
    still = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=still) as bar:
        stages = iter(then)
        task = bar.add_task(escape(what))

        def progress(done: int, total: int) -> None:
            nonlocal task
            if done < bar.tasks[-1].completed and (stage := next(stages, None)):
                bar.remove_task(task)
                task = bar.add_task(escape(stage))
            bar.update(task, completed=done, total=total)

        yield progress


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
