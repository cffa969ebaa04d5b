"""Install the system libraries and programs that the tests need, or print how to.

The tests compare boxes with MediaPipe, which loads graphics libraries that no Python package
includes. They open pages in Chromium, and run scripts of pages with Node. As root on Debian or
Ubuntu this script installs what is missing. Elsewhere it prints the names.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

PACKAGES = {"libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2", "libGL.so.1": "libgl1"}
# Package -> commands, of which one is enough. Tests without it are skipped.
PROGRAMS = {
    "chromium": (
        *("chromium", "chromium-browser", "google-chrome"),
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "curl": ("curl",),
    "nodejs": ("node", "nodejs"),
}


def program(package: str) -> str | None:
    """The path of a program of `PROGRAMS`; None if it is not here."""
    return next(filter(None, map(shutil.which, PROGRAMS[package])), None)


def missing() -> list[str]:
    """Return the libraries that cannot be loaded; none on macOS and Windows."""
    return [name for name in PACKAGES if sys.platform == "linux" and not _loads(name)]


def missing_programs() -> list[str]:
    """Return the packages of the programs that are not here; none on macOS and Windows."""
    return [name for name in PROGRAMS if sys.platform == "linux" and not program(name)]


def main() -> int:
    """Install or print what is missing. Returns exit code 1 if libraries are still missing."""
    libraries, programs = [PACKAGES[name] for name in missing()], missing_programs()
    if (libraries or programs) and os.geteuid() == 0 and (apt := shutil.which("apt-get")):
        _apt(apt, "update")
        for packages in (libraries, programs):  # not together: one unknown name stops all
            if packages:
                sys.stderr.write(f"Installing {' '.join(packages)}, for the tests\n")
                _apt(apt, "install", "--yes", "--no-install-recommends", *packages)
    absent = missing()
    if absent:
        sys.stderr.write(
            f"The tests need {', '.join(absent)}: MediaPipe loads them.\n"
            f"Install them first; {_how_to([PACKAGES[name] for name in absent])}"
        )
    if programs := missing_programs():
        sys.stderr.write(f"Without {' and '.join(programs)} some tests are skipped; ")
        sys.stderr.write(_how_to(programs))
    return int(bool(absent))


def _apt(apt: str, verb: str, *words: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [apt, verb, "--quiet=2", *words]
    subprocess.run(command, env=quiet, check=False)  # nosec B603  # our own names


def _how_to(packages: Sequence[str]) -> str:
    return f"on Debian or Ubuntu:\n  sudo apt-get install {' '.join(packages)}\n"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
