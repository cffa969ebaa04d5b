"""What each code means: the table behind `boxwright explain`."""

from __future__ import annotations

from boxwright.codes.fitness import FITNESS
from boxwright.codes.meaning import Meaning, Severity
from boxwright.codes.reading import READING

__all__ = ["MEANINGS", "Meaning", "Severity"]

MEANINGS: dict[str, Meaning] = {**READING, **FITNESS}
