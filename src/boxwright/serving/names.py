"""The names of served models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from boxwright.errors import ArgumentError

USABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # in an address, as they are


def named(words: Sequence[str]) -> dict[str, Path]:
    """The paths of `MODEL` or `MODEL=NAME` by their names; a file's default name is its own,
    without suffix.

    Raises:
        ArgumentError: BW810 a name cannot be used, or two models have it.
    """
    models: dict[str, Path] = {}
    for word in words:
        path, name = _parted(word)
        if not USABLE.fullmatch(name):
            raise ArgumentError("BW810", f"{name!r} cannot be the name of a model.", where=word)
        if name in models:
            said = f"{name!r} is the name of {models[name]} too."
            raise ArgumentError("BW810", said, where=word)
        models[name] = path
    return models


def _parted(word: str) -> tuple[Path, str]:
    path, equals, name = word.rpartition("=")
    if equals and not Path(word).exists():
        return Path(path), name
    own = Path(word)
    stem = own.resolve().name if own.is_dir() else own.stem
    return own, re.sub(r"[^A-Za-z0-9._-]+", "-", stem)
