"""A data set in a line, and its findings on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from boxwright.cli.console import plain, say
from boxwright.data.dataset import Dataset
from boxwright.data.findings import Finding, summary

NAMED = 5  # classes that are named
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
