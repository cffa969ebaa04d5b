"""Which photos are held out: seeded, stratified by class, near-duplicates kept together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxwright.data.dataset import Dataset, Split
from boxwright.data.findings import Finding
from boxwright.errors import DataError

TEST_FRACTION = 0.2


def hold_out(
    dataset: Dataset, groups: NDArray[np.int64], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """A mask `(N,)` of about `fraction` of the photos, whole groups at a time.

    Every class, and the photos without any, gives its share as nearly as the groups allow; a
    class too rare to share stays where it is. Groups (`(N,)` ids from 0, as `duplicates.groups`
    makes them) too large to be held out whole are passed over, unless nearly all photos are in
    them, as from a camera that never moves: then the last photos of the largest are held out.

    The rule is iterative stratification: Sechidis et al., "On the stratification of multi-label
    data", 2011, with groups for examples.
    """
    room = round(fraction * len(dataset))
    enough = room / 2
    held = np.zeros(len(dataset), np.bool_)
    if room == 0:
        return held
    sizes = np.bincount(groups)
    starts, classes, counts = _classes_of_groups(dataset, groups)
    totals = np.bincount(classes, counts)
    needs = fraction * totals
    chosen = np.zeros(len(sizes), np.bool_)
    rarity = np.minimum.reduceat(totals[classes], starts[:-1])
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.argsort(rarity[shuffled], kind="stable")]
    for group in order:
        own = slice(starts[group], starts[group + 1])
        rarest = starts[group] + totals[classes[own]].argmin()
        if sizes[group] <= room and needs[classes[rarest]] > counts[rarest] / 2:
            chosen[group] = True
            needs[classes[own]] -= counts[own]
            room -= sizes[group]
    for group in order[::-1]:  # what rounding left over comes from the commonest classes
        if not chosen[group] and sizes[group] <= room:
            chosen[group] = True
            room -= sizes[group]
    held = chosen[groups]
    if room > enough:
        held[np.flatnonzero(groups == sizes.argmax())[-room:]] = True
    return held


def complete(dataset: Dataset, groups: NDArray[np.int64], seed: int) -> Dataset:
    """Mark an unmarked data set: four fifths TRAIN, one fifth TEST. Marks that exist are kept."""
    if (dataset.splits != Split.UNMARKED).any():
        return dataset
    held = hold_out(dataset, groups, TEST_FRACTION, seed)
    findings = dataset.findings
    torn = np.intersect1d(groups[held], groups[~held])
    if len(torn):
        alike = int((groups == torn[0]).sum())
        message = f"{alike} of {len(dataset)} photos look nearly the same"
        repair = "the last of them are for testing; the score will flatter the detector"
        findings = (*findings, Finding("BW121", "all photos", message, repair))
    splits = np.where(held, Split.TEST, Split.TRAIN).astype(np.int8)
    return replace(dataset, splits=splits, findings=findings)


def for_evaluation(dataset: Dataset) -> Dataset:
    """The photos a detector is to be judged by: those marked TEST, else those marked VAL.

    Raises:
        DataError: BW122 there are neither.
    """
    for split in (Split.TEST, Split.VAL):
        if (dataset.splits == split).any():
            return dataset.split(split)
    raise DataError(
        "BW122",
        "no photo here is marked for testing or validation.",
        where=dataset.root,
        remedy="Put some labelled photos into a folder named test, or evaluate another folder.",
    )


def _classes_of_groups(
    dataset: Dataset, groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each group the classes in it, and in how many of its photos each is seen.

    Those of group `g` are the rows `starts[g]:starts[g + 1]`. One more class stands for photos
    that show nothing.
    """
    width = len(dataset.classes) + 1
    bare = np.flatnonzero(np.diff(dataset.offsets) == 0)
    seen = np.unique(
        np.concatenate([dataset.photo_of_box * width + dataset.labels, bare * width + width - 1])
    )
    keys, counts = np.unique(groups[seen // width] * width + seen % width, return_counts=True)
    starts = np.searchsorted(keys // width, np.arange(groups.max() + 2))
    return starts, keys % width, counts
