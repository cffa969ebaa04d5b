"""Pascal VOC average precision at IoU 0.5.

VOC 2010 and later take the area under the precision envelope, VOC 2007 the mean of the envelope at
11 recalls (Everingham et al., "The Pascal Visual Object Classes Challenge", 2010, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import in_chunks, ratio
from boxwright.evaluation.matching import (
    CellDetections,
    CellTruth,
    DetectionColumns,
    Pairs,
    in_ignored_region,
)
from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset

LEVELS_2007 = np.linspace(0, 1, 11)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The detections of one class in `N` images, best score first, without ignored ones.

    Attributes:
        image: `(D,)` index of the image.
        hit: `(D,)` True for a true positive.
        wanted: `(N,)` number of truth boxes.
    """

    image: NDArray[np.int64]
    hit: NDArray[np.bool_]
    wanted: NDArray[np.int64]

    def average_precision(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """AP of VOC 2010 and of 2007, `(B, 2)`, for `B` weightings `(B, N)` of the images; NaN
        without truth boxes."""
        return in_chunks(self._average_precision, weights, len(self.image))

    def _average_precision(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        wanted = weights @ self.wanted
        hits = np.flatnonzero(self.hit)
        weight = weights[:, self.image]
        seen, gained = np.cumsum(weight, axis=1)[:, hits], weight[:, hits]
        right = np.cumsum(gained, axis=1)
        precision = right / np.maximum(seen, 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        # A recall of exactly 0.3 is 3 / 10, which is not always the float 0.3.
        reached = right / np.maximum(wanted, 1)[:, None] + 1e-9
        after = np.pad(envelope, ((0, 0), (0, 1)))  # 0 beyond the last recall
        first = np.stack([(reached < level).sum(axis=1) for level in LEVELS_2007], axis=1)
        levels = np.take_along_axis(after, first, axis=1).mean(axis=1)
        area = ratio((envelope * gained).sum(axis=1), wanted)
        return np.stack([area, np.where(wanted > 0, levels, np.nan)], axis=1)


def ap50_per_class(
    truth: Dataset, found: DetectionColumns, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AP50 of every class by VOC 2010 and by VOC 2007, `(C, B)`, for `B` weightings of the images;
    NaN for a class without truth boxes.

    DIFFICULT boxes (and CROWD, which VOC does not have) are ignored, and so are detections in
    ignored regions. Boxes are continuous: no pixel is added to their sides, as in the Object
    Detection API and unlike VOC's Matlab code.
    """
    optional = (truth.flags & (DIFFICULT | CROWD)) > 0
    best = _best_truth(truth, found)
    excused = _in_ignored_regions(truth, found)
    result = np.full((2, len(truth.classes), len(weights)), np.nan)
    for label in range(len(truth.classes)):
        wanted = truth.image_of_box[(truth.labels == label) & ~optional]
        rows = np.flatnonzero(found.labels == label)
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        touches = best[rows] >= 0
        ignored = ~touches & excused[rows]
        ignored[touches] = optional[best[rows[touches]]]
        hit = np.zeros(len(rows), np.bool_)
        claims = np.flatnonzero(touches & ~ignored)
        _, first = np.unique(best[rows[claims]], return_index=True)  # later matches are duplicates
        hit[claims[first]] = True
        ranking = Ranking(
            found.image[rows[~ignored]], hit[~ignored], np.bincount(wanted, minlength=len(truth))
        )
        result[:, label] = ranking.average_precision(weights).T
    return result[0], result[1]


def _best_truth(truth: Dataset, found: DetectionColumns) -> NDArray[np.int64]:
    """`(D,)` row of the truth box of the same image and class with the highest IoU, if that is at
    least 0.5; otherwise -1."""
    wanted = CellTruth.of(truth, crowds=False)
    ranked = CellDetections.of(found, len(truth.classes))
    pairs = Pairs.of(ranked, wanted)
    order = np.lexsort((pairs.truth, -pairs.overlap, pairs.detection))
    detection, first = np.unique(pairs.detection[order], return_index=True)
    best = np.full(len(found.labels), -1)
    best[ranked.row[detection]] = wanted.row[pairs.truth[order[first]]]
    return best


def _in_ignored_regions(truth: Dataset, found: DetectionColumns) -> NDArray[np.bool_]:
    inside = np.zeros(len(found.labels), np.bool_)
    for image in np.unique(truth.image_of_ignored):
        rows = np.flatnonzero(found.image == image)
        inside[rows] = in_ignored_region(truth, image, found.boxes[rows])
    return inside
