"""The executor of this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from boxwright.errors import BoxwrightError
from boxwright.parallel.cores import Cores
from boxwright.parallel.processes import Processes
from boxwright.parallel.units import Outcome, Trouble, Unit, Work


def on_this_machine(
    units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
) -> Generator[tuple[Unit, Outcome], None, None]:
    """Do one unit after another on all cores, see `Results`. A failure is not tried again, since it
    would be the same."""
    with Processes() as processes:
        cores = Cores(processes=processes, done=done)
        for unit in units:
            outcome: Outcome
            try:
                outcome = work(unit.part, cores)
            except BoxwrightError as error:
                outcome = Trouble(str(unit.part), len(unit.rows), 1, error, lost=True)
                told.append(outcome)
            yield unit, outcome
