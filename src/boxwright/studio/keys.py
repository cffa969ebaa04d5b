"""A file of keys for the studio: which keys do what, where they are not those of a preset."""

from __future__ import annotations

import json
from pathlib import Path

from boxwright.errors import DataError

OWN = "own"  # the preset of the page that has them
MAX_KEYS = 500

Keys = dict[str, list[str]]


def read_keys(path: str | Path) -> Keys:
    """The keys of each action in a file such as `{"next": ["j", "Ctrl+N"], "previous": "k"}`.

    Raises:
        DataError: BW170 it is no such file.
    """
    try:
        said = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, f"it cannot be read ({error})") from error
    if not isinstance(said, dict) or len(said) > MAX_KEYS:
        raise _unusable(path, "it is not an object with the keys of each action")
    keys = {name: [each] if isinstance(each, str) else each for name, each in said.items()}
    for name, each in keys.items():
        if not (isinstance(each, list) and all(isinstance(key, str) and key for key in each)):
            raise _unusable(path, f"'{name}' has no list of keys")
    return keys


def _unusable(path: str | Path, reason: str) -> DataError:
    return DataError("BW170", f"is no file of keys: {reason}.", where=path)
