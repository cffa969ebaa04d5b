"""What happens at a score threshold: precision, recall, F1, false alarms and counts at IoU 0.5.

`N` images, `D` detections of one class, `B` weightings of the images (`bootstrap.weightings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import Measured, ratio
from boxwright.evaluation.matching import Matches

SWEEP = np.linspace(0, 1, 101)  # thresholds of a `Sweep`


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The detections of one class at IoU 0.5, best score first, without ignored ones.

    The best detection chooses its truth box first, so what happens above a threshold does not
    depend on the detections below it.

    Attributes:
        image: `(D,)` index of the image.
        scores: `(D,)` float32.
        hit: `(D,)` True for a true positive.
        truths: `(N,)` number of truth boxes in each image.
    """

    image: NDArray[np.int64]
    scores: NDArray[np.float32]
    hit: NDArray[np.bool_]
    truths: NDArray[np.int64]

    @classmethod
    def of(cls, matches: Matches) -> Outcomes:
        kept = matches.counts[0]
        return cls(matches.image[kept], matches.scores[kept], matches.hit[0, kept], matches.truths)

    @classmethod
    def together(cls, several: Sequence[Outcomes], images: int) -> Outcomes:
        """The outcomes of several classes, or of none, in so many images as one list."""
        nothing = np.zeros(0, np.int64)
        empty = cls(
            nothing, np.zeros(0, np.float32), np.zeros(0, np.bool_), np.zeros(images, np.int64)
        )
        parts = [empty, *several]
        order = np.argsort(-np.concatenate([one.scores for one in parts]), kind="stable")
        image, scores, hit = (
            np.concatenate([getattr(one, name) for one in parts])[order]
            for name in ("image", "scores", "hit")
        )
        return cls(image, scores, hit, np.sum([one.truths for one in parts], axis=0))

    def above(self, threshold: float) -> Outcomes:
        """Only the detections with at least this score."""
        kept = self.scores >= np.float32(threshold)
        return Outcomes(self.image[kept], self.scores[kept], self.hit[kept], self.truths)

    def per_image(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`(N,)` numbers of true and of false positives."""
        images = len(self.truths)
        right = np.bincount(self.image[self.hit], minlength=images)
        return right, np.bincount(self.image[~self.hit], minlength=images)


@dataclass(frozen=True)
class Rates:
    """What happens at a threshold, each number over all images.

    Attributes:
        precision: the part of the detections that are right.
        recall: the part of the truth boxes that are found.
        f1: their harmonic mean.
        false_alarms_per_100_images: wrong detections.
        count_error: mean difference between the number of detections and of truth boxes in an
            image, regardless of sign.
    """

    precision: Measured
    recall: Measured
    f1: Measured
    false_alarms_per_100_images: Measured
    count_error: Measured

    @classmethod
    def of(cls, chosen: Outcomes, weights: NDArray[np.float64]) -> Rates:
        """The rates of detections above a threshold; the first of `weights`, `(B, N)`, decides."""
        seen = weights[0] > 0
        detections = int((seen[chosen.image]).sum())
        truths, images = int(chosen.truths[seen].sum()), int(seen.sum())
        counts = (detections, truths, truths, images, images)
        samples = zip(rate_samples(chosen, weights).items(), counts, strict=True)
        return cls(**{name: Measured.of(values, n) for (name, values), n in samples})

    def to_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name).to_json() for one in fields(self)}


def rate_samples(chosen: Outcomes, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The fields of `Rates` for each weighting of the images, `(B,)` each; NaN if undefined."""
    right, wrong = chosen.per_image()
    hits, misses, wanted = (weights @ column for column in (right, wrong, chosen.truths))
    drawn = weights.sum(axis=1)
    difference = weights @ np.abs(right + wrong - chosen.truths)
    return {
        "precision": ratio(hits, hits + misses),
        "recall": ratio(hits, wanted),
        "f1": ratio(2 * hits, hits + misses + wanted),
        "false_alarms_per_100_images": 100 * ratio(misses, drawn),
        "count_error": ratio(difference, drawn),
    }


@dataclass(frozen=True)
class Sweep:
    """The numbers of right and wrong detections of a class at every threshold of SWEEP.

    Precision is `right / (right + wrong)`, recall is `right / truths`.
    """

    name: str
    truths: int
    right: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def of(cls, name: str, outcomes: Outcomes) -> Sweep:
        right, wrong = (
            np.searchsorted(np.sort(outcomes.scores[which]), SWEEP.astype(np.float32))
            for which in (outcomes.hit, ~outcomes.hit)
        )
        hits = int(outcomes.hit.sum())
        misses = len(outcomes.hit) - hits
        return cls(
            name,
            int(outcomes.truths.sum()),
            tuple((hits - right).tolist()),
            tuple((misses - wrong).tolist()),
        )

    def to_json(self) -> dict[str, Any]:
        return {"truths": self.truths, "right": self.right, "wrong": self.wrong}
