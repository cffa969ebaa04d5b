"""Findings on the command line: by code, a few of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from boxwright.cli.console import plain, say
from boxwright.codes import MEANINGS
from boxwright.data.findings import Finding

SHOWN = 3  # of each code
WORST_FIRST = ("error", "warning", "note")


def say_findings(findings: Iterable[Finding], data: str | Path) -> None:
    """Print findings on standard error; `data` is where all of them can be looked at."""
    for line in summary(findings, data):
        say(plain(line))


def summary(findings: Iterable[Finding], data: str | Path) -> Iterator[str]:
    """Findings as lines: the worst codes first, at most three of each, and how many more."""
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
    if hidden:
        yield f"`boxwright check {data}` shows all."


def _rank(code: str) -> tuple[int, str]:
    return WORST_FIRST.index(MEANINGS[code].severity), code
