"""Meaning: a code in words."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
SIGNS: dict[Severity, str] = {"error": "✖", "warning": "▲", "note": "•"}  # worst first


class Meaning(NamedTuple):
    """A code in words: how bad it is, what it says, how that comes about, what to do.

    An error stops the work or makes its result worthless; a warning costs accuracy or trust; a
    note is worth knowing.
    """

    severity: Severity
    title: str
    cause: str
    remedy: str
