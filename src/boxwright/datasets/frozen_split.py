"""`boxwright split`: a split that stays when photos are added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright import formats
from boxwright.datasets.checks.images import hash_photos
from boxwright.datasets.groups import declared, together
from boxwright.datasets.near_duplicates import groups as alike_groups
from boxwright.datasets.repair import repair
from boxwright.datasets.split import TEST_FRACTION, place, torn
from boxwright.errors import DataError
from boxwright.formats.split_file import Lock
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding


@dataclass(frozen=True)
class Locked:
    """What `split` did.

    Attributes:
        dataset: the labelled photos, each marked.
        lock: what was written.
        path: where it was written.
        placed: how many photos were placed; the others had their places before.
        gone: how many photos in the lock are not in the folder any more.
        alike: `(N,)` ids of photos that show the same.
        declared: `(N,)` ids of photos that belong together by declaration; None if none was given.
    """

    dataset: Dataset
    lock: Lock
    path: Path
    placed: int
    gone: int
    alike: NDArray[np.int64]
    declared: NDArray[np.int64] | None


def split(
    path: str | Path,
    *,
    test: float | None = None,
    val: float | None = None,
    seed: int | None = None,
    groups: str | None = None,
    anew: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Locked:
    """Decide for good what each labelled photo is for, and write it into `boxwright.split`.

    Photos that have their place, by an earlier run or by the folder's own lists, keep it, so only
    added photos are placed. Near-duplicates and declared groups stay together, and every class
    gives its share of each set.

    Args:
        path: a folder of labelled photos, or one annotation file.
        test: fraction of the photos; that of the earlier split, or 0.2, if None.
        val: the same, or 0.
        seed: of the choice; that of the earlier split, or 0, if None.
        groups: what belongs together, as `groups.declared` takes it.
        anew: whether to place all photos, whatever was said before.
        progress: is told how many of how many photos were looked at.

    Raises:
        DataError: BW195 or BW198 groups cannot be told, BW196 the folder itself says what every
            photo is for, BW146 the earlier lock cannot be used, and what `load` raises.
        SystemFaultError: BW902, BW903 the lock cannot be written.
    """
    dataset = repair(formats.read(path))
    before = None if anew else Lock.read(dataset.root)
    if anew:
        dataset = replace(dataset, splits=np.full_like(dataset.splits, Split.UNMARKED))
    elif before is None and (dataset.splits != Split.UNMARKED).all():
        raise _has_its_own(dataset)
    dataset = replace(dataset, findings=tuple(f for f in dataset.findings if f.code != "BW119"))
    dataset, hashes = hash_photos(dataset, progress)
    earlier = before or Lock({}, test=TEST_FRACTION)
    lock = replace(
        earlier,
        seed=earlier.seed if seed is None else seed,
        test=earlier.test if test is None else test,
        val=earlier.val if val is None else val,
        groups=_declaration(earlier, groups, path),
    )
    alike = alike_groups(hashes)
    said = declared(dataset.names, lock.groups) if lock.groups else None
    marked = _placed(dataset, alike, said, lock)
    marks = {name: Split(mark) for name, mark in zip(marked.names, marked.splits, strict=True)}
    lock = replace(lock, marks=earlier.marks | marks)
    return Locked(
        dataset=marked,
        lock=lock,
        path=lock.write(dataset.root),
        placed=int((dataset.splits == Split.UNMARKED).sum()),
        gone=len(lock.marks) - len(marks),
        alike=alike,
        declared=said,
    )


def _placed(
    dataset: Dataset, alike: NDArray[np.int64], said: NDArray[np.int64] | None, lock: Lock
) -> Dataset:
    belonging = alike if said is None else together(alike, said)
    if said is not None and not belonging.any() and said.any():
        belonging = said  # a camera that never moves: what was declared has to be enough
    marked = place(dataset, belonging, lock.seed, test=lock.test, val=lock.val, tear=said is None)
    findings = [*marked.findings, *torn(marked, alike)]
    if lock.test and not (marked.splits == Split.TEST).any():
        message = "there are too few of them, or too few groups, to hold some out"
        findings.append(Finding("BW122", "all photos", message))
    return replace(marked, findings=tuple(findings))


def _declaration(earlier: Lock, groups: str | None, path: str | Path) -> str:
    """How groups are declared. A pattern in a file is shown to a person, and not run unasked."""
    if groups is None and earlier.groups:
        raise DataError(
            "BW198",
            "this split keeps declared groups together, and new photos have to be told theirs.",
            where=path,
            groups=earlier.groups,
        )
    return groups or ""


def _has_its_own(dataset: Dataset) -> DataError:
    counts = {split: int((dataset.splits == split).sum()) for split in Split}
    stated = ", ".join(f"{n} {split.name.lower()}" for split, n in counts.items() if n)
    return DataError("BW196", f"the photos have a split already: {stated}.", where=dataset.root)
