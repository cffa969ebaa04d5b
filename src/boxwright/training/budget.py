"""The time budget of a training."""

from __future__ import annotations

import re

from boxwright.errors import ArgumentError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
SHORTEST = 15.0  # seconds; starting alone takes ten


def seconds_of(budget: str | float) -> float:
    """Convert `90`, `90s`, `2m` or `1.5h` to seconds; a number is in seconds.

    Raises:
        ArgumentError: BW801 it is not a time, or too short for any training.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(budget).strip().lower())
    if not found:
        raise ArgumentError("BW801", f"{budget!r} is not a time.")
    seconds = float(found[1]) * UNITS[found[2]]
    if seconds < SHORTEST:
        raise ArgumentError(
            "BW801", f"{budget} is too short: starting alone takes about ten seconds."
        )
    return seconds
