"""The interface of an output, and what outputs share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from PIL import Image

from boxwright.inference.stream import Picture, Prediction


@dataclass
class Record:
    """A prediction on its way through the outputs.

    Attributes:
        prediction: frame and detections.
        entry: what JSON says about it. An output that writes a file for it adds the file's name.
        is_still: it is a single image, or a frame of a video that is chosen to be written as one.
    """

    prediction: Prediction
    entry: dict[str, Any]
    is_still: bool

    @property
    def picture(self) -> Image.Image:
        """The decoded picture, for outputs that ask for one. `drawn` draws on it later, in a
        thread, so the outputs before it take copies."""
        return cast("Image.Image", self.prediction.picture)


@dataclass(frozen=True)
class Job:
    """What all outputs of a call share.

    Attributes:
        out: the folder to write to.
        taken: lower-case names of the files in `out` that must stay, among them images that are
            read.
        classes: the class names, in id order.
        detector: the detector's file or run, for its hash; None if it has none.
        result: the content of `detections.json`, which outputs complete.
        background: runs functions in threads, see `Background`.
        tell: called with each sentence and line of a table for people.
        full_size: draw on full-size images.
        tracks: the objects of videos are tracked.
    """

    out: Path
    taken: set[str]
    classes: Sequence[str]
    detector: Path | None
    result: dict[str, Any]
    background: Background
    tell: Callable[[str], None]
    print_line: Callable[[str], None]
    full_size: bool = False
    tracks: bool = False


Add = Callable[[Record], None]


@dataclass(frozen=True)
class Output:
    """A row of the registry.

    Attributes:
        open: a context manager for one call. It yields the function that takes each record. It
            writes what is left when it exits, and nothing more after an error.
        picture: what pictures it needs, see `inference.stream.predictions`; called with
            `Job.full_size`.
        writes: False if it needs no folder.
        only: "stills" or "videos", if it takes no others; see `Record.is_still`.
        identities: False if it drops those of tracked objects.
        gathers: True if it keeps something of every frame in memory until it writes at the end.
    """

    open: Callable[[Job], AbstractContextManager[Add]]
    picture: Callable[[bool], Picture] = lambda full_size: "none"
    writes: bool = True
    only: Literal["stills", "videos"] | None = None
    identities: bool = True
    gathers: bool = False


@dataclass
class Background:
    """Runs functions in the threads of a pool. At most `limit` wait, so that memory is bounded.

    Raises:
        Exception: any that a function has raised, at a later call.
    """

    pool: Executor
    limit: int
    _waiting: deque[Future[Any]] = field(default_factory=deque)

    def run(self, function: Callable[..., object], *arguments: object) -> None:
        self._waiting.append(self.pool.submit(function, *arguments))
        while len(self._waiting) > self.limit:
            self._waiting.popleft().result()

    def wait(self) -> None:
        """Wait until all are done."""
        while self._waiting:
            self._waiting.popleft().result()
