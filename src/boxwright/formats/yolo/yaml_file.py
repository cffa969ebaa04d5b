"""YOLO's description of a dataset, `data.yaml`: class names, and where images of a split lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from boxwright.formats.annotations import Broken
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import Split

SUFFIXES = (".yaml", ".yml")
KEYS = {"train": Split.TRAIN, "val": Split.VAL, "valid": Split.VAL, "test": Split.TEST}
MAX_BYTES = 1 << 18  # bytes, which take seconds; a thousand class names are a tenth of it
DEEPEST = 50  # brackets in brackets, for which the parser's time grows with the square
OURS = re.compile(rb"^[\s{]*['\"]?(?:names|nc)['\"]?\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Description:
    """The content of a data.yaml.

    Attributes:
        path: of the file, below the root.
        names: class id -> name.
        count: the number of classes it states; None if it does not.
        splits: for each split the folders, lists or images that it names.
        base: what these are relative to, if it says so.
        keypoints: label lines have key points after the box.
    """

    path: str
    names: dict[int, str]
    count: int | None = None
    splits: dict[Split, list[str]] = field(default_factory=dict)
    base: str = ""
    keypoints: bool = False


class _UnclearError(Exception):
    """The file is about YOLO, but something in it is of no known form."""


def descriptions(folder: Folder) -> Iterator[Description | Broken]:
    """Each yaml file of the folder that describes a YOLO dataset."""
    for path in folder.with_suffix(*SUFFIXES):
        if found := read_description(folder.root, path):
            yield found


def read_description(root: Path, path: str) -> Description | Broken | None:
    """What the file `path` below `root` says; None if it is about something else."""
    try:
        with (root / path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if not OURS.search(content):
            return None
        if len(content) > MAX_BYTES:
            return Broken("BW110", path, "is too long to describe a dataset")
        if _depth(content) > DEEPEST:
            raise RecursionError
        # Its plain strings are what was written: `no`, `007` and `1e3` are class names too. It
        # resolves no tags and no merge keys, so neither code nor an alias bomb can go off.
        said = yaml.load(content.decode("utf-8-sig"), yaml.BaseLoader)
        return _description(path, said) if isinstance(said, dict) else None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        return Broken("BW110", f"{path}{line}", f"is not well-formed YAML ({error.problem})")
    except RecursionError:
        return Broken("BW110", path, "is nested too deeply to describe a dataset")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Broken("BW110", path, f"cannot be read ({str(error).splitlines()[0]})")
    except _UnclearError as error:
        return Broken("BW110", path, str(error))


def _description(path: str, said: dict[Any, Any]) -> Description | None:
    telling = ["names" in said, "nc" in said, not said.keys().isdisjoint(KEYS)]
    if sum(telling) < 2 and not {"names", "path"} <= said.keys():
        return None
    count, base = said.get("nc"), said.get("path", "")
    splits: dict[Split, list[str]] = {}
    for key, split in KEYS.items():
        if entries := _entries(key, said.get(key, "")):
            splits.setdefault(split, []).extend(entries)
    return Description(
        path,
        names=_names(said["names"]) if "names" in said else {},
        count=int(count) if isinstance(count, str) and re.fullmatch("[0-9]{1,6}", count) else None,
        splits=splits,
        base=base if isinstance(base, str) else "",
        keypoints="kpt_shape" in said,
    )


def _depth(content: bytes) -> int:
    """How many brackets are open at most."""
    steps = (1 if sign in b"[{" else -1 for sign in re.findall(rb"[\[\]{}]", content))
    return max(accumulate(steps), default=0)


def _names(said: object) -> dict[int, str]:
    if isinstance(said, list):
        pairs = list(enumerate(said))
    elif isinstance(said, dict):
        for key in said:
            if not (isinstance(key, str) and re.fullmatch("[0-9]{1,6}", key)):
                raise _UnclearError(
                    f"names has the key {str(key)[:40]!r}, which is not a class number"
                )
        pairs = [(int(key), name) for key, name in said.items()]
    else:
        raise _UnclearError("names is neither a list nor a mapping from class numbers to names")
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
