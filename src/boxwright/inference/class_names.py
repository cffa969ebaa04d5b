"""Class names from a separate file, for detector files that contain none."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import DetectorError
from boxwright.io.text import decoded
from boxwright.structures.labels import read_label_map

LABEL_MAPS = {".pbtxt", ".pbtext"}
BACKGROUND = {"???", "background"}  # as the first line: the networks have no such class


def read_names(path: str | Path) -> list[str]:
    """Read class names in id order, from a text file with one name per line or a label map.

    TensorFlow's published detectors come with either. The background in the first line of their
    text files is skipped; ids that are missing in a label map get a placeholder.

    Raises:
        DetectorError: BW520 the file cannot be read or contains no names.
        DataError: BW116 the label map is invalid, BW160 the file is not text.
    """
    path = Path(path)
    if path.suffix.lower() in LABEL_MAPS:
        named = read_label_map(path)
        return [named.get(number, placeholder(number - 1)) for number in range(1, max(named) + 1)]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror or error})") from error
    names = [name for line in decoded(content, path).splitlines() if (name := line.strip())]
    if names and names[0].lower() in BACKGROUND:
        del names[0]
    if not names:
        raise _unusable(path, "contains no names")
    if twice := {name for name in names if names.count(name) > 1}:
        raise _unusable(path, f"names {', '.join(sorted(twice))} more than once")
    return names


def placeholder(label: int) -> str:
    """The name of a class id whose name is unknown."""
    return f"class {label}"


def _unusable(path: Path, reason: str) -> DetectorError:
    return DetectorError("BW520", f"{reason}, so the classes have no names.", where=path)
