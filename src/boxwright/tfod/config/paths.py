"""Resolution of paths in configs and flags, with helpful errors for wrong ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from boxwright.errors import TfodError, WeightsError
from boxwright.structures.labels import closest_name

if TYPE_CHECKING:
    from boxwright.models.weights.published import Published

PATTERN = re.compile(r"[*?\[]")
DEPTH, MANY = 2, 1000  # levels of folders, and files in each, in which a lost file is looked for
TFLITE = ".tflite"
FAMILIES = ("ssd", "ssd_fpn")  # of the networks that a config may have
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")  # start of an absolute path on Windows


def existing(given: str, where: str) -> Path:
    """Return the path of an existing file or folder.

    Raises:
        TfodError: BW726 it does not exist; the message has the absolute path and its nearest
            existing parent.
    """
    path = Path(given).expanduser()
    if _exists(path):
        return path
    kind = ""
    if WINDOWS.match(given) and os.name != "nt":
        kind = ". This is a Windows path"
    if "://" in given:
        kind = ". This is a remote path"
    raise TfodError("BW726", f"{nowhere(path)}{kind}.", where=where)


def matching(given: str, where: str) -> list[Path]:
    """Return the files of a path or a pattern such as `train.record-?????-of-00010`.

    Raises:
        TfodError: BW726 there is no such file.
    """
    path = Path(given).expanduser().absolute()
    pattern = str(path.relative_to(path.anchor))
    if PATTERN.search(given) and not _exists(path) and "\0" not in given:
        found = sorted(Path(path.anchor).glob(pattern))
        if found:
            return found
    return [existing(given, where)]


def elsewhere(given: str, folders: Iterable[Path]) -> str:
    """Return the path of the only file of that name, or of that pattern, in some folders; empty if
    there is none, or more than one."""
    name = re.split(r"[/\\]+", given)[-1]
    found = {place / name for place in folders if name and _holds(place, name)}
    longest_first = sorted(found, key=lambda path: -len(str(path)))
    unique = {path.parent.resolve(): path for path in longest_first}
    return next(iter(unique.values())).as_posix() if len(unique) == 1 else ""


def folders_in(root: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Yield a folder and those in it, some levels deep."""
    yield root
    inside = islice(sorted(root.iterdir()), MANY) if depth and root.is_dir() else ()
    for path in inside:
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from folders_in(path, depth - 1)


def _holds(folder: Path, name: str) -> bool:
    if PATTERN.search(name):
        return any(folder.glob(name))
    return _exists(folder / name) or _exists(folder / f"{name}.index")


def nowhere(path: Path) -> str:
    """Describe a path that does not exist, and its nearest existing parent."""
    tried = path.absolute()
    chain = [tried, *tried.parents]
    missing, nearest = next(pair for pair in pairwise(chain) if _exists(pair[1]))
    names = [each.name for each in nearest.iterdir()] if nearest.is_dir() else []
    near = closest_name(missing.name, names)
    similar = f", which contains {near}" if near else ""
    return f"{tried} does not exist; the nearest existing parent is {nearest}{similar}"


def weights(given: str, where: str) -> Path | Published:
    """Return what a training starts from: a checkpoint's prefix, a .tflite, or a model of the zoo.

    Raises:
        TfodError: BW728 there is none; the remedy names the right one if it can be found.
    """
    from boxwright.models.weights import zoo

    path = Path(given).expanduser()
    published = None if _exists(path) else zoo.of_title(given)
    if published and published.family in FAMILIES:
        return published
    return path if path.suffix == TFLITE and path.is_file() else checkpoint(given, where)


def of_zoo(given: str) -> str:
    """Return the name of the zoo's model in whose folder a path lies; empty if there is none."""
    from boxwright.models.weights import zoo

    titles = map(zoo.of_title, reversed(re.split(r"[/\\]+", given)))
    return next((each.name for each in titles if each), "")


def checkpoint(given: str, where: str) -> Path:
    """Return the prefix of a complete checkpoint; for a folder, of its latest checkpoint.

    Raises:
        TfodError: BW728 invalid checkpoint; the remedy names the right one if it can be found.
    """
    from boxwright.models.weights.checkpoint import exists, find_prefix  # takes seconds: Keras

    path = Path(given).expanduser()
    if not exists(path) and not path.suffix.startswith((".index", ".meta", ".data-")):
        raise _no_checkpoint(nowhere(path), where, _prefixes_near(path) or of_zoo(given))
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
    """Return similar checkpoints in the folder; empty if there are none."""
    found = sorted(index.stem for index in path.parent.glob("*.index"))
    near = closest_name(path.name, found)
    return " or ".join(path.with_name(name).as_posix() for name in ([near] if near else found[:3]))


def _no_checkpoint(reason: str, where: str, prefixes: str = "") -> TfodError:
    return TfodError(
        "BW728", f"found no checkpoint to start from: {reason}.", where=where, prefixes=prefixes
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # the name is too long or has a null byte
        return False
