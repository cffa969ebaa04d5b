"""User-defined groups of images, such as the frames of a clip or the images of one site."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.formats.folder import folded, split_path, with_slashes
from boxwright.formats.tables import rows

FOLDER = "folder"
COLUMNS = ("photo", "group")


def user_groups(images: Sequence[str], how: str) -> NDArray[np.int64]:
    """Group ids `(N,)`, from 0 without gaps; an image that matches no group has its own.

    Args:
        images: names relative to the data folder.
        how: `folder` for the folder of each image; a CSV file with the columns photo and group; or
            a regular expression that is searched in the names, whose part in parentheses names the
            group.

    Raises:
        DataError: BW195 `how` is none of these, or matches no image.
    """
    if how == FOLDER:
        named: list[str | None] = [split_path(image)[0] for image in images]
    elif Path(how).suffix.lower() == ".csv":
        named = _listed(images, Path(how))
    else:
        named = _by_pattern(images, how)
    if images and all(name is None for name in named):
        raise _unusable(how, f"matches none of the images, such as {images[0]}")
    keys = [f"group {name}" if name is not None else f"image {i}" for i, name in enumerate(named)]
    ids = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([ids[key] for key in keys], np.int64)


def together(*partitions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group ids `(N,)` of the union of partitions, each of which has `(N,)` ids from 0."""
    group = np.arange(len(partitions[0]))
    while True:
        before = group
        for ids in partitions:
            first = np.full(ids.max(initial=0) + 1, len(group))
            np.minimum.at(first, ids, group)
            group = first[ids]
            group = group[group]  # follow one more link
        if (group == before).all():
            return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _by_pattern(images: Sequence[str], pattern: str) -> list[str | None]:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise _unusable(pattern, f"is not a regular expression ({error})") from error
    if not compiled.groups:
        raise _unusable(pattern, "has no group in parentheses")
    found = (compiled.search(image) for image in images)
    return ["/".join(part or "" for part in one.groups()) if one else None for one in found]


def _listed(images: Sequence[str], path: Path) -> list[str | None]:
    try:
        table = [row for _, row in rows(path)]
    except DataError as error:
        raise _unusable(str(path), f"cannot be read as CSV ({error.__cause__})") from error
    header = [cell.lower() for cell in table[0]] if table else []
    if not set(COLUMNS) <= set(header):
        raise _unusable(str(path), "has no columns photo and group")
    image, group = (header.index(column) for column in COLUMNS)
    groups: dict[str, str] = {}
    for row in table[1:]:
        if len(row) > max(image, group):
            groups[folded(with_slashes(row[image]))] = row[group]
    keys = (folded(name) for name in images)
    return [groups.get(key, groups.get(split_path(key)[1])) for key in keys]


def _unusable(how: str, reason: str) -> DataError:
    message = f"the images cannot be grouped: '{how}' {reason}."
    return DataError("BW195", message)
