"""How a run tells a person, or a program, what it is doing."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Progress(NamedTuple):
    """Where a run is.

    Attributes:
        step: steps done.
        fraction: of the schedule, 0 to 1.
        loss: mean over the last steps.
        ap, ap50: of the last evaluation, None before the first or without one.
        photos_per_second: over the last steps, None before the second.
        seconds_left: until the run ends, None if nobody knows yet.
    """

    step: int
    fraction: float
    loss: float
    ap: float | None
    ap50: float | None
    photos_per_second: float | None
    seconds_left: float | None


class Reporter(Protocol):
    """Receives what a run has to say."""

    def say(self, text: str) -> None:
        """A sentence worth keeping on the screen."""
        ...

    def progress(self, progress: Progress) -> None:
        """The state of the run, several times a second."""
        ...


class Silent:
    """A reporter that says nothing."""

    def say(self, text: str) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass
