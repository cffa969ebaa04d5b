"""Six kinds of mistakes and what each costs, as TIDE measures them.

Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", 2020. `D`
detections, `M` truth boxes, `C` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.matching import DetectionColumns
from boxwright.ops.boxes import coco_iou, corner_and_sides
from boxwright.structures.dataset import CROWD, Dataset

KINDS = ("class", "location", "both", "duplicate", "background", "missed")
CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND, MISSED = range(6)
RIGHT = -1
LEAST, BACKGROUND_IOU = 0.5, 0.1  # IoU of a match, and of a detection on the background
MAX_DETECTIONS = 100  # in an image, of all classes
RECALLS = np.arange(101) / 100
NOTE = (
    "Each loss is measured alone, with all other mistakes in place: the losses do not add up to "
    "1 - AP50."
)


@dataclass(frozen=True)
class Mistake:
    """One kind: how many there are at the score threshold, and the AP50 that correcting all of
    them at any score, and nothing else, would gain."""

    kind: str
    count: int
    loss: float


@dataclass(frozen=True)
class Mistakes:
    """The kinds of mistakes at IoU 0.5, in the order of KINDS, and the AP50 they are taken from.

    TIDE's AP50 counts at most 100 detections of all classes in an image, and a class that is
    detected but not in the data as 0, so it may differ from COCO's.
    """

    ap50: float | None
    kinds: tuple[Mistake, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "AP50": self.ap50,
            "note": NOTE,
            "kinds": {one.kind: {"count": one.count, "loss": one.loss} for one in self.kinds},
        }


@dataclass(frozen=True, eq=False)
class Classified:
    """What kind of mistake each detection and truth box is.

    Attributes:
        row: `(D,)` rows of `DetectionColumns`, image by image, best score first; at most 100 of
            an image.
        kind: `(D,)` RIGHT, or one of the first five kinds.
        corrected: `(D,)` class it would have if it was corrected; -1 if it would vanish.
        ignored: `(D,)` True in a crowd or an ignored region: not in the AP.
        missed: `(M,)` True for a truth box that no correction of a detection would find.
    """

    row: NDArray[np.int64]
    kind: NDArray[np.int64]
    corrected: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    missed: NDArray[np.bool_]

    def counts(self) -> NDArray[np.int64]:
        """How many mistakes there are of each of KINDS."""
        of_detections = np.bincount(self.kind[self.kind >= 0], minlength=MISSED)
        return np.append(of_detections, self.missed.sum())


def classify(truth: Dataset, found: DetectionColumns) -> Classified:
    """Find the kind of mistake of every detection and truth box."""
    ends = np.searchsorted(found.image, np.arange(len(truth) + 1))
    boxes, wanted = corner_and_sides(found.boxes), corner_and_sides(truth.boxes)
    regions = corner_and_sides(truth.ignored)
    crowd = (truth.flags & CROWD) > 0
    missed = ~crowd
    parts = []
    for index in range(len(truth)):
        rows = np.arange(ends[index], ends[index + 1])
        rows = rows[np.argsort(-found.scores[rows], kind="stable")][:MAX_DETECTIONS]
        if not len(rows):
            continue
        own = np.arange(truth.offsets[index], truth.offsets[index + 1])
        own, crowds = own[~crowd[own]], own[crowd[own]]
        labels = found.labels[rows]
        overlap = _overlaps(boxes[rows], wanted[own], crowd=False)
        same = labels[:, None] == truth.labels[own]
        match = _match(np.where(same, overlap, 0))
        ignored = (_overlaps(boxes[rows], wanted[crowds], crowd=True) > LEAST) & (
            labels[:, None] == truth.labels[crowds]
        )
        start, end = np.searchsorted(truth.image_of_ignored, (index, index + 1))
        inside = _overlaps(boxes[rows], regions[start:end], crowd=True) > LEAST
        excused = (match < 0) & (ignored.any(axis=1) | inside.any(axis=1))
        kind, target = _kinds(overlap, same, match)
        corrected = np.full(len(rows), -1)
        for i in np.flatnonzero(target >= 0):  # the best detection of a truth box corrects it
            box = own[target[i]]
            if missed[box] and target[i] not in match:
                missed[box] = False
                corrected[i] = truth.labels[box]
        missed[own[match[match >= 0]]] = False
        parts.append((rows, kind, corrected, excused))
    nothing = np.zeros(0, np.int64)
    columns = zip(*parts, strict=True) if parts else ([nothing], [nothing], [nothing], [nothing])
    row, kind, corrected, ignored = (np.concatenate(list(column)) for column in columns)
    return Classified(row, kind, corrected, ignored.astype(np.bool_), missed)


def mistakes(truth: Dataset, found: DetectionColumns, limits: Sequence[float]) -> Mistakes:
    """Count the kinds of mistakes at `limits`, the threshold of each class, and measure what each
    kind costs."""
    classified = classify(truth, found)
    counts = classify(truth, found.above(limits)).counts().tolist()
    labels, scores = found.labels[classified.row], found.scores[classified.row]
    crowd = (truth.flags & CROWD) > 0
    wanted = np.bincount(truth.labels[~crowd], minlength=len(truth.classes))
    right = classified.kind == RIGHT
    shown = ~classified.ignored
    ap50 = _mean_ap(labels[shown], scores[shown], right[shown], wanted)
    if ap50 is None:
        return Mistakes(None, ())
    kinds = []
    for number, name in enumerate(KINDS[:MISSED]):
        mine = classified.kind == number
        corrected = mine & (classified.corrected >= 0)
        kept = np.where(mine, corrected, shown)
        better = _mean_ap(
            np.where(corrected, classified.corrected, labels)[kept],
            scores[kept],
            (right | corrected)[kept],
            wanted,
        )
        kinds.append(Mistake(name, counts[number], max((better or 0.0) - ap50, 0.0)))
    found_all = wanted - np.bincount(truth.labels[classified.missed], minlength=len(wanted))
    better = _mean_ap(labels[shown], scores[shown], right[shown], found_all)
    kinds.append(Mistake("missed", counts[MISSED], max((better or 0.0) - ap50, 0.0)))
    return Mistakes(ap50, tuple(kinds))


def _overlaps(
    found: NDArray[np.float64], wanted: NDArray[np.float64], *, crowd: bool
) -> NDArray[np.float64]:
    """`(n, m)` IoU of every pair; with `crowd` the part of the first box in the second."""
    n, m = len(found), len(wanted)
    pairs = coco_iou(np.repeat(found, m, axis=0), np.tile(wanted, (n, 1)), np.full(n * m, crowd))
    return pairs.reshape(n, m)


def _match(overlap: NDArray[np.float64]) -> NDArray[np.int64]:
    """`(n,)` truth box of each detection, best score first; -1 for none."""
    free = overlap.copy()
    match = np.full(len(overlap), -1)
    for i in np.flatnonzero(overlap.max(axis=1, initial=0) >= LEAST):
        best = int(free[i].argmax())
        if free[i, best] >= LEAST:
            match[i] = best
            free[:, best] = 0
    return match


def _kinds(
    overlap: NDArray[np.float64], same: NDArray[np.bool_], match: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(n,)` kind of each detection, and the truth box it nearly found; -1 for none."""
    if not overlap.shape[1]:
        return np.full(len(match), BACKGROUND), np.full(len(match), -1)
    own, other = np.where(same, overlap, 0), np.where(same, 0, overlap)
    used = np.isin(np.arange(overlap.shape[1]), match)
    near, largest = own.argmax(axis=1), own.max(axis=1)
    conditions = [
        match >= 0,
        (largest >= BACKGROUND_IOU) & (largest <= LEAST),
        other.max(axis=1) >= LEAST,
        np.where(used, own, 0).max(axis=1) >= LEAST,
        overlap.max(axis=1) <= BACKGROUND_IOU,
    ]
    kind = np.select(conditions, [RIGHT, LOCATION, CLASS, DUPLICATE, BACKGROUND], BOTH)
    target = np.select([kind == LOCATION, kind == CLASS], [near, other.argmax(axis=1)], -1)
    return kind, target


def _mean_ap(
    labels: NDArray[np.int64],
    scores: NDArray[np.float32],
    right: NDArray[np.bool_],
    wanted: NDArray[np.int64],
) -> float | None:
    """Mean AP50 over the classes that have truth boxes or detections; None without any."""
    order = np.argsort(-scores, kind="stable")
    labels, right = labels[order], right[order]
    values = []
    for label, boxes in enumerate(wanted):
        hit = right[labels == label]
        if not boxes:
            values += [0.0] if len(hit) else []
            continue
        hits, envelope = _precision_envelope(hit)
        reached = np.searchsorted(hits / boxes, RECALLS)
        values.append(float(np.append(envelope, 0.0)[reached].mean()))
    return float(np.mean(values)) if values else None


def _precision_envelope(
    hit: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The number of hits up to each detection, and the best precision there or beyond, `(D,)`
    each; `hit` is best score first."""
    hits: NDArray[np.int64] = np.cumsum(hit, dtype=np.int64)
    precision = hits / np.arange(1, len(hit) + 1)
    envelope: NDArray[np.float64] = np.maximum.accumulate(precision[::-1])[::-1]
    return hits, envelope
