"""Divide work on images into units, and do them wherever an executor does them.

A unit is up to `SIZE` images. Its result is bytes, and has a name: the hash of all that it depends
on. A result is kept under its name until the whole work ends, so that after an
interruption, however sudden, the same command does only the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol

from boxwright.errors import BoxwrightError
from boxwright.parallel.cores import Cores, Progress
from boxwright.parallel.kept import Kept

SIZE = 992  # images of a unit: whole batches of 16, so that a network gets the same ones


class Part(Protocol):
    """What the work on a unit needs. It is sent to other machines, so it is small."""

    def name(self) -> str:
        """A hash of the inputs and options of the work."""

    def paths(self) -> Sequence[Path]:
        """Some of the files and folders that the work reads."""

    def __str__(self) -> str:
        """The images, for messages."""


Work = Callable[[Any, Cores], bytes]  # takes a Part; may be done twice, and gives the same result


class Unit(NamedTuple):
    """Some of the images, and the name of their result."""

    name: str
    rows: range
    part: Part


class Trouble(NamedTuple):
    """A failure of the work on a unit.

    Attributes:
        images: the unit's images, for messages.
        number: of the images.
        attempt: 1 for the first.
        error: the failure.
        lost: True if it is not tried again.
    """

    images: str
    number: int
    attempt: int
    error: BoxwrightError
    lost: bool


Outcome = bytes | Trouble


class Results(Protocol):
    """How an executor does its work."""

    def __call__(
        self, units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
    ) -> Generator[tuple[Unit, Outcome], None, None]:
        """Yield units with their outcomes as they finish, and take units only as they are needed.

        `done` is called with numbers of finished images, in any thread; `told` gets all failures.
        """


@dataclass
class Executor:
    """Where work is done, and what failed there.

    Attributes:
        results: does the units.
        keep_going: a unit that fails does not end the work: its images are left out.
        elsewhere: True if other machines do the work.
        troubles: the failures until now.
    """

    results: Results
    keep_going: bool = False
    elsewhere: bool = False
    troubles: list[Trouble] = field(default_factory=list)


@dataclass(frozen=True)
class Crew:
    """An executor, with what all work of a command gets.

    Attributes:
        executor: where work is done.
        kept: results of an interrupted run, which are not computed again.
        progress: called with the number of finished images and the total.
    """

    executor: Executor
    kept: Kept = field(default_factory=Kept)
    progress: Progress | None = None

    def run(
        self,
        part_of: Callable[[range], Part],
        images: int,
        work: Work,
        cuts: Sequence[range] | None = None,
    ) -> Generator[tuple[range, Outcome], None, None]:
        """Yield the result of each unit, in the order of the images.

        Args:
            part_of: makes what the work on some of the images needs.
            images: their number.
            work: a function of a module, called on any of the machines.
            cuts: the images of each unit, if files decide that.

        Raises:
            BoxwrightError: the work on a unit failed, unless it keeps going.
        """
        executor, kept, progress = self.executor, self.kept, self.progress
        finished, counting = 0, Lock()
        waiting: deque[tuple[str, range]] = deque()
        lost: dict[str, Trouble] = {}

        def done(count: int) -> None:
            nonlocal finished
            with counting:
                finished += count
                if progress:
                    progress(finished, images)

        def missing() -> Iterator[Unit]:
            for rows in cuts or _ranges(images):
                part = part_of(rows)
                name = part.name() if kept.lasts else str(rows.start)
                waiting.append((name, rows))
                if kept.has(name):
                    done(len(rows))
                else:
                    yield Unit(name, rows, part)

        def in_order(*, ended: bool) -> Iterator[tuple[range, Outcome]]:
            while waiting and (ended or waiting[0][0] in lost or kept.has(waiting[0][0])):
                name, rows = waiting.popleft()
                outcome = lost.pop(name, None) or kept.take(name)
                if outcome is None:  # its file was damaged, or another process has removed it
                    outcome = work(part_of(rows), Cores())
                yield rows, outcome

        with closing(executor.results(missing(), work, done, executor.troubles)) as found:
            for unit, outcome in found:
                if isinstance(outcome, bytes):
                    kept.put(unit.name, outcome)
                elif executor.keep_going:
                    lost[unit.name] = outcome
                else:
                    raise outcome.error
                yield from in_order(ended=False)
        yield from in_order(ended=True)

    def complete(
        self,
        part_of: Callable[[range], Part],
        images: int,
        work: Work,
        cuts: Sequence[range] | None = None,
    ) -> Iterator[bytes]:
        """As `run`, for work in which no unit may be lost."""
        for _, outcome in self.run(part_of, images, work, cuts):
            if isinstance(outcome, Trouble):
                raise outcome.error
            yield outcome


def _ranges(images: int) -> Iterable[range]:
    return (range(start, min(start + SIZE, images)) for start in range(0, images, SIZE))
