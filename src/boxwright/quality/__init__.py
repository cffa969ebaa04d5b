"""Is this data fit to train on? `load` reads a folder, repairs what can be, and splits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright import formats
from boxwright.data.dataset import Dataset, Split
from boxwright.data.findings import Finding
from boxwright.data.images import read_photo
from boxwright.errors import DataError
from boxwright.quality.checks import repair
from boxwright.quality.classes import not_trained
from boxwright.quality.duplicates import groups, photo_hash
from boxwright.quality.fitness import none_for_testing
from boxwright.quality.split import complete

ENOUGH = 128  # pixels of a photo's sides that tell whether it shows the same as another


def load(path: str | Path, *, seed: int = 0) -> Dataset:
    """A folder of labelled photos, ready to train on.

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
    if (dataset.splits != Split.UNMARKED).any():
        advice = (*not_trained(dataset), *none_for_testing(dataset))
        return replace(dataset, findings=(*dataset.findings, *advice))
    dataset, hashes = hash_photos(dataset)
    return complete(dataset, groups(hashes), seed)


def hash_photos(
    dataset: Dataset, progress: Callable[[int, int], None] | None = None
) -> tuple[Dataset, NDArray[np.uint8]]:
    """The photos that can be decoded, and their `(N, 4104)` hashes; the others become findings.

    `progress` is told after each photo how many of how many are done.

    Raises:
        DataError: BW102 not one can be decoded.
    """
    hashes, broken = {}, []
    for i in range(len(dataset)):
        try:
            hashes[i] = photo_hash(read_photo(dataset.photo(i), at_least=ENOUGH))
        except DataError as error:
            broken.append((error, Finding(error.code, dataset.names[i], error.message, "left out")))
        if progress:
            progress(i + 1, len(dataset))
    if not hashes:
        raise broken[0][0]
    if broken:
        kept = dataset.select(list(hashes))
        dataset = replace(kept, findings=(*kept.findings, *(finding for _, finding in broken)))
    return dataset, np.stack(list(hashes.values()))
