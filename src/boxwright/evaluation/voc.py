"""Pascal VOC average precision at IoU 0.5.

VOC 2010 and later take the area under the precision envelope, VOC 2007 the mean of the envelope at
11 recalls (Everingham et al., "The Pascal Visual Object Classes Challenge", 2010, section 4.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.matching import (
    CellDetections,
    CellTruth,
    DetectionColumns,
    Pairs,
    in_ignored_region,
)
from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset

LEVELS_2007 = np.linspace(0, 1, 11)


def ap50_per_class(
    truth: Dataset, found: DetectionColumns
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`(C,)` AP50 of every class by VOC 2010 and by VOC 2007; NaN for a class without truth boxes.

    DIFFICULT boxes (and CROWD, which VOC does not have) are ignored, and so are detections in
    ignored regions. Boxes are continuous: no pixel is added to their sides, as in the Object
    Detection API and unlike VOC's Matlab code.
    """
    optional = (truth.flags & (DIFFICULT | CROWD)) > 0
    best = _best_truth(truth, found)
    excused = _in_ignored_regions(truth, found)
    area, levels = np.full((2, len(truth.classes)), np.nan)
    for label in range(len(truth.classes)):
        wanted = int(((truth.labels == label) & ~optional).sum())
        if not wanted:
            continue
        rows = np.flatnonzero(found.labels == label)
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        touches = best[rows] >= 0
        ignored = ~touches & excused[rows]
        ignored[touches] = optional[best[rows[touches]]]
        hit = np.zeros(len(rows), np.bool_)
        claims = np.flatnonzero(touches & ~ignored)
        _, first = np.unique(best[rows[claims]], return_index=True)  # later matches are duplicates
        hit[claims[first]] = True
        area[label], levels[label] = average_precision(hit[~ignored], wanted)
    return area, levels


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


def precision_envelope(
    hit: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The number of hits up to each detection, and the best precision there or beyond, `(D,)`
    each; `hit` is best score first."""
    hits: NDArray[np.int64] = np.cumsum(hit, dtype=np.int64)
    precision = hits / np.arange(1, len(hit) + 1)
    envelope: NDArray[np.float64] = np.maximum.accumulate(precision[::-1])[::-1]
    return hits, envelope


def average_precision(hit: NDArray[np.bool_], wanted: float) -> tuple[float, float]:
    """AP of VOC 2010 and 2007 from the hits `(D,)` among detections, best score first."""
    true_positives, envelope = precision_envelope(hit)
    # A recall of exactly 0.3 is 3 / 10, which is not always the float 0.3.
    first = np.searchsorted(true_positives / wanted + 1e-9, LEVELS_2007)
    at_levels = np.append(envelope, 0.0)[first]
    return float(envelope[hit].sum() / wanted), float(at_levels.mean())
