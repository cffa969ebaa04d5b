"""Read YOLO's description of a dataset, `data.yaml`: class names, and the images of each split."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken
from boxwright.formats.around import around, is_above
from boxwright.formats.folder import Folder, split_path
from boxwright.io.text import decoded
from boxwright.structures.dataset import Split

SUFFIXES = (".yaml", ".yml")
KEYS = {"train": Split.TRAIN, "val": Split.VAL, "valid": Split.VAL, "test": Split.TEST}
MAX_BYTES = 1 << 18  # bytes, parsed in seconds; a thousand class names take a tenth of it
DEEPEST = 50  # nested brackets; the parser's time grows with their square
NAME_KEYS = ("names", "classes", "class_names")  # of the names; the first is YOLO's
OURS = re.compile(rb"^[\s{]*['\"]?(?:names|nc)['\"]?\s*:", re.MULTILINE)
CLASSES = re.compile(rb"^\{?['\"]?class(?:es|_names)['\"]?\s*:", re.MULTILINE)  # many others too
KEYPOINTS, SHAPES = "pose", ("segment", "obb")  # Ultralytics' tasks
SETTING = re.compile(r"[-+.0-9e]*|true|false|yes|no|on|off|null|~", re.IGNORECASE)  # no path


@dataclass(frozen=True)
class Description:
    """The content of a data.yaml, or of a file with only names.

    Attributes:
        path: the file, below the root.
        names: class id -> name.
        count: the stated number of classes, or None.
        splits: the folders, lists or images of each split.
        base: the stated folder that these are relative to, if any.
        keypoints: True if keypoints follow the box on label lines.
        shapes: True if the lines have shapes, and no keypoints.
        is_dataset: True if it says more than names, which files of other programs may have too.
        is_usual: False if its names are under `classes` or `class_names`, as in other files too.
    """

    path: str
    names: dict[int, str]
    count: int | None = None
    splits: dict[Split, list[str]] = field(default_factory=dict)
    base: str = ""
    keypoints: bool = False
    shapes: bool = False
    is_dataset: bool = True
    is_usual: bool = True


class _UnclearError(Exception):
    """The file describes a YOLO dataset, but an entry has an unknown form."""


def descriptions(folder: Folder) -> Iterator[Description | Broken]:
    """Read each YAML file of the folder that describes a YOLO dataset.

    One with the usual names is preferred to others beside it.
    """
    found = [read_description(folder.root, path) for path in folder.with_suffix(*SUFFIXES)]
    usual = {
        split_path(one.path)[0]
        for one in found
        if isinstance(one, Description) and one.is_dataset and one.is_usual
    }
    for one in found:
        if isinstance(one, Broken) or (
            one and one.is_dataset and (one.is_usual or split_path(one.path)[0] not in usual)
        ):
            yield one


def descriptions_elsewhere(folder: Folder) -> Iterator[Description | Broken]:
    """The files with only names, and those one folder up that name this folder or no folder."""
    here = folder.root.absolute().name
    for path in around(folder, *SUFFIXES):
        found = read_description(folder.root, path)
        if isinstance(found, Description):
            entries = [entry for entries in found.splits.values() for entry in entries]
            parts = {part for entry in entries for part in re.split(r"[/\\]", entry)}
            is_ours = not entries or here in parts
            if is_ours if is_above(path) else not found.is_dataset:
                yield found
        elif found and is_above(path):
            yield found


def read_description(root: Path, path: str) -> Description | Broken | None:
    """Read the file `path` below `root`; None if it has neither names nor a number of classes."""
    try:
        with (root / path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Broken("BW110", path, f"cannot be read ({error.strerror or error})")
    plain = content.replace(b"\0", b"")
    is_ours = OURS.search(plain) is not None
    if not is_ours and not CLASSES.search(plain):
        return None
    found = _parsed(path, content)
    return None if isinstance(found, Broken) and not is_ours else found


def _parsed(path: str, content: bytes) -> Description | Broken | None:
    try:
        if len(content) > MAX_BYTES:
            return Broken("BW110", path, "is too long to describe a dataset")
        if _depth(content) > DEEPEST:
            raise RecursionError
        # Plain scalars stay text, because `no`, `007` and `1e3` are class names too. Tags and
        # merge keys are not resolved, which rules out code execution and alias bombs.
        said = yaml.BaseLoader(decoded(content, path)).get_single_data()
        return _description(path, said) if isinstance(said, dict) else None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        return Broken("BW110", f"{path}{line}", f"is not well-formed YAML ({error.problem})")
    except RecursionError:
        return Broken("BW110", path, "is nested too deeply to describe a dataset")
    except DataError as error:
        return Broken.of(error, path)
    except yaml.YAMLError as error:
        return Broken("BW110", path, f"cannot be read ({str(error).splitlines()[0]})")
    except _UnclearError as error:
        return Broken("BW110", path, str(error))


def _description(path: str, said: dict[Any, Any]) -> Description | None:
    key = next((key for key in NAME_KEYS if _may_be_names(said.get(key))), NAME_KEYS[0])
    is_usual = key == NAME_KEYS[0]
    task = said.get("task") if isinstance(said.get("task"), str) else ""
    telling = [
        key in said,
        "nc" in said,
        any(is_usual or _may_be_paths(said[word]) for word in KEYS if word in said),
        is_usual and not said.keys().isdisjoint({"path", "kpt_shape"}),
        is_usual and task in {*SHAPES, KEYPOINTS},
    ]
    if key not in said and sum(telling[:3]) < 2:
        return None
    splits: dict[Split, list[str]] = {}
    try:
        names = _names(key, said[key]) if key in said else {}
        for word, split in KEYS.items():
            if entries := _entries(word, said.get(word, "")):
                splits.setdefault(split, []).extend(entries)
    except _UnclearError:
        if sum(telling) > 1 and (is_usual or "nc" in said):
            raise
        return None  # of another program
    count, base = said.get("nc"), said.get("path", "")
    return Description(
        path,
        names=names,
        count=int(count) if _is_number(count) else None,
        splits=splits,
        base=base if isinstance(base, str) else "",
        keypoints="kpt_shape" in said or task == KEYPOINTS,
        shapes=task in SHAPES,
        is_dataset=sum(telling) > 1,
        is_usual=is_usual,
    )


def _may_be_paths(said: object) -> bool:
    return isinstance(said, list) or (isinstance(said, str) and not SETTING.fullmatch(said))


def _depth(content: bytes) -> int:
    """Maximum number of open brackets."""
    steps = (1 if sign in b"[{" else -1 for sign in re.findall(rb"[\[\]{}]", content))
    return max(accumulate(steps), default=0)


def _may_be_names(said: object) -> bool:
    """True for a list or mapping, unless it has only numbers, such as those of chosen classes."""
    names = said if isinstance(said, list) else []
    if isinstance(said, dict):
        names = [name for _, name in _by_number(said)]
    return not all(isinstance(name, str) and name.isdecimal() for name in names)


def names_are_keys(pairs: Collection[tuple[Any, Any]]) -> bool:
    """True if a mapping with these keys and values is from class names to numbers."""
    return not all(_is_number(key) for key, _ in pairs) and all(_is_number(one) for _, one in pairs)


def _by_number(said: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """The pairs of a mapping from class numbers to names, or from names to numbers."""
    swap = names_are_keys(said.items())
    return [(value, key) if swap else (key, value) for key, value in said.items()]


def _is_number(said: object) -> TypeGuard[str]:
    return isinstance(said, str) and re.fullmatch("[0-9]{1,6}", said) is not None


def _names(key: str, said: object) -> dict[int, str]:
    if isinstance(said, list):
        pairs = list(enumerate(said))
    elif isinstance(said, dict):
        stated = _by_number(said)
        for number, _ in stated:
            if not _is_number(number):
                raise _UnclearError(
                    f"{key} has the key {str(number)[:40]!r}, which is not a class number"
                )
        pairs = [(int(number), name) for number, name in stated]
        if len(dict(pairs)) < len(pairs):
            raise _UnclearError(f"{key} has two names for one class number")
    else:
        raise _UnclearError(f"{key} is neither a list nor a mapping from class numbers to names")
    for number, name in pairs:
        if not isinstance(name, str):
            raise _UnclearError(f"the name of class {number} is not text")
    return {number: name for number, name in sorted(pairs) if name.strip()}


def _entries(key: str, said: object) -> list[str]:
    entries = said if isinstance(said, list) else [said]
    texts = [place for place in entries if isinstance(place, str)]
    if len(texts) < len(entries):
        raise _UnclearError(f"{key} is neither a path nor a list of paths")
    return [text for text in texts if text.strip()]
