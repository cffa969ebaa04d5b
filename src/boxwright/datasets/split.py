"""Split a dataset: seeded, stratified by class, with groups of images kept together."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding

TEST_FRACTION = 0.2

Mask = NDArray[np.bool_]
Ids = NDArray[np.int64]


def hold_out(dataset: Dataset, groups: Ids, fraction: float, seed: int) -> Mask:
    """A mask `(N,)` of about `fraction` of the images, in whole groups.

    The held-out images are stratified by class, as far as the groups allow; images without boxes
    count as a class. A class too rare to divide is not held out. Groups (`(N,)` ids from 0, see
    `near_duplicates.duplicates`) that are too large to hold out are skipped. If nearly all images
    are in such groups, for example from a fixed camera, the last images of the largest group are
    held out.
    """
    nobody, everybody = np.zeros(len(dataset), np.bool_), np.ones(len(dataset), np.bool_)
    held = _fill(dataset, groups, fraction, seed, held=nobody, free=everybody)
    missing = round(fraction * len(dataset)) - int(held.sum())
    if 2 * missing > round(fraction * len(dataset)):
        held[np.flatnonzero(groups == np.bincount(groups).argmax())[-missing:]] = True
    return held


def place(
    dataset: Dataset,
    groups: Ids,
    seed: int,
    *,
    test: float = TEST_FRACTION,
    val: float = 0.0,
    tear: bool = True,
) -> Dataset:
    """Assign a split to the unassigned images; the others keep theirs.

    An unassigned image takes the split of its group, if that has one. Of the rest, whole groups
    are held out until `test` and `val` have about their fractions; the remaining images are for
    training.

    Args:
        dataset: all images, assigned or not.
        groups: `(N,)` ids from 0 of images that belong together.
        seed: random seed.
        test, val: fractions of all images.
        tear: True if a group with nearly all images may be divided. If False and all groups are
            too large, the smallest group is held out.
    """
    splits = _follow(dataset.splits, groups)
    for split, fraction in ((Split.TEST, test), (Split.VAL, val)):
        held, free = splits == split, splits == Split.UNASSIGNED
        if tear and free.all():
            held = hold_out(dataset, groups, fraction, seed)
        else:
            held = _fill(dataset, groups, fraction, seed, held=held, free=free)
        if not tear and round(fraction * len(dataset)) and not held.any():
            held = _smallest(groups, free, rest=splits == Split.TRAIN)
        splits[held] = split
    splits[splits == Split.UNASSIGNED] = Split.TRAIN
    return replace(dataset, splits=splits)


def complete(dataset: Dataset, groups: Ids, seed: int) -> Dataset:
    """Split a dataset without a split into 80 % TRAIN and 20 % TEST; an existing one is kept."""
    if (dataset.splits != Split.UNASSIGNED).any():
        return dataset
    assigned = place(dataset, groups, seed)
    return replace(assigned, findings=(*assigned.findings, *leaked(assigned, groups)))


def leaked(dataset: Dataset, groups: Ids) -> list[Finding]:
    """A finding if a group has images in train and in test (BW121)."""
    splits = dataset.splits
    both = np.intersect1d(groups[splits == Split.TEST], groups[splits == Split.TRAIN])
    if not len(both):
        return []
    in_both = np.isin(groups, both)
    names = tuple(dataset.names[i] for i in np.flatnonzero(in_both))
    message = f"{len(names)} of {len(splits)} images look nearly the same"
    repair = "some are in train and some in test; the score will be too high"
    return [Finding("BW121", "all images", message, repair, names)]


def _fill(
    dataset: Dataset, groups: Ids, fraction: float, seed: int, *, held: Mask, free: Mask
) -> Mask:
    """`held` and free groups, together about `fraction` of the images.

    The method is iterative stratification with groups instead of examples: Sechidis et al., "On the
    stratification of multi-label data", 2011.
    """
    room = round(fraction * len(dataset)) - int(held.sum())
    if room <= 0 or not free.any():
        return held
    sizes = np.bincount(groups)
    seen = _Seen.of(dataset)
    totals = np.bincount(seen.label)
    needs = fraction * totals - np.bincount(seen.label[held[seen.image]], minlength=len(totals))
    starts, classes, counts = seen.by_group(groups)
    open_ = np.bincount(groups, ~free) == 0
    chosen = np.zeros(len(sizes), np.bool_)
    rarity = np.minimum.reduceat(totals[classes], starts[:-1])
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.argsort(rarity[shuffled], kind="stable")]
    order = order[open_[order]]
    for group in order:
        own = slice(starts[group], starts[group + 1])
        rarest = starts[group] + totals[classes[own]].argmin()
        if sizes[group] <= room and needs[classes[rarest]] > counts[rarest] / 2:
            chosen[group] = True
            needs[classes[own]] -= counts[own]
            room -= sizes[group]
    for group in order[::-1]:  # the rest after rounding is from the most frequent classes
        if not chosen[group] and sizes[group] <= room:
            chosen[group] = True
            room -= sizes[group]
    filled: Mask = held | chosen[groups]
    return filled


def _smallest(groups: Ids, free: Mask, *, rest: Mask) -> Mask:
    """The free images of the smallest group, unless that leaves none for the rest."""
    sizes = np.bincount(groups[free], minlength=groups.max(initial=0) + 1)
    smallest: Mask = free & (groups == np.where(sizes, sizes, len(groups) + 1).argmin())
    return smallest if (rest | (free & ~smallest)).any() else np.zeros_like(smallest)


def _follow(splits: NDArray[np.int8], groups: Ids) -> NDArray[np.int8]:
    """Unassigned images take the most frequent split of their group; in a tie test, then val."""
    counts = np.zeros((groups.max(initial=0) + 1, 3), np.int64)
    assigned = splits != Split.UNASSIGNED
    np.add.at(counts, (groups[assigned], splits[assigned]), 1)
    commonest = Split.TEST - counts[:, ::-1].argmax(axis=1)
    led = np.where(counts.any(axis=1), commonest, Split.UNASSIGNED)[groups]
    return np.where(assigned, splits, led).astype(np.int8)


class _Seen(NamedTuple):
    """The classes of each image, as unique pairs.

    Two more classes represent images without boxes: with ignored regions, and without.
    """

    image: Ids
    label: Ids

    @classmethod
    def of(cls, dataset: Dataset) -> _Seen:
        width = len(dataset.classes) + 2
        bare = np.flatnonzero(np.diff(dataset.offsets) == 0)
        nothing = np.isin(bare, dataset.image_of_ignored, invert=True)
        boxes = dataset.image_of_box * width + dataset.labels
        pairs = np.unique(np.concatenate([boxes, bare * width + width - 2 + nothing]))
        return cls(pairs // width, pairs % width)

    def by_group(self, groups: Ids) -> tuple[Ids, Ids, Ids]:
        """For each group its classes, and the number of its images with each class.

        Group `g` has the rows `starts[g]:starts[g + 1]`.
        """
        width = int(self.label.max()) + 1
        keys, counts = np.unique(groups[self.image] * width + self.label, return_counts=True)
        starts = np.searchsorted(keys // width, np.arange(groups.max() + 2))
        return starts, keys % width, counts
