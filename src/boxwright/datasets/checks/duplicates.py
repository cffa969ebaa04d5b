"""Findings about duplicate images: redundant within a split, a leak across splits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boxwright.datasets.near_duplicates import Duplicates
from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.images.files import image_bytes
from boxwright.parallel.cores import on_all_cores
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding

NAMED = 4  # images in a message


def with_same_pixels(dataset: Dataset, found: Duplicates) -> Duplicates:
    """The duplicates of which only those pairs are identical whose images have the same pixels.

    The digests of the hashes are those of gray pixels at reduced size.
    """
    pairs = found.pairs[found.identical].tolist()
    identical = found.identical.copy()
    identical[found.identical] = [*on_all_cores(lambda pair: _equal(dataset, *pair), pairs)]
    return replace(found, identical=identical)


def _equal(dataset: Dataset, first: int, second: int) -> bool:
    """True if two images have the same bytes or else the same pixels."""
    images = dataset.image(first), dataset.image(second)
    try:
        content, other = (image_bytes(image) for image in images)
        if content == other:
            return True
        pixels, others = (read_image(image, dataset.decoding) for image in images)
    except (OSError, DataError):  # removed or damaged meanwhile
        return False
    return np.array_equal(pixels, others)


def duplicate_images(dataset: Dataset, found: Duplicates) -> list[Finding]:
    """A finding for each group of duplicates or near-duplicates.

    It is a leak (BW131) if the group is in several splits, and a note (BW130) otherwise.
    """
    copied = np.bincount(found.groups[found.pairs[found.identical, 1]], minlength=len(dataset))
    findings = []
    several = np.flatnonzero(np.bincount(found.groups)[found.groups] > 1)
    several = several[np.argsort(found.groups[several], kind="stable")]
    starts = np.flatnonzero(np.diff(found.groups[several], prepend=-1))
    for group in np.split(several, starts)[1:]:
        names = tuple(dataset.names[i] for i in group)
        extra = int(copied[found.groups[group[0]]])
        same = "are near-duplicates"
        if extra == len(group) - 1:
            same = "have the same pixels"
        elif extra:
            same += f", {extra + 1} with the same pixels"
        splits = {Split(int(split)) for split in dataset.splits[group]} - {Split.UNASSIGNED}
        if len(splits) > 1:
            between = " and ".join(split.name.lower() for split in sorted(splits))
            message = f"{_listed(names)} {same}, and are in {between}"
            findings.append(Finding("BW131", names[0], message, "", names))
        else:
            findings.append(Finding("BW130", names[0], f"{_listed(names)} {same}", "", names))
    return findings


def _listed(names: tuple[str, ...]) -> str:
    """All names but the first, which is the finding's location."""
    others = [name.rpartition("/")[2] for name in names[1 : NAMED + 1]]
    more = [f"{len(names) - 1 - NAMED} more"] if len(names) - 1 > NAMED else []
    *rest, last = [*others, *more]
    return f"it and {', '.join(rest)}{' and ' if rest else ''}{last}"
