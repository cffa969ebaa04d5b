"""Calibration: does a score of 0.8 mean that 8 of 10 such detections are right?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import Measured, ratio
from boxwright.evaluation.outcomes import Outcomes

BINS = 10
LOWEST = 0.05  # score; below it are thousands of detections that nobody looks at


@dataclass(frozen=True)
class Bin:
    """The detections with scores in one tenth: their number, mean score, and part that is right."""

    count: int
    score: float | None
    precision: float | None


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error (ECE) at IoU 0.5, and the bins it is from.

    ECE is the mean difference between score and precision over bins, weighted by their detections
    (Guo et al., "On calibration of modern neural networks", 2017). Detections with a score below
    LOWEST are left out.
    """

    ece: Measured
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "ece": self.ece.to_json(),
            "lowest_score": LOWEST,
            "bins": [asdict(one) for one in self.bins],
        }


def calibration(outcomes: Outcomes, weights: NDArray[np.float64]) -> Calibration:
    """The calibration of detections; `weights` is `(B, N)`, every image once first."""
    kept = outcomes.above(LOWEST)
    which = np.minimum((kept.scores * BINS).astype(np.int64), BINS - 1)
    cells, shape = kept.image * BINS + which, (len(kept.truths), BINS)
    counts, scores, hits = (
        weights @ np.bincount(cells, column, minlength=shape[0] * BINS).reshape(shape)
        for column in (None, kept.scores, kept.hit)
    )
    ece = ratio(np.abs(scores - hits).sum(axis=1), counts.sum(axis=1))
    columns = (counts[0], ratio(scores, counts)[0], ratio(hits, counts)[0])
    return Calibration(
        Measured.of(ece, len(kept.scores)),
        tuple(
            Bin(int(count), *(None if np.isnan(v) else float(v) for v in (score, precision)))
            for count, score, precision in zip(*columns, strict=True)
        ),
    )
