"""`boxwright`, and `python -m boxwright`: the command line, or what it lacks."""

from __future__ import annotations

import re
import sys
from importlib import metadata


def main() -> None:
    """Run the command line. Where Boxwright is installed without its dependencies, which is enough
    to run a .tflite in Python, say which packages are missing."""
    try:
        from boxwright.cli.main import main as command_line
    except ModuleNotFoundError as error:
        missing = _missing()
        if not missing:
            raise
        sys.stderr.write(
            f"BW901 the command line needs {error.name}, which is not installed.\n"
            f"Install it with: pip install {' '.join(missing)}\n"
            "Without it, Python runs a detector: boxwright.Detector.load('detector.tflite')\n"
        )
        sys.exit(1)
    command_line()


def _missing() -> list[str]:
    """The packages that Boxwright requires, without its extras, and that are not installed."""
    required = (line for line in metadata.requires("boxwright") or () if "extra ==" not in line)
    names = (re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required)
    return [name for name in names if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
