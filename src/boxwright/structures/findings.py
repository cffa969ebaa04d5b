"""Finding: a problem in the data, its place, and its repair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from boxwright.codes import MEANINGS, SIGNS
from boxwright.errors import visible
from boxwright.io.shell import quoted

SHOWN = 3  # findings shown per code in a summary
BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r"})  # a finding is one line
RANKS = {severity: rank for rank, severity in enumerate(SIGNS)}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in the data that is reported without raising an error.

    Attributes:
        code: stable code, such as `BW105`.
        where: the file, and the box or line in it.
        message: the problem, with the offending value.
        repair: what was changed, such as "clipped to the image"; empty if nothing.
        images: names of the affected images, if any.
        box: the affected box in the first image, xyxy pixels, if there is one.
        classes: names of the affected classes, if any.
    """

    code: str
    where: str
    message: str
    repair: str = ""
    images: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", self.where.translate(BREAKS))
        object.__setattr__(self, "message", visible(self.message).translate(BREAKS))

    def __str__(self) -> str:
        done = f" -> {self.repair}" if self.repair else ""
        return f"{self.code} {self.where}: {self.message}{done}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 image`, `2 images`; `many` is for other words than `one` with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def part_of(number: int, total: int, one: str, verb: str, verbs: str, many: str = "") -> str:
    """`1 of 2 images has`, `2 of 2 images have`: with the verb for one and for several."""
    return f"{number} of {counted(total, one, many)} {verb if number == 1 else verbs}"


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort errors first, then warnings, then notes; group by code and keep the order within."""
    return sorted(findings, key=lambda one: (RANKS[MEANINGS[one.code].severity], one.code))


def summary(findings: Iterable[Finding], data: str | Path | None = None) -> Iterator[str]:
    """Lines of a summary: worst codes first, at most three findings per code and their count.

    `data` is the argument of `boxwright check` in the last line.
    """
    hidden = False
    for code, found in groupby(worst_first(findings), key=lambda one: one.code):
        same = list(found)
        yield from map(str, same[:SHOWN])
        if len(same) > SHOWN:
            hidden = True
            yield f"{code} ... and {len(same) - SHOWN} more. {MEANINGS[code].title}."
    if hidden and data is not None:
        yield f"`boxwright check {quoted(data)}` shows all."
