"""A data set in a line, and its findings in a few."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from boxwright.cli.console import plain, say
from boxwright.codes import MEANINGS
from boxwright.data.dataset import Dataset
from boxwright.data.findings import Finding

NAMED = 5  # classes that are named
SHOWN = 3  # findings of each code
WORST_FIRST = ("error", "warning", "note")
USES = {
    "train": "to train on",
    "val": "to choose by",
    "test": "for testing",
    "unmarked": "not marked",
}


def counted(dataset: Dataset) -> str:
    """`200 photos, 217 boxes of 1 class (raccoon): 160 to train on, 40 for testing`"""
    names = ", ".join(dataset.classes[:NAMED]) + (", ..." if len(dataset.classes) > NAMED else "")
    kinds = "class" if len(dataset.classes) == 1 else "classes"
    counts = {use: len(dataset.split(split)) for split, use in USES.items()}
    parts = [f"{count} {use}" for use, count in counts.items() if count]
    return (
        f"{len(dataset)} photos, {len(dataset.boxes)} boxes of {len(dataset.classes)} {kinds} "
        f"({names}): {', '.join(parts)}"
    )


def say_findings(findings: Iterable[Finding], data: str | Path | None = None) -> None:
    """Print `summary` on standard error."""
    for line in summary(findings, data):
        say(plain(line))


def summary(findings: Iterable[Finding], data: str | Path | None = None) -> Iterator[str]:
    """Findings as lines: the worst codes first, at most three of each, and how many more.

    `data` is what to check to see all of them.
    """
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    hidden = False
    for code in sorted(by_code, key=_rank):
        same = by_code[code]
        yield from map(str, same[:SHOWN])
        if len(same) > SHOWN:
            hidden = True
            yield f"{code} ... and {len(same) - SHOWN} more. {MEANINGS[code].title}."
    if hidden and data is not None:
        yield f"`boxwright check {shlex.quote(str(data))}` shows all."


def _rank(code: str) -> tuple[int, str]:
    return WORST_FIRST.index(MEANINGS[code].severity), code
