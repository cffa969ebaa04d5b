"""Is this data fit to train on? `load` reads a folder, repairs what can be, and splits it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from boxwright import formats
from boxwright.datasets.checks.classes import not_trained
from boxwright.datasets.checks.images import hash_images
from boxwright.datasets.checks.suitability import none_for_testing
from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.repair import repair
from boxwright.datasets.split import complete
from boxwright.structures.dataset import Dataset, Split


def load(path: str | Path, *, seed: int = 0) -> Dataset:
    """A folder of labelled photos, ready to train on.

        >>> dataset = boxwright.load("images")
        >>> print(len(dataset.split("train")), len(dataset.split("test")))
        24 8
        >>> for finding in dataset.findings:
        ...     print(finding)

    Boxes are repaired where that is safe. The splits that the folder gives are kept; a folder
    without any gets four fifths TRAIN and one fifth TEST, stratified by class, near-duplicates
    together, the same for the same `seed`. All that was odd is in `findings`, and of what the
    doctor would only advise, what makes a score worthless or none possible: classes that are
    judged but not trained, and no photo for testing.

    Raises:
        DataError: the folder is missing (BW115), holds no labelled photos (BW114), or its
            annotations cannot be read.
    """
    dataset = repair(formats.read(path))
    if (dataset.splits != Split.UNASSIGNED).any():
        advice = (*not_trained(dataset), *none_for_testing(dataset))
        return replace(dataset, findings=(*dataset.findings, *advice))
    dataset, hashes = hash_images(dataset)
    return complete(dataset, groups(hashes), seed)
