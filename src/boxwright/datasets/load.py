"""`load` reads folders, repairs them and splits them for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boxwright import formats
from boxwright.datasets.checks.classes import not_trained
from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.checks.suitability import none_for_testing
from boxwright.datasets.merge import together
from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.repair import repair
from boxwright.datasets.split import complete
from boxwright.formats import ReadOptions
from boxwright.structures.dataset import Dataset, Split


def load(
    path: str | Path | Sequence[str | Path],
    form: str | ReadOptions | None = None,
    *,
    seed: int = 0,
) -> Dataset:
    """Load labeled images for training: read, repair and split them.

        >>> dataset = boxwright.load("images")
        >>> print(len(dataset.split("train")), len(dataset.split("test")))
        24 8
        >>> for finding in dataset.findings:
        ...     print(finding)

    Boxes are repaired where that is safe. An existing split is kept; a folder without one is split
    into 80 % TRAIN and 20 % TEST, stratified by class, with near-duplicates on the same side;
    equal seeds give equal splits. `findings` has all problems of the data. Of the advice of
    `boxwright check` it has only what makes a score worthless: classes without training boxes,
    and a missing test set.

    Args:
        path: a folder, an archive of one, or an annotation file with its images in its folder; or
            several, which are merged in memory by the rules of `merge`. Each is split on its own.
        form: the name of a format, or all options of `read`.
        seed: random seed of the split.

    Raises:
        DataError: a folder is missing (BW115), holds no labeled images (BW114), or its
            annotations cannot be read.
    """
    paths = [path] if isinstance(path, str | Path) else path
    read = [repair(formats.read(each, form)) for each in paths]
    assigned = [bool((one.splits != Split.UNASSIGNED).any()) for one in read]
    ready = [one if own else _split(one, seed) for one, own in zip(read, assigned, strict=True)]
    dataset = together(ready) if len(ready) > 1 else ready[0]
    advice = (*not_trained(dataset), *none_for_testing(dataset)) if any(assigned) else ()
    return replace(dataset, findings=(*dataset.findings, *advice))


def _split(dataset: Dataset, seed: int) -> Dataset:
    dataset, hashes = hash_images(dataset)
    return complete(dataset, groups(hashes), seed)
