"""Finding: one thing that is odd in the data, where it is, and what was done about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from boxwright.codes import MEANINGS, SIGNS

SHOWN = 3  # findings of each code in a summary
RANKS = {severity: rank for rank, severity in enumerate(SIGNS)}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that did not stop the work.

    Attributes:
        code: stable code, such as `BW105`.
        where: the file, and the box or line in it.
        message: what is wrong there, with the offending value.
        repair: what was done about it ("clipped to the image"); empty if nothing was.
        images: names of the images that show it, if images do.
        box: the box in the first of them, xyxy pixels, if it is about one.
    """

    code: str
    where: str
    message: str
    repair: str = ""
    images: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def __str__(self) -> str:
        done = f" -> {self.repair}" if self.repair else ""
        return f"{self.code} {self.where}: {self.message}{done}"


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, warnings, notes; of each those of one code together, in the order they came."""
    return sorted(findings, key=lambda one: (RANKS[MEANINGS[one.code].severity], one.code))


def summary(findings: Iterable[Finding], data: str | Path | None = None) -> Iterator[str]:
    """Findings as lines: the worst codes first, at most three of each, and how many more.

    `data` is what to check to see all of them.
    """
    hidden = False
    for code, found in groupby(worst_first(findings), key=lambda one: one.code):
        same = list(found)
        yield from map(str, same[:SHOWN])
        if len(same) > SHOWN:
            hidden = True
            yield f"{code} ... and {len(same) - SHOWN} more. {MEANINGS[code].title}."
    if hidden and data is not None:
        yield f"`boxwright check {shlex.quote(str(data))}` shows all."
