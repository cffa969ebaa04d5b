"""Whether the packages of the studio are installed."""

from __future__ import annotations

from importlib.util import find_spec

from boxwright.errors import SystemFaultError

NEEDED = ("starlette", "uvicorn")


def check_installed() -> None:
    """Raise SystemFaultError BW901 if a package is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SystemFaultError(
            "BW901",
            f"the package {missing[0]} is required but not installed.",
            package="'boxwright[studio]'",
        )
