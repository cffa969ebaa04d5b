"""The class names beside an exported file, for programs that do not read them from it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from boxwright.inference.litert import LABELS_NAME
from boxwright.io.files import write_text
from boxwright.structures.labels import label_map_text

LABEL_MAP_NAME = "label_map.pbtxt"


def labels_text(classes: Sequence[str]) -> str:
    """One name per line, in id order."""
    return "".join(" ".join(name.split()) + "\n" for name in classes)


def write_labels(target: Path, classes: Sequence[str], *, label_map: bool) -> list[Path]:
    """Write `labels.txt` beside an exported file or folder, and with `label_map` also
    `label_map.pbtxt`, whose ids begin at 1.

    A file of that name with other content belongs to another detector, or to its user. It stays,
    and the new one's name begins with that of the export.

    Returns:
        The paths.
    """
    texts = {LABELS_NAME: labels_text(classes)}
    if label_map:
        texts[LABEL_MAP_NAME] = label_map_text(classes)
    written = []
    for name, text in texts.items():
        path = target.with_name(name)
        if path.exists() and not _has(path, text):
            path = target.with_name(f"{target.stem}-{name}")
        if not _has(path, text):
            write_text(path, text)
        written.append(path)
    return written


def _has(path: Path, text: str) -> bool:
    with suppress(OSError):
        return path.read_bytes() == text.encode()
    return False
