"""The folder of the studio's own files, within the labeled folder."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import SystemFaultError
from boxwright.io.files import write_text

HOME = ".boxwright"
IGNORE = ".gitignore"  # in it, so that Git lists none of its files


def is_made(home: Path) -> bool:
    """True if the folder exists or was made; False if it cannot be."""
    try:
        home.mkdir(exist_ok=True)
        if not (home / IGNORE).exists():
            write_text(home / IGNORE, "*\n")
    except (OSError, SystemFaultError):
        return False
    return True
