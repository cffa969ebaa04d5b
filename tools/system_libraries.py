"""Install the system libraries that the tests need, or print how to. Run before the tests.

The tests compare boxes with MediaPipe, which loads graphics libraries that no Python package
includes. As root on Debian or Ubuntu this script installs them. Elsewhere it prints their names.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

PACKAGES = {"libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2", "libGL.so.1": "libgl1"}


def missing() -> list[str]:
    """Return the libraries that cannot be loaded; none on macOS and Windows."""
    return [name for name in PACKAGES if sys.platform == "linux" and not _loads(name)]


def main() -> int:
    """Install or print missing libraries. Returns exit code 1 if any are still missing."""
    wanted = [PACKAGES[name] for name in missing()]
    if wanted and os.geteuid() == 0 and (apt := shutil.which("apt-get")):
        sys.stderr.write(f"Installing {' '.join(wanted)}, which MediaPipe needs\n")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ("install", "--yes", "--quiet=2", "--no-install-recommends", *wanted)
        for words in (("update", "--quiet=2"), install):
            subprocess.run([apt, *words], env=quiet, check=False)
    absent = missing()
    if absent:
        sys.stderr.write(
            f"The tests need {', '.join(absent)}: MediaPipe loads them.\n"
            "Install them first; on Debian or Ubuntu:\n"
            f"  sudo apt-get install {' '.join(PACKAGES[name] for name in absent)}\n"
        )
    return int(bool(absent))


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
