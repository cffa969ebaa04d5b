"""Reading: the answer of one rung."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PASSED, FAILED, NOT_CHECKED, NOT_REACHED = "passed", "failed", "not checked", "not reached"


@dataclass(frozen=True)
class Reading:
    """What a rung measured.

    Attributes:
        status: `passed`, `failed`, `not checked` or `not reached`.
        found: a sentence with the measured value.
        measured: the value; None if nothing was measured.
        limit: the value at which the rung fails.
        why: the reason for the limit.
        cause: the fault in a few words; empty if there is none.
        remedy: what to do.
    """

    status: str
    found: str
    measured: float | None = None
    limit: float | None = None
    why: str = ""
    cause: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def passed(found: str, measured: float, limit: float, why: str) -> Reading:
    """A rung without fault."""
    return Reading(PASSED, found, round(measured, 4), limit, why)


def failed(
    cause: str, found: str, measured: float, limit: float, *, why: str, remedy: str
) -> Reading:
    """The fault that a rung found."""
    return Reading(FAILED, found, round(measured, 4), limit, why, cause, remedy)


def not_checked(reason: str) -> Reading:
    """A rung that needs something that is not here."""
    return Reading(NOT_CHECKED, reason)
