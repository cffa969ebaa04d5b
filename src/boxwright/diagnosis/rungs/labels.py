"""Do labels agree with each other?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.boxes import SAME_PLACE
from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.near_duplicates import duplicates
from boxwright.datasets.near_duplicates.hashes import thumbnails
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.errors import DataError
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.detections import Detections
from boxwright.structures.findings import counted

MAX_TWICE = 0.15  # of the boxes may have a box of another class at the same place
MAX_DIFFERENT = 0.4  # of the boxes of duplicates may lack in the other image
MAX_WRONG = 0.3  # of the confident detections may be without label, or of another class
SAME, NEAR = 0.5, 0.1  # IoU of one object, and of anything near it
SAME_GRAY = 4.0  # gray levels: mean difference of the thumbnails of duplicates
MIN_PAIRS, MIN_BOXES = 5, 20
MIN_AP50 = 0.2  # a detector that agrees less with the labels does not know them
REMEDY = (
    "Look at the boxes with `boxwright check DATA --html report.html`, label every object of an "
    "image in one way, and train again."
)


class Confident(NamedTuple):
    """Detections that score as high as the better half of the right ones.

    Attributes:
        number: how many there are.
        unlabeled: the part that is not near any labeled box.
        other: the part at a labeled box of another class.
    """

    number: int
    unlabeled: float
    other: float


def read(case: Case) -> Reading:
    """Compare boxes at one place, duplicates of an image, and labels with confident detections."""
    whole = case.data if case.training is None else case.training
    if not len(whole.boxes):
        return not_checked("no labeled images were given")
    twice = _twice(whole)
    if twice > MAX_TWICE:
        return failed(
            "objects have boxes of two classes",
            f"{twice:.0%} of the boxes have a box of another class at the same place",
            twice,
            MAX_TWICE,
            why="one object cannot be learned as two classes; a few slips do no harm",
            remedy=REMEDY,
        )
    return _duplicates(whole) or _against_detections(case)


def _twice(data: Dataset) -> float:
    """The part of the boxes with a box of another class at the same place."""
    count = 0
    for index in range(len(data)):
        rows = data.rows(index)
        labels, single = data.labels[rows], data.flags[rows] & CROWD == 0
        other = (labels[:, None] != labels) & single[:, None] & single
        over = iou(data.boxes[rows], data.boxes[rows]) >= SAME_PLACE
        count += int((over & other).any(axis=1).sum())
    return count / len(data.boxes)


def _duplicates(data: Dataset) -> Reading | None:
    """Duplicates of one image with different labels."""
    try:
        known, hashes = hash_images(data)
    except DataError:
        return None
    small = thumbnails(hashes).astype(np.int16)
    pairs = [
        (i, j)
        for i, j in duplicates(hashes).pairs.tolist()
        if np.abs(small[i] - small[j]).mean() <= SAME_GRAY
    ]
    missing = boxes = 0
    for i, j in pairs:
        first, second = (
            (known.boxes[known.rows(k)] / np.tile(known.sizes[k], 2), known.labels[known.rows(k)])
            for k in (i, j)
        )
        same = (iou(first[0], second[0]) >= SAME) & (first[1][:, None] == second[1])
        missing += int((~same.any(axis=1)).sum() + (~same.any(axis=0)).sum())
        boxes += same.shape[0] + same.shape[1]
    share = missing / max(boxes, 1)
    if len(pairs) < MIN_PAIRS or boxes < MIN_BOXES or share <= MAX_DIFFERENT:
        return None
    return failed(
        "duplicates of an image are labeled differently",
        f"{share:.0%} of the {boxes} boxes of {counted(len(pairs), 'pair')} of duplicates have no "
        "box of their class at that place in the other image",
        share,
        MAX_DIFFERENT,
        why="who labels an image twice seldom differs in more than a few boxes",
        remedy=REMEDY,
    )


def _against_detections(case: Case) -> Reading:
    """Labels that are missing or of another class where the detector is confident."""
    sets = [("images", case.images, case.found)]
    if case.trained:
        sets.append(("training images", *case.trained))
    seen = [(name, confident(images, found)) for name, images, found in sets]
    known = [(name, one) for name, one in seen if one and one.number >= MIN_BOXES]
    if case.agreement.ap50 < MIN_AP50:
        known = []
    if not known:
        return not_checked("too few right detections to compare labels with")
    name, worst = max(known, key=lambda each: max(each[1].unlabeled, each[1].other))
    share = max(worst.unlabeled, worst.other)
    unlabeled = worst.unlabeled >= worst.other
    what = "are not near any label" if unlabeled else "are at a label of another class"
    found = f"{share:.0%} of {worst.number} confident detections in the {name} {what}"
    why = "the better half of the detections is seldom wrong, unless labels are"
    if share <= MAX_WRONG:
        return passed(found, share, MAX_WRONG, why)
    return failed(
        "objects without labels" if unlabeled else "objects labeled with other classes",
        found,
        share,
        MAX_WRONG,
        why=why,
        remedy=REMEDY,
    )


def confident(images: Dataset, found: Sequence[Detections]) -> Confident | None:
    """Measure the confident detections in some images; None if none is right."""
    names = {name: i for i, name in enumerate(images.classes)}
    columns: list[tuple[NDArray[Any], ...]] = []
    for index, one in enumerate(found):
        rows = images.rows(index)
        overlap = iou(one.boxes, images.boxes[rows])
        labels = np.array([names.get(name, -1) for name in one.classes])[one.labels]
        same = labels[:, None] == images.labels[rows]
        excused = iou(one.boxes, images.ignored_in(index)).max(axis=1, initial=0) >= NEAR
        here = overlap >= SAME
        other = here.any(axis=1) & ~(here & same).any(axis=1)
        alone = (overlap.max(axis=1, initial=0) < NEAR) & ~excused
        columns.append((one.scores, np.asarray(here.any(axis=1)), other, alone))
    if not columns:
        return None
    score, hit, strange, lonely = (np.concatenate(each) for each in zip(*columns, strict=True))
    if not hit.any():
        return None
    sure = score >= np.median(_best_of(score, hit, len(images.boxes)))
    return Confident(int(sure.sum()), float(lonely[sure].mean()), float(strange[sure].mean()))


def _best_of(scores: NDArray[Any], hit: NDArray[Any], boxes: int) -> NDArray[Any]:
    """The scores of the right detections, at most one for each box."""
    return np.sort(scores[hit])[::-1][:boxes]
