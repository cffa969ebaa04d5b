"""Is this data fit to train on? `load` reads folders, repairs what can be, and splits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boxwright import formats
from boxwright.datasets.checks.classes import not_trained
from boxwright.datasets.checks.images import hash_images
from boxwright.datasets.checks.suitability import none_for_testing
from boxwright.datasets.merge import together
from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.repair import repair
from boxwright.datasets.split import complete
from boxwright.structures.dataset import Dataset, Split


def load(path: str | Path | Sequence[str | Path], *, seed: int = 0) -> Dataset:
    """Labeled images, ready to train on.

        >>> dataset = boxwright.load("images")
        >>> print(len(dataset.split("train")), len(dataset.split("test")))
        24 8
        >>> for finding in dataset.findings:
        ...     print(finding)

    Boxes are repaired where that is safe. The splits that a folder gives are kept; a folder
    without any gets four fifths TRAIN and one fifth TEST, stratified by class, near-duplicates
    together, the same for the same `seed`. All that was odd is in `findings`, and of what the
    check would only advise, what makes a score worthless or none possible: classes that are
    judged but not trained, and no image for testing.

    Args:
        path: a folder, or an annotation file whose images lie around it; or several, which are
            merged in memory as `merge` does. Each is split as it would be alone.
        seed: of the split.

    Raises:
        DataError: a folder is missing (BW115), holds no labeled images (BW114), or its
            annotations cannot be read.
    """
    paths = [path] if isinstance(path, str | Path) else path
    read = [repair(formats.read(each)) for each in paths]
    assigned = [bool((one.splits != Split.UNASSIGNED).any()) for one in read]
    ready = [one if own else _split(one, seed) for one, own in zip(read, assigned, strict=True)]
    dataset = together(ready) if len(ready) > 1 else ready[0]
    advice = (*not_trained(dataset), *none_for_testing(dataset)) if any(assigned) else ()
    return replace(dataset, findings=(*dataset.findings, *advice))


def _split(dataset: Dataset, seed: int) -> Dataset:
    dataset, hashes = hash_images(dataset)
    return complete(dataset, groups(hashes), seed)
