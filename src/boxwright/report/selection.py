"""Which images a page shows: those with findings first, then examples of every class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        of_findings: index of a finding -> its pictures; the first of each code have some.
        gallery: indices of images to show whole, those with findings first.
        affected: number of images with findings.
    """

    def __init__(self, dataset: Dataset, findings: Sequence[Finding]) -> None:
        index = {name: i for i, name in enumerate(dataset.names)}
        affected = set(chain.from_iterable(finding.images for finding in findings))
        self.affected = len(affected & index.keys())
        codes = [
            _first(same, findings, index)
            for _, same in groupby(range(len(findings)), key=lambda i: findings[i].code)
        ]
        share = _fair_share([sum(map(len, wanted.values())) for wanted in codes])
        self.of_findings = {i: some for wanted in codes for i, some in _shared_out(wanted, share)}
        images = ((one.image for one in chain(*wanted.values())) for wanted in codes)
        self.gallery = _gallery(dataset, images)

    def wanted(self) -> list[Wanted]:
        """All pictures, each once."""
        whole = (Wanted(i) for i in self.gallery)
        return [*dict.fromkeys(chain(*self.of_findings.values(), whole))]


def _first(
    same: Iterable[int], findings: Sequence[Finding], index: Mapping[str, int]
) -> dict[int, list[Wanted]]:
    """The pictures of the first findings of a code that have some, by the finding's index."""
    found: dict[int, list[Wanted]] = {}
    images: set[int] = set()
    for i in same:
        finding = findings[i]
        own = (index[name] for name in finding.images if name in index)
        shown = [*islice(own, 1 if finding.box else GALLERY)]
        if shown:
            found[i] = [Wanted(image, finding.box) for image in shown]
            images.update(shown)
            if len(images) >= GALLERY:
                break
    return found


def _fair_share(numbers: Sequence[int]) -> int:
    """The largest number of pictures that each code may have, if some have fewer."""
    shares = range(PER_CODE, 1, -1)
    fitting = (s for s in shares if sum(min(s, number) for number in numbers) <= FOR_FINDINGS)
    return next(fitting, 1)


def _shared_out(
    wanted: Mapping[int, list[Wanted]], share: int
) -> Iterator[tuple[int, list[Wanted]]]:
    """Each finding of a code with its pictures, `share` in all; groups stay together."""
    limit = max(PER_FINDING, share // max(1, len(wanted)))
    left = share
    for i, candidates in wanted.items():
        chosen = candidates[: min(limit, share)]
        if len(chosen) <= left:
            left -= len(chosen)
            yield i, chosen


def _gallery(dataset: Dataset, codes: Iterable[Iterable[int]]) -> list[int]:
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
