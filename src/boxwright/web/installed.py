"""Whether the packages of the servers are installed."""

from __future__ import annotations

from importlib.util import find_spec

from boxwright.errors import SystemFaultError

NEEDED = {
    "studio": ("starlette", "uvicorn"),
    "serve": ("starlette", "uvicorn", "prometheus_client"),
}


def check_installed(extra: str) -> None:
    """Raise SystemFaultError BW901 if a package of an extra is missing."""
    missing = [name for name in NEEDED[extra] if find_spec(name) is None]
    if missing:
        raise SystemFaultError(
            "BW901",
            f"the package {missing[0]} is required but not installed.",
            package=f"'boxwright[{extra}]'",
        )
