"""All numbers of an evaluation in one structure: `Numbers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation import openimages
from boxwright.evaluation.bootstrap import Measured, interval, mean_over_classes, weightings
from boxwright.evaluation.calibration import Calibration, calibration
from boxwright.evaluation.coco import VOC, VOC07, Evaluation, defined, of_matches, resampled
from boxwright.evaluation.confusion import Confusion, confusion
from boxwright.evaluation.matching import DetectionColumns, Matches, gather, match
from boxwright.evaluation.mistakes import Mistakes, mistakes
from boxwright.evaluation.outcomes import Outcomes, Rates, Sweep
from boxwright.evaluation.slices import (
    SIZES,
    Seen,
    Subset,
    by_brightness,
    by_folder,
    by_leak,
    by_table,
)
from boxwright.evaluation.threshold import FIXED, Threshold
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

SCHEMA = 1
OPEN_IMAGES = "openimages_ap50"


@dataclass(frozen=True)
class Headline(Evaluation):
    """The headline numbers.

    Attributes:
        threshold: the score threshold that `at_threshold` is for, and where it is from.
        at_threshold: precision, recall, F1, false alarms and count error, all classes together.
        calibration: whether scores are probabilities.
        openimages_ap50: mean AP50 of Open Images, with groups and hierarchy; its interval is in
            `intervals` too.
        openimages_per_class: the same by class.
    """

    threshold: Threshold
    at_threshold: Rates
    calibration: Calibration
    openimages_ap50: float | None
    openimages_per_class: Mapping[str, float | None]

    def score(self, name: str) -> float | None:
        """A number by its name in `intervals`."""
        others = {
            VOC: self.voc_ap50,
            VOC07: self.voc07_ap50,
            OPEN_IMAGES: self.openimages_ap50,
        }
        return others[name] if name in others else self.coco[name]

    def short(self) -> dict[str, Any]:
        """The headline numbers alone, as JSON values."""
        return {
            "AP": self.ap,
            "AP50": self.ap50,
            "coco": dict(self.coco),
            **{name: self.score(name) for name in (VOC, VOC07, OPEN_IMAGES)},
            "interval_95": dict(self.intervals),
            "threshold": self.threshold.to_json(),
            "at_threshold": self.at_threshold.to_json(),
            "calibration": self.calibration.ece.to_json(),
        }


@dataclass(frozen=True)
class Numbers(Headline):
    """All numbers of an evaluation. Docs: docs/reference/numbers.md describes the JSON.

    Attributes:
        per_class_at_threshold: `at_threshold` by class.
        sweeps: right and wrong detections at 101 thresholds by class, for curves.
        confusion: true by detected class at the threshold.
        mistakes: TIDE's six kinds.
        slices: parts of the images.
        baseline: a baseline that ignores the images; None without training images.
    """

    per_class_at_threshold: Mapping[str, Rates]
    sweeps: tuple[Sweep, ...]
    confusion: Confusion
    mistakes: Mistakes
    slices: tuple[Subset, ...]
    baseline: Headline | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values as in docs/reference/numbers.md; `null` for "n/a"."""
        return super().to_json() | {
            "schema": SCHEMA,
            "threshold": self.threshold.to_json(),
            "at_threshold": self.at_threshold.to_json(),
            "per_class_at_threshold": {
                name: rates.to_json() for name, rates in self.per_class_at_threshold.items()
            },
            "curves": {one.name: one.to_json() for one in self.sweeps},
            "confusion": self.confusion.to_json(),
            "mistakes": self.mistakes.to_json(),
            "calibration": self.calibration.to_json(),
            OPEN_IMAGES: self.openimages_ap50,
            "openimages_per_class": dict(self.openimages_per_class),
            "slices": [one.to_json() for one in self.slices],
            "baseline": self.baseline.short() if self.baseline else None,
        }


@dataclass(frozen=True)
class How:
    """Options of `numbers`.

    Attributes:
        resamples: of the bootstrap.
        seed: of the bootstrap.
        table: a CSV file to slice by.
        above: classes above each class, for Open Images.
    """

    resamples: int = 1000
    seed: int = 0
    table: Path | None = None
    above: Mapping[str, set[str]] | None = None


def numbers(
    truth: Dataset,
    detections: Sequence[Detections],
    threshold: Threshold,
    *,
    seen: Seen | None = None,
    baseline: Sequence[Detections] | None = None,
    how: How | None = None,
) -> Numbers:
    """Measure detections, one per image of `truth`.

    Args:
        truth: labeled images.
        detections: one per image, with all scores.
        threshold: the score threshold.
        seen: near-duplicates, which the bootstrap draws together, and brightness.
        baseline: detections of a baseline.
        how: further options.

    Raises:
        EvaluationError: BW603 the table does not fit; as `coco.evaluate`.
    """
    how = how or How()
    weights = weightings(len(truth), how.resamples, how.seed, seen.groups if seen else None)
    found = gather(truth, detections)
    matches = match(truth, found)
    outcomes = [Outcomes.of(one) for one in matches["all"]]
    limits = threshold.by_class(truth.classes)
    above = [one.above(limit) for one, limit in zip(outcomes, limits, strict=True)]
    return Numbers(
        **_headline(truth, found, matches, threshold, weights, how),
        per_class_at_threshold={
            name: Rates.of(one, weights) for name, one in zip(truth.classes, above, strict=True)
        },
        sweeps=tuple(map(Sweep.of, truth.classes, outcomes)),
        confusion=confusion(truth, found, limits),
        mistakes=mistakes(truth, found, limits),
        slices=tuple(_slices(truth, matches, limits, weights, seen, how)),
        baseline=None if baseline is None else _baseline(truth, baseline, weights, how),
    )


def _baseline(
    truth: Dataset, detections: Sequence[Detections], weights: NDArray[np.float64], how: How
) -> Headline:
    found = gather(truth, detections)
    threshold = Threshold(0.5, FIXED)
    return Headline(**_headline(truth, found, match(truth, found), threshold, weights, how))


def _headline(
    truth: Dataset,
    found: DetectionColumns,
    matches: Mapping[str, Sequence[Matches]],
    threshold: Threshold,
    weights: NDArray[np.float64],
    how: How,
) -> dict[str, Any]:
    """The fields of a `Headline`; `weights` is `(1 + B, N)`, every image once first."""
    evaluation = of_matches(truth, found, matches, weights)
    open_images = openimages.ap50_per_class(truth, found, weights, how.above)  # (C, 1 + B)
    together = mean_over_classes(open_images)
    outcomes = [Outcomes.of(one) for one in matches["all"]]
    limits = threshold.by_class(truth.classes)
    above = [one.above(limit) for one, limit in zip(outcomes, limits, strict=True)]
    return {
        **{one.name: getattr(evaluation, one.name) for one in fields(evaluation)},
        "intervals": {**evaluation.intervals, OPEN_IMAGES: interval(together[1:])},
        "openimages_ap50": defined(together[0]),
        "openimages_per_class": {
            name: defined(values[0])
            for name, values in zip(truth.classes, open_images, strict=True)
        },
        "threshold": threshold,
        "at_threshold": Rates.of(Outcomes.together(above, len(truth)), weights),
        "calibration": calibration(Outcomes.together(outcomes, len(truth)), weights),
    }


def _slices(
    truth: Dataset,
    matches: Mapping[str, Sequence[Matches]],
    limits: Sequence[float],
    weights: NDArray[np.float64],
    seen: Seen | None,
    how: How,
) -> list[Subset]:
    slices = [
        _subset(("size", size), matches[size], limits, weights)
        for size in SIZES
        if any(one.truths.any() for one in matches[size])
    ]
    parts = by_folder(truth.names)
    if seen:
        parts = by_brightness(seen.brightness) | parts
        if seen.leaked is not None:
            parts |= by_leak(seen.leaked)
    if how.table:
        parts |= by_table(truth.names, how.table)
    return slices + [
        _subset(part, matches["all"], limits, weights * mask) for part, mask in parts.items()
    ]


def _subset(
    part: tuple[str, str],
    matches: Sequence[Matches],
    limits: Sequence[float],
    weights: NDArray[np.float64],
) -> Subset:
    by, name = part
    above = [Outcomes.of(one).above(at) for one, at in zip(matches, limits, strict=True)]
    images, rates = weights[0] > 0, Rates.of(Outcomes.together(above, weights.shape[1]), weights)
    boxes = sum(int(one.truths[images].sum()) for one in matches)
    ap50 = resampled([one.loosest() for one in matches], weights)[1]
    return Subset(
        by,
        name,
        int(images.sum()),
        boxes,
        Measured.of(ap50, boxes),
        rates.recall,
        None if by == "size" else rates.precision,
    )
