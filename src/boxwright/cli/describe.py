"""Findings in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from boxwright.console import plain, say
from boxwright.structures.findings import Finding, summary

SHOWN = 3  # places of each code
COLORS = {"error": "red", "warning": "yellow", "note": "blue"}


def say_findings(findings: Iterable[Finding], data: str | Path | None = None) -> None:
    """Print `summary` on standard error."""
    for line in summary(findings, data):
        say(plain(line))


def described(findings: Sequence[Finding]) -> Iterator[str]:
    """Lines about findings of one code: its title, the first places, and what to do."""
    from boxwright.codes import MEANINGS, SIGNS

    code = findings[0].code
    meaning = MEANINGS[code]
    color, sign = COLORS[meaning.severity], SIGNS[meaning.severity]
    times = f" [dim]({len(findings)} times)[/]" if len(findings) > 1 else ""
    yield f"\n[{color}]{sign} {code}[/] [bold]{plain(meaning.title)}[/]{times}"
    yield from (f"    {_place(finding)}" for finding in findings[:SHOWN])
    if len(findings) > SHOWN:
        yield f"    [dim]and {len(findings) - SHOWN} more[/]"
    yield f"  [dim]->[/] {plain(meaning.remedy)}"


def _place(finding: Finding) -> str:
    done = f" [dim]-> {plain(finding.repair)}[/]" if finding.repair else ""
    return f"{plain(finding.where)}: {plain(finding.message)}{done}"
