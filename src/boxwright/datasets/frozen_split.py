"""`boxwright split`: a split that stays when images are added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright import formats
from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.groups import together, user_groups
from boxwright.datasets.near_duplicates import groups as near_duplicate_groups
from boxwright.datasets.repair import repair
from boxwright.datasets.split import TEST_FRACTION, leaked, place
from boxwright.errors import DataError
from boxwright.formats import ReadOptions
from boxwright.formats.split_file import SplitFile
from boxwright.io.archive import is_archive
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding


@dataclass(frozen=True)
class FrozenSplit:
    """The result of `split`.

    Attributes:
        dataset: the labeled images with their splits.
        split_file: the split file as written.
        path: its path.
        placed: number of newly assigned images; the others had a split before.
        gone: number of images in the split file that are no longer in the folder.
        near_duplicates: `(N,)` ids of near-duplicate groups.
        user_groups: `(N,)` ids of the declared groups; None if there are none.
    """

    dataset: Dataset
    split_file: SplitFile
    path: Path
    placed: int
    gone: int
    near_duplicates: NDArray[np.int64]
    user_groups: NDArray[np.int64] | None


def split(
    path: str | Path,
    form: str | ReadOptions | None = None,
    *,
    test: float | None = None,
    val: float | None = None,
    seed: int | None = None,
    groups: str | None = None,
    anew: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> FrozenSplit:
    """Assign each labeled image to a split and save the assignment in `boxwright.split`.

        >>> frozen = boxwright.split("monday", test=0.25)
        >>> print(len(frozen.dataset.split("test")))
        1

    Images that have a split, from an earlier run or from the folder's own lists, keep it; only new
    images are assigned. Near-duplicates and declared groups stay together, and the split is
    stratified by class.

    Args:
        path: a folder of labeled images, or one annotation file.
        form: the name of the format, or all options of `read`.
        test: fraction of the images for testing; None uses the earlier split's, or 0.2.
        val: fraction for validation; None uses the earlier split's, or 0.
        seed: random seed; None uses the earlier split's, or 0.
        groups: images that belong together, as in `groups.user_groups`.
        anew: ignore earlier splits and assign all images again.
        progress: called with the number of images read and the total.

    Raises:
        DataError: BW176 the path is an archive, BW195 or BW198 the groups are unusable or missing,
            BW196 the folder has a split already, BW146 the split file cannot be used, and the
            errors of `load`.
        SystemFaultError: BW902, BW903 the split file cannot be written.
    """
    if Path(path).is_file() and is_archive(Path(path)):
        raise DataError("BW176", "is an archive, which keeps no split.", where=path)
    dataset = repair(formats.read(path, form))
    before = None if anew else SplitFile.read(dataset.root)
    if anew:
        dataset = replace(dataset, splits=np.full_like(dataset.splits, Split.UNASSIGNED))
    elif before is None and (dataset.splits != Split.UNASSIGNED).all():
        raise _has_its_own(dataset)
    dataset = replace(dataset, findings=tuple(f for f in dataset.findings if f.code != "BW119"))
    dataset, hashes = hash_images(dataset, progress)
    earlier = before or SplitFile({}, test=TEST_FRACTION)
    split_file = replace(
        earlier,
        seed=earlier.seed if seed is None else seed,
        test=earlier.test if test is None else test,
        val=earlier.val if val is None else val,
        groups=_declaration(earlier, groups, path),
    )
    near_duplicates = near_duplicate_groups(hashes)
    said = user_groups(dataset.names, split_file.groups) if split_file.groups else None
    assigned = _placed(dataset, near_duplicates, said, split_file)
    assignments = {
        name: Split(one) for name, one in zip(assigned.names, assigned.splits, strict=True)
    }
    split_file = replace(split_file, splits=earlier.splits | assignments)
    return FrozenSplit(
        dataset=assigned,
        split_file=split_file,
        path=split_file.write(dataset.root),
        placed=int((dataset.splits == Split.UNASSIGNED).sum()),
        gone=len(split_file.splits) - len(assignments),
        near_duplicates=near_duplicates,
        user_groups=said,
    )


def _placed(
    dataset: Dataset,
    near_duplicates: NDArray[np.int64],
    said: NDArray[np.int64] | None,
    split_file: SplitFile,
) -> Dataset:
    belonging = near_duplicates if said is None else together(near_duplicates, said)
    if said is not None and not belonging.any() and said.any():
        belonging = said  # a fixed camera: rely on the declared groups alone
    assigned = place(
        dataset,
        belonging,
        split_file.seed,
        test=split_file.test,
        val=split_file.val,
        tear=said is None,
    )
    findings = [*assigned.findings, *leaked(assigned, near_duplicates)]
    if split_file.test and not (assigned.splits == Split.TEST).any():
        message = "there are too few images, or too few groups, to hold out a test set"
        findings.append(Finding("BW122", "all images", message))
    return replace(assigned, findings=tuple(findings))


def _declaration(earlier: SplitFile, groups: str | None, path: str | Path) -> str:
    """How groups are declared; a pattern from a file is never run without the user's consent."""
    if groups is None and earlier.groups:
        raise DataError(
            "BW198",
            "this split keeps declared groups together, and the new images have none yet.",
            where=path,
            groups=earlier.groups,
        )
    return groups or ""


def _has_its_own(dataset: Dataset) -> DataError:
    counts = {split: int((dataset.splits == split).sum()) for split in Split}
    stated = ", ".join(f"{n} {split.name.lower()}" for split, n in counts.items() if n)
    return DataError("BW196", f"the images already have a split: {stated}.", where=dataset.root)
