"""A training's budget: how long it may take."""

from __future__ import annotations

import re

from boxwright.errors import ArgumentError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
SHORTEST = 15.0  # seconds; starting alone takes ten


def seconds_of(budget: str | float) -> float:
    """`90`, `90s`, `2m` or `1.5h` in seconds; a number is seconds already.

    Raises:
        ArgumentError: BW801 it is no time, or too short for any training.
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
