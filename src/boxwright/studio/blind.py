"""The images for testing, which are labeled blind: without proposals, which would bias the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from boxwright.datasets.split import TEST_FRACTION, place
from boxwright.errors import SystemFaultError
from boxwright.formats.folder import Folder
from boxwright.formats.split_file import SplitFile
from boxwright.formats.splits import find_splits
from boxwright.structures.dataset import Dataset, LabeledImage, Split

SEED = 0


def blind_images(
    folder: Folder, names: Sequence[str], stated: Mapping[str, Split]
) -> frozenset[int]:
    """The indices of the images that are for testing.

    The folder's own split is kept; where it has no test images, those for validation count as such.
    Images without a split are assigned as `boxwright split` does, a fifth of them for testing, and
    the split file remembers it. Near-duplicates are not searched for, as that would decode every
    image first.

    Args:
        folder: the images.
        names: their paths, by index.
        stated: the splits that annotations state, by path.

    Raises:
        DataError: BW120, BW146 or BW160 the folder's split cannot be used.
    """
    before = SplitFile.read(folder.root)
    splits, _ = find_splits(folder, names, [stated.get(name, Split.UNASSIGNED) for name in names])
    if Split.UNASSIGNED in splits:
        earlier = before or SplitFile({}, seed=SEED, test=TEST_FRACTION)
        dataset = place(
            _images(folder, names, splits),
            np.arange(len(names)),
            earlier.seed,
            test=earlier.test,
            val=earlier.val,
        )
        splits = [Split(one) for one in dataset.splits.tolist()]
        assigned = dict(zip(names, splits, strict=True))
        with suppress(SystemFaultError):  # without the file, the next split is the same
            replace(earlier, splits=earlier.splits | assigned).write(folder.root)
    measured = Split.TEST if Split.TEST in splits else Split.VAL
    return frozenset(i for i, split in enumerate(splits) if split is measured)


def _images(folder: Folder, names: Sequence[str], splits: Sequence[Split]) -> Dataset:
    """The images as if nothing were known of them; quick for 100,000."""
    one = Dataset.of(folder.root, [LabeledImage("", 1, 1)])
    many = one.select(np.zeros(len(names), np.int64))
    return replace(many, names=tuple(names), splits=np.array(splits, np.int8))
