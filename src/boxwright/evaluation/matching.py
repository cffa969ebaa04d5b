"""Matching of detections to ground truth by COCO's rules, stored as flat arrays.

`N` images, `C` classes, `D` detections, `T` = 10 IoU thresholds 0.50, 0.55 ... 0.95. A cell is one
class in one image: boxes match only within a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import EvaluationError
from boxwright.ops.boxes import Boxes, coco_iou, corner_and_sides, parts_within
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.detections import Detections

WITHIN = 0.5  # fraction of a detection
AREAS = {  # COCO's, square pixels, both ends included
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
IOUS = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100  # of a class in an image
PAIRS = 1 << 20  # of a detection and a truth box, compared at once


@dataclass(frozen=True, eq=False)
class DetectionColumns:
    """The detections of all images as columns, image by image, with the truth's class ids.

    Attributes:
        image: `(D,)` index of the image.
        boxes: `(D, 4)` float32 xyxy pixels.
        scores: `(D,)` float32.
        labels: `(D,)` ids into the truth's classes.
    """

    image: NDArray[np.int64]
    boxes: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def above(self, limits: Sequence[float]) -> DetectionColumns:
        """Only detections with at least the score of their class in `limits`, `(C,)`."""
        kept = self.scores >= np.asarray(limits, np.float32)[self.labels]
        return DetectionColumns(
            self.image[kept], self.boxes[kept], self.scores[kept], self.labels[kept]
        )


@dataclass(frozen=True, eq=False)
class Matches:
    """Matches of the detections of one class in all images, best score first.

    Attributes:
        image: `(D,)` index of the image.
        scores: `(D,)` float32.
        rank: `(D,)` rank among the detections of this class in its image; 0 is the best.
        hit: `(T, D)` True for true positives.
        counts: `(T, D)` False for ignored detections (a crowd, another size).
        truths: `(N,)` number of truth boxes in each image.
    """

    image: NDArray[np.int64]
    scores: NDArray[np.float32]
    rank: NDArray[np.int64]
    hit: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    truths: NDArray[np.int64]

    def loosest(self) -> Matches:
        """Only the matches at IoU 0.5."""
        return replace(self, hit=self.hit[:1], counts=self.counts[:1])

    def best(self, per_image: int) -> Matches:
        """Limit the detections to the best `per_image` of every image."""
        keep = self.rank < per_image
        return Matches(
            self.image[keep],
            self.scores[keep],
            self.rank[keep],
            self.hit[:, keep],
            self.counts[:, keep],
            self.truths,
        )


def gather(truth: Dataset, detections: Sequence[Detections]) -> DetectionColumns:
    """Collect the detections in columns. Classes are matched by name, unknown ones dropped, and so
    are detections of classes that nobody looked for in the image.

    Raises:
        EvaluationError: BW601 there is no common class name, BW602 a box or score is not a number.
    """
    if len(detections) != len(truth):
        raise ValueError(f"detections of {len(detections)} images for a truth of {len(truth)}")
    _require_shared_class(truth, detections)
    for index, found in enumerate(detections):
        if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
            raise EvaluationError(
                "BW602",
                "the detector returned a box or a score that is not a number.",
                where=str(truth.image(index)),
            )
    ids = {name: i for i, name in enumerate(truth.classes)}
    labels = [
        np.array([ids.get(name, -1) for name in found.classes], np.int64)[found.labels]
        for found in detections
    ]
    columns = DetectionColumns(
        image=np.repeat(np.arange(len(truth)), [len(found) for found in detections]),
        boxes=np.concatenate([np.zeros((0, 4), np.float32), *(d.boxes for d in detections)]),
        scores=np.concatenate([np.zeros(0, np.float32), *(d.scores for d in detections)]),
        labels=np.concatenate([np.zeros(0, np.int64), *labels]),
    )
    known = columns.labels >= 0
    if truth.verified_classes is not None:
        known[known] = truth.verified_classes[columns.image[known], columns.labels[known]]
    return DetectionColumns(
        columns.image[known], columns.boxes[known], columns.scores[known], columns.labels[known]
    )


def _require_shared_class(truth: Dataset, detections: Sequence[Detections]) -> None:
    known = {name for found in detections for name in found.classes}
    if not known or not truth.classes or known.intersection(truth.classes):
        return
    raise EvaluationError(
        "BW601",
        f"the detector has the classes {_some(known)} and the data {_some(truth.classes)}, with no "
        "name in common.",
        where=truth.root,
    )


def _some(names: Sequence[str] | set[str]) -> str:
    ordered = sorted(names)
    listed = ", ".join(f'"{name}"' for name in ordered[:5])
    return f"{listed} and {len(ordered) - 5} more" if len(ordered) > 5 else listed


def match(
    truth: Dataset, found: DetectionColumns, areas: Sequence[str] = tuple(AREAS)
) -> dict[str, list[Matches]]:
    """Match detections to truth as COCO does: for each of `areas`, one `Matches` per class.

    The best detection chooses first. It takes the free truth box of its cell with the highest IoU;
    a box that is ignored (a crowd, another size) only if no other is left; a crowd is always free.
    CROWD boxes are `iscrowd`; DIFFICULT does not exist in COCO and has no effect. Ignored regions
    are crowds of every class: detections in them are ignored.
    """
    wanted = CellTruth.of(truth)
    ranked = CellDetections.of(found, len(truth.classes), MAX_DETECTIONS)
    pairs, rows = Pairs.of(ranked, wanted), _rows_of_classes(ranked, len(truth.classes))
    return {area: _matches(truth, ranked, wanted, pairs, area, rows) for area in areas}


@dataclass(frozen=True, eq=False)
class CellTruth:
    """Truth boxes cell by cell, in a cell in the order of the data.

    Attributes:
        cell: `(M,)` image x classes + class.
        row: `(M,)` row in the dataset; beyond its boxes for an ignored region.
        boxes: `(M, 4)` x, y, width, height.
        crowd: `(M,)` True where a box is a crowd or an ignored region.
    """

    cell: NDArray[np.int64]
    row: NDArray[np.int64]
    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    @classmethod
    def of(cls, truth: Dataset, *, crowds: bool = True) -> CellTruth:
        """All truth boxes. Without `crowds` a crowd is a box like others, and ignored regions are
        left out."""
        classes, regions = len(truth.classes), len(truth.ignored) if crowds else 0
        image = np.append(truth.image_of_box, np.repeat(truth.image_of_ignored[:regions], classes))
        label = np.append(truth.labels.astype(np.int64), np.tile(np.arange(classes), regions))
        boxes = np.concatenate([truth.boxes, np.repeat(truth.ignored[:regions], classes, axis=0)])
        own = (truth.flags & (CROWD if crowds else 0)) > 0
        crowd = np.append(own, np.ones(regions * classes, np.bool_))
        cell = image * classes + label
        order = np.argsort(cell, kind="stable")
        return cls(cell[order], order, corner_and_sides(boxes[order]), crowd[order])


@dataclass(frozen=True, eq=False)
class CellDetections:
    """Detections cell by cell, best first.

    Attributes:
        cell: `(D,)` image x classes + class.
        row: `(D,)` row of `DetectionColumns`.
        boxes: `(D, 4)` x, y, width, height.
        scores: `(D,)` float32.
        rank: `(D,)` rank in the cell, from 0.
    """

    cell: NDArray[np.int64]
    row: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]
    rank: NDArray[np.int64]

    @classmethod
    def of(
        cls, found: DetectionColumns, classes: int, per_cell: int | None = None
    ) -> CellDetections:
        """All detections, or only the best `per_cell` of each cell."""
        cell = found.image * classes + found.labels
        order = np.lexsort((-found.scores, cell))
        cell = cell[order]
        rank = np.arange(len(cell)) - np.searchsorted(cell, cell)
        kept = rank < (per_cell or len(rank))
        order = order[kept]
        boxes = corner_and_sides(found.boxes[order])
        return cls(cell[kept], order, boxes, found.scores[order], rank[kept])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a detection and a truth box of one cell with an IoU of at least 0.5, by detection.

    Attributes:
        detection, truth: `(P,)` rows of `CellDetections` and `CellTruth`.
        overlap: `(P,)` IoU; for a crowd, the part of the detection inside it.
    """

    detection: NDArray[np.int64]
    truth: NDArray[np.int64]
    overlap: NDArray[np.float64]

    @classmethod
    def of(cls, found: CellDetections, wanted: CellTruth) -> Pairs:
        first = np.searchsorted(wanted.cell, found.cell)
        counts = np.searchsorted(wanted.cell, found.cell, side="right") - first
        parts = [_overlapping(found, wanted, rows, first, counts) for rows in _chunks(counts)]
        detection, truth, overlap = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(detection, truth, overlap)


def _chunks(counts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows in groups whose `counts` sum to about PAIRS; at least one group."""
    totals = np.cumsum(counts)
    cuts = np.searchsorted(totals, np.arange(PAIRS, totals[-1] if len(totals) else 0, PAIRS))
    yield from np.split(np.arange(len(counts)), cuts)


def _overlapping(
    found: CellDetections,
    wanted: CellTruth,
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Detection, truth and IoU of the overlapping pairs of some detections."""
    counts = counts[rows]
    ends = np.cumsum(counts)
    detection = np.repeat(rows, counts)
    truth = np.repeat(first[rows] - ends + counts, counts) + np.arange(len(detection))
    for axis in (0, 1):  # most pairs are apart
        start, end = _ends(found.boxes, axis)
        other_start, other_end = _ends(wanted.boxes, axis)
        near = (start[detection] < other_end[truth]) & (other_start[truth] < end[detection])
        detection, truth = detection[near], truth[near]
    overlap = coco_iou(found.boxes[detection], wanted.boxes[truth], wanted.crowd[truth])
    kept = overlap >= IOUS[0]
    return detection[kept], truth[kept], overlap[kept]


def _ends(boxes: NDArray[np.float64], axis: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last coordinate of each box on an axis, `(n,)`, contiguous in memory."""
    start = np.ascontiguousarray(boxes[:, axis])
    return start, start + boxes[:, axis + 2]


def _other_size(boxes: NDArray[np.float64], area: str) -> NDArray[np.bool_]:
    """`(n,)`: True for boxes of another size than `area`."""
    low, high = AREAS[area]
    size = boxes[:, 2] * boxes[:, 3]
    other: NDArray[np.bool_] = (size < low) | (size > high)
    return other


def _rows_of_classes(found: CellDetections, classes: int) -> list[NDArray[np.int64]]:
    """The rows of each class' detections, best score first."""
    best_first = np.argsort(-found.scores, kind="stable")
    label = found.cell[best_first] % max(classes, 1)
    return [best_first[label == one] for one in range(classes)]


def _matches(
    truth: Dataset,
    found: CellDetections,
    wanted: CellTruth,
    pairs: Pairs,
    area: str,
    rows_of: Sequence[NDArray[np.int64]],
) -> list[Matches]:
    """The matches of every class for one area."""
    ignored = wanted.crowd | _other_size(wanted.boxes, area)
    overlapping, taken = _assign(found, wanted, pairs, ignored)
    hit = np.zeros((len(IOUS), len(found.cell)), np.bool_)
    counts = np.repeat(~_other_size(found.boxes, area)[None], len(IOUS), axis=0)
    hit[:, overlapping] = taken >= 0
    of_ignored = np.append(ignored, False)[taken]
    counts[:, overlapping] = ~of_ignored & (hit[:, overlapping] | counts[:, overlapping])
    classes = len(truth.classes)
    image = found.cell // max(classes, 1)
    cells = np.bincount(wanted.cell[~ignored], minlength=len(truth) * classes)
    truths = cells.reshape(len(truth), classes)
    return [
        Matches(
            image[rows],
            found.scores[rows],
            found.rank[rows],
            hit[:, rows],
            counts[:, rows],
            truths[:, one],
        )
        for one, rows in enumerate(rows_of)
    ]


def _assign(
    found: CellDetections, wanted: CellTruth, pairs: Pairs, ignored: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of detections that overlap a truth box, `(K,)`, and the rows of the boxes that they
    take, `(T, K)`; -1 for none.

    All cells take their turns together: in turn `k` the k-th overlapping detection of every cell
    chooses. Of equal overlaps the last box is taken, as in pycocotools.
    """
    order = np.lexsort((-pairs.truth, -pairs.overlap, ignored[pairs.truth], pairs.detection))
    detection, truth = pairs.detection[order], pairs.truth[order]
    enough = pairs.overlap[order] >= IOUS[:, None]
    overlapping, start, count = np.unique(detection, return_index=True, return_counts=True)
    cell = found.cell[overlapping]
    turn = np.arange(len(cell)) - np.searchsorted(cell, cell)
    taken = np.full((len(IOUS), len(overlapping)), -1)
    by_turn = np.argsort(turn, kind="stable")
    free = np.ones((len(IOUS), len(wanted.cell)), np.bool_)
    for now in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
        choice = np.full((len(IOUS), len(now)), -1)
        for place in range(count[now].max(initial=0)):
            able = np.flatnonzero(count[now] > place)
            pair = start[now[able]] + place
            box = truth[pair]
            accepted = enough[:, pair] & free[:, box] & (choice[:, able] < 0)
            choice[:, able] = np.where(accepted, box, choice[:, able])
        which, column = np.nonzero(choice >= 0)
        boxes = choice[which, column]
        free[which, boxes] = wanted.crowd[boxes]
        taken[:, now] = choice
    return overlapping, taken


def in_ignored_region(truth: Dataset, image: int, boxes: Boxes) -> NDArray[np.bool_]:
    """`(n,)`: True for boxes that are mostly inside an ignored region of their image."""
    parts = parts_within(boxes, truth.ignored_in(image))
    inside: NDArray[np.bool_] = parts.max(axis=1, initial=0) >= WITHIN
    return inside
