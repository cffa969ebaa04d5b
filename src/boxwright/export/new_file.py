"""Files that are written once, for people to edit."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import ExportError
from boxwright.io.files import write_text


def write_new(path: Path, text: str) -> None:
    """Write a text file, unless it is there already.

    Raises:
        ExportError: BW412 there is one with other content.
        SystemFaultError: BW902, BW903 it cannot be written.
    """
    if path.exists():
        if path.is_file() and path.read_bytes() == text.encode():
            return
        raise ExportError("BW412", "is there already, with other content.", where=path)
    write_text(path, text)
