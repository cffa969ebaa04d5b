"""Which images a page shows: those with findings first, then examples of every class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice, zip_longest

import numpy as np

from boxwright.report.pictures import Wanted
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

FOR_FINDINGS = 108  # pictures of all findings
PER_CODE = 12
PER_FINDING = 4  # pictures of a finding, unless its code has few
GALLERY = 48  # whole images
WITH_FINDINGS = 36  # of these, if there are others
GOLDEN = (5**0.5 - 1) / 2  # its multiples are spread evenly between whole numbers


class Selection:
    """The pictures of a page.

    Attributes:
        of_findings: the pictures of each finding; without any where there are many findings.
        gallery: indices of images to show whole, those with findings first.
        affected: number of images with findings.
    """

    def __init__(self, dataset: Dataset, findings: Sequence[Finding]) -> None:
        index = {name: i for i, name in enumerate(dataset.names)}
        codes: list[list[int]] = []  # the images of each code
        candidates: list[list[list[Wanted]]] = []  # for each code, the pictures of its findings
        for _, same in groupby(findings, key=lambda finding: finding.code):
            codes.append([])
            candidates.append([])
            for finding in same:
                images = [index[name] for name in finding.images if name in index]
                codes[-1] += images
                shown = images[:1] if finding.box else images
                candidates[-1].append([Wanted(i, finding.box) for i in shown])
        share = _fair_share([sum(map(len, wanted)) for wanted in candidates])
        self.of_findings = [
            chosen for wanted in candidates for chosen in _shared_out(wanted, share)
        ]
        self.affected = len(set(chain.from_iterable(codes)))
        self.gallery = _gallery(dataset, codes)

    def wanted(self) -> list[Wanted]:
        """All pictures, each once."""
        whole = (Wanted(i) for i in self.gallery)
        return [*dict.fromkeys(chain(*self.of_findings, whole))]


def _fair_share(numbers: Sequence[int]) -> int:
    """The largest number of pictures that each code may have, if some have fewer."""
    shares = range(PER_CODE, 1, -1)
    fitting = (s for s in shares if sum(min(s, number) for number in numbers) <= FOR_FINDINGS)
    return next(fitting, 1)


def _shared_out(candidates: Sequence[list[Wanted]], share: int) -> Iterator[list[Wanted]]:
    """The pictures of each finding of a code, `share` in all; images of a group stay together."""
    limit = max(PER_FINDING, share // len(candidates))
    left = share
    for wanted in candidates:
        chosen = wanted[: min(limit, share)]
        if len(chosen) > left:
            chosen = []
        left -= len(chosen)
        yield chosen


def _gallery(dataset: Dataset, codes: Sequence[list[int]]) -> list[int]:
    """Images with findings, in turn from each code; then one of each class, and others evenly."""
    in_turn = chain.from_iterable(zip_longest(*codes))
    affected = dict.fromkeys(i for i in in_turn if i is not None)
    others = (i for i in _examples(dataset) if i not in affected)
    rest = sorted(islice(others, GALLERY - min(len(affected), WITH_FINDINGS)))
    return [*islice(affected, GALLERY - len(rest)), *rest]


def _examples(dataset: Dataset) -> Iterator[int]:
    """Distinct images: one of each class, the rarest first, then others from all over the data."""
    _, first, counts = np.unique(dataset.labels, return_index=True, return_counts=True)
    of_classes = dataset.image_of_box[first[np.argsort(counts, kind="stable")]]
    spread = (np.arange(4 * GALLERY) * GOLDEN % 1 * len(dataset)).astype(np.int64)
    if len(dataset):
        yield from dict.fromkeys([*of_classes.tolist(), *spread.tolist()])
