"""Paths as people write them into configs and commands: whether they lead somewhere, and where."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

from boxwright.errors import TfodError, WeightsError
from boxwright.structures.labels import closest_name

PATTERN = re.compile(r"[*?\[]")
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")  # how an absolute path begins there


def existing(given: str, where: str) -> Path:
    """The path of a file or folder that is there.

    Raises:
        TfodError: BW726 with the absolute path that was tried and the nearest that exists.
    """
    path = Path(given).expanduser()
    if _exists(path):
        return path
    kind = ""
    if WINDOWS.match(given) and os.name != "nt":
        kind = ", and the path is one of Windows"
    if "://" in given:
        kind = ", and the path is not of this machine"
    raise TfodError("BW726", f"{nowhere(path)}{kind}.", where=where)


def matching(given: str, where: str) -> list[Path]:
    """The files that a path or a pattern such as `train.record-?????-of-00010` means.

    Raises:
        TfodError: BW726 there is none.
    """
    path = Path(given).expanduser().absolute()
    pattern = str(path.relative_to(path.anchor))
    if PATTERN.search(given) and not _exists(path) and "\0" not in given:
        found = sorted(Path(path.anchor).glob(pattern))
        if found:
            return found
    return [existing(given, where)]


def nowhere(path: Path) -> str:
    """Where a path that does not exist would lead, and how much of it exists."""
    tried = path.absolute()
    chain = [tried, *tried.parents]
    missing, nearest = next(pair for pair in pairwise(chain) if _exists(pair[1]))
    names = [each.name for each in nearest.iterdir()] if nearest.is_dir() else []
    near = closest_name(missing.name, names)
    similar = f", which holds {near}" if near else ""
    return f"there is no {tried}; the nearest that exists is {nearest}{similar}"


def checkpoint(given: str, where: str) -> Path:
    """The prefix of the checkpoint's files, of which all are there; of a folder, the latest.

    Raises:
        TfodError: BW728 it is none; the right one is named where it can be found.
    """
    from boxwright.models.weights.checkpoint import exists, find_prefix  # takes seconds: Keras

    path = Path(given).expanduser()
    if not exists(path) and not path.suffix.startswith((".index", ".meta", ".data-")):
        raise _no_checkpoint(nowhere(path), where, _prefixes_near(path))
    try:
        prefix = find_prefix(path)
    except WeightsError as error:
        raise _no_checkpoint(
            f"{error.where} {error.message.rstrip('.')}", where, error.facts.get("prefix", "")
        ) from error
    if not any(prefix.parent.glob(f"{prefix.name}.data-*")):
        reason = f"{prefix.absolute()} has an .index file, but its .data-00000-of-00001 is missing"
        raise _no_checkpoint(reason, where)
    return prefix


def _prefixes_near(path: Path) -> str:
    """The checkpoints in the folder that may be meant; empty if there are none."""
    found = sorted(index.stem for index in path.parent.glob("*.index"))
    near = closest_name(path.name, found)
    return " or ".join(path.with_name(name).as_posix() for name in ([near] if near else found[:3]))


def _no_checkpoint(reason: str, where: str, prefixes: str = "") -> TfodError:
    return TfodError(
        "BW728", f"there is no checkpoint to begin from: {reason}.", where=where, prefixes=prefixes
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, or one with a null byte
        return False
