"""Findings on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from boxwright.console import plain, say
from boxwright.structures.findings import Finding, summary


def say_findings(findings: Iterable[Finding], data: str | Path | None = None) -> None:
    """Print `summary` on standard error."""
    for line in summary(findings, data):
        say(plain(line))
