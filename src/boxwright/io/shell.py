"""Words of command lines that are shown to be copied."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path


def quoted(word: str | Path) -> str:
    """Return a word, such as a path, quoted for the shell of this system."""
    text = str(word)
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)
