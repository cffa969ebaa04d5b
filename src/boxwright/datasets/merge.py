"""Merge several datasets into one."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright import formats
from boxwright.datasets.convert import check_free, write_verified
from boxwright.datasets.repair import merge_spellings
from boxwright.formats import ReadOptions
from boxwright.formats.writing import still_there
from boxwright.images.files import image_bytes, image_length
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding

SAME = 1.0  # pixels; tolerance for boxes of copies, because some formats round to pixels


@dataclass(frozen=True)
class Source:
    """One of the merged datasets: its path, the name of its format, and the dataset as read."""

    path: Path
    form: str
    dataset: Dataset


@dataclass(frozen=True)
class Merged:
    """The result of a merge.

    Attributes:
        sources: the datasets that were read.
        dataset: the dataset as written; its findings are the conflicts between the sources.
        target: the name of the written format.
        path: the new folder.
        lost: data that the format cannot store, and renamed images (BW140, BW142).
        duplicates: number of images left out because another source has them too.
    """

    sources: tuple[Source, ...]
    dataset: Dataset
    target: str
    path: Path
    lost: tuple[Finding, ...]
    duplicates: int


def merge(
    paths: Sequence[str | Path],
    out: str | Path,
    to: str | None = None,
    *,
    form: str | ReadOptions | None = None,
    link: bool = False,
) -> Merged:
    """Merge datasets of any formats into one new folder.

        >>> done = boxwright.merge(["monday", "tuesday"], "both")
        >>> print(len(done.dataset), done.duplicates)
        8 0

    Classes are matched by name, ignoring case. Byte-identical images are kept once, with the boxes
    of the first source, in test if any source has it there, else in val, else in train. Images
    with the same name are renamed.

    Args:
        paths: folders, archives of them, or annotation files with their images in their folder.
        out: a new or empty folder.
        to: the name of a format; None uses the format of the first source.
        form: the name of the sources' format, or all options of `read`.
        link: hard-link the images instead of copying them, if the file system can.

    Raises:
        DataError: BW194 `out` exists or is inside one of `paths`, BW145 the copy differs from the
            original, and the errors of `formats.read` and `formats.write`.
        SystemFaultError: BW902 the disk is full, BW903 `out` cannot be written.
    """
    check_free(out, paths)
    if to is not None:
        formats.named(to)  # reject a wrong name before minutes of reading
    sources = []
    for path in map(Path, paths):
        sources.append(Source(path, *formats.read_named(path, form)))
    dataset = together([replace(source.dataset, findings=()) for source in sources])
    target = to or sources[0].form
    lost = write_verified(dataset, out, target, link=link)
    duplicates = sum(len(source.dataset) for source in sources) - len(dataset)
    return Merged(tuple(sources), dataset, target, Path(out), tuple(lost), duplicates)


def together(datasets: Sequence[Dataset]) -> Dataset:
    """Merge datasets in memory by the rules of `merge`; nothing is written.

    Images keep their paths. The findings of all datasets are followed by the conflicts between
    them.
    """
    origin = np.repeat(np.arange(len(datasets)), [len(dataset) for dataset in datasets])
    return _without_duplicates(merge_spellings(reduce(Dataset.merge, datasets)), origin)


def _without_duplicates(dataset: Dataset, origin: NDArray[np.int64]) -> Dataset:
    """Keep byte-identical images of several sources once.

    Different boxes become a finding (BW113), as do different splits (BW118).
    """
    keep, splits = np.ones(len(dataset), np.bool_), dataset.splits.copy()
    findings = []
    for images in _duplicates(dataset, origin):
        first = images[0]
        for again in images[1:]:
            keep[again] = False
            if _same_boxes(dataset, first, again):
                continue
            here, there = (len(dataset.labels[dataset.rows(i)]) for i in (first, again))
            kept = dataset.names[first]
            message = f"is identical to {kept} but has other boxes ({there} here, {here} there)"
            repair = f"the boxes of {kept} are kept"
            findings.append(Finding("BW113", dataset.names[again], message, repair))
        splits[first] = dataset.splits[images].max()
        stated = {Split(split).name.lower() for split in dataset.splits[images] if split >= 0}
        if len(stated) > 1:
            message = f"is in {' and '.join(sorted(stated))} of different datasets"
            kept = f"kept in {Split(splits[first]).name.lower()} only"
            findings.append(Finding("BW118", dataset.names[first], message, kept))
    merged = replace(dataset, splits=splits, findings=(*dataset.findings, *findings))
    return merged.select(keep)


def _duplicates(dataset: Dataset, origin: NDArray[np.int64]) -> Iterator[list[int]]:
    """Indices of each group of byte-identical images from several sources, in order."""
    by_size: dict[int, list[int]] = defaultdict(list)
    for i in range(len(dataset)):
        image = dataset.image(i)
        with still_there(image):
            by_size[image_length(image)].append(i)
    for same_size in by_size.values():
        if len(set(origin[same_size])) == 1:
            continue
        by_content: dict[bytes, list[int]] = defaultdict(list)
        for i in same_size:
            image = dataset.image(i)
            with still_there(image):
                by_content[hashlib.sha256(image_bytes(image)).digest()].append(i)
        for same in by_content.values():
            _, first_of_each = np.unique(origin[same], return_index=True)
            if len(first_of_each) > 1:
                yield [same[i] for i in first_of_each]


def _same_boxes(dataset: Dataset, first: int, second: int) -> bool:
    """True if two images have the same boxes of the same classes, in any order."""
    one, other = (
        np.column_stack([dataset.labels[rows], dataset.boxes[rows]])
        for rows in (dataset.rows(first), dataset.rows(second))
    )
    if len(one) != len(other):
        return False
    in_order = [table[np.lexsort(np.rint(table).T[::-1])] for table in (one, other)]
    return any(bool((np.abs(a - b) <= [0, *[SAME] * 4]).all()) for a, b in ((one, other), in_order))
