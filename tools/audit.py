"""Report pinned packages with known vulnerabilities, using pip-audit; part of `make lint`.

The database is on the network. Without it, this says so and passes: the gate also runs offline.
A vulnerability that no release mends is printed and passes too; `make lock` mends the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = sorted((Path(__file__).resolve().parents[1] / "requirements").glob("*.txt"))
PATIENCE = 120  # seconds in all
EXCUSED: dict[str, str] = {}  # vulnerability -> why it does not concern Boxwright


def main() -> int:
    """Print what was found. Returns exit code 1 if a newer release of a package would mend it."""
    try:
        packages = audited()
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        sys.stdout.write(f"pip-audit: not checked, because the database cannot be asked: {error}\n")
        return 0
    checked = [each for each in packages if "vulns" in each]
    found = [
        (f"{package['name']} {package['version']}: {known['id']}", known["fix_versions"])
        for package in checked
        for known in package["vulns"]
        if EXCUSED.keys().isdisjoint({known["id"], *known["aliases"]})
    ]
    asked = f"{len(checked)} of {len(packages)} packages are in the database"
    sys.stdout.write(f"pip-audit: {asked}; {len(found)} known vulnerabilities\n")
    for name, mended in found:
        sys.stdout.write(f"{name}, mended by {', '.join(mended) or 'no release'}\n")
    return int(any(mended for _, mended in found))


def audited() -> list[dict[str, Any]]:
    """The pinned packages with their `vulns`, or the reason why they were not checked.

    Raises:
        OSError, TimeoutExpired: pip-audit cannot be run, or does not end.
        ValueError, KeyError: it printed something else, because the database cannot be reached.
    """
    words = [word for path in PINS for word in ("--requirement", str(path))]
    words += ["--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(  # nosec B603  # this interpreter
        [sys.executable, "-m", "pip_audit", *words, "--progress-spinner", "off", "--timeout", "10"],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    if not done.stdout:
        lines = done.stderr.strip().splitlines()
        raise ValueError(lines[-1] if lines else f"pip-audit ended with {done.returncode}")
    packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return packages


if __name__ == "__main__":
    sys.exit(main())
