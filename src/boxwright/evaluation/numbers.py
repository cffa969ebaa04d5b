"""All numbers of an evaluation in one structure: `Numbers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation import openimages
from boxwright.evaluation.bootstrap import Measured, weightings
from boxwright.evaluation.calibration import Calibration, calibration
from boxwright.evaluation.coco import Evaluation, evaluate, resampled
from boxwright.evaluation.confusion import Confusion, confusion
from boxwright.evaluation.matching import Matches, gather, match
from boxwright.evaluation.mistakes import Mistakes, mistakes
from boxwright.evaluation.outcomes import Outcomes, Rates, Sweep
from boxwright.evaluation.slices import SIZES, Seen, Subset, by_brightness, by_folder, by_table
from boxwright.evaluation.threshold import FIXED, Threshold
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

SCHEMA = 1


@dataclass(frozen=True)
class Numbers(Evaluation):
    """All numbers of an evaluation. Docs: docs/reference/numbers.md describes the JSON.

    Attributes:
        threshold: the score threshold that `at_threshold` is for, and where it is from.
        at_threshold: precision, recall, F1, false alarms and count error, all classes together.
        per_class_at_threshold: the same by class.
        sweeps: right and wrong detections at 101 thresholds by class, for curves.
        confusion: true by detected class at the threshold.
        mistakes: TIDE's six kinds.
        calibration: whether scores are probabilities.
        openimages_ap50: mean AP50 of Open Images, with groups and hierarchy.
        openimages_per_class: the same by class.
        slices: parts of the images.
        baseline: the same of a baseline that ignores the images; None without training images.
    """

    threshold: Threshold
    at_threshold: Rates
    per_class_at_threshold: Mapping[str, Rates]
    sweeps: tuple[Sweep, ...]
    confusion: Confusion
    mistakes: Mistakes
    calibration: Calibration
    openimages_ap50: float | None
    openimages_per_class: Mapping[str, float | None]
    slices: tuple[Subset, ...]
    baseline: Numbers | None = None

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
            "openimages_ap50": self.openimages_ap50,
            "openimages_per_class": dict(self.openimages_per_class),
            "slices": [one.to_json() for one in self.slices],
            "baseline": self.baseline.short() if self.baseline else None,
        }

    def short(self) -> dict[str, Any]:
        """The headline numbers alone, as JSON values."""
        return {
            "AP": self.ap,
            "AP50": self.ap50,
            "interval_95": {"AP": self.ap_interval, "AP50": self.ap50_interval},
            "threshold": self.threshold.to_json(),
            "at_threshold": self.at_threshold.to_json(),
            "calibration": self.calibration.ece.to_json(),
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
    groups = seen.groups if seen else None
    evaluation = evaluate(truth, detections, resamples=how.resamples, seed=how.seed, groups=groups)
    found, weights = (
        gather(truth, detections),
        weightings(len(truth), how.resamples, how.seed, groups),
    )
    matches = match(truth, found)
    outcomes = [Outcomes.of(one) for one in matches["all"]]
    limits = threshold.by_class(truth.classes)
    above = [one.above(limit) for one, limit in zip(outcomes, limits, strict=True)]
    everything, chosen = _together(outcomes, len(truth)), _together(above, len(truth))
    open_ap = openimages.ap50_per_class(truth, found, how.above)
    return Numbers(
        **{one.name: getattr(evaluation, one.name) for one in fields(evaluation)},
        threshold=threshold,
        at_threshold=Rates.of(chosen, weights),
        per_class_at_threshold={
            name: Rates.of(one, weights) for name, one in zip(truth.classes, above, strict=True)
        },
        sweeps=tuple(map(Sweep.of, truth.classes, outcomes)),
        confusion=confusion(truth, found, limits),
        mistakes=mistakes(truth, found, limits),
        calibration=calibration(everything, weights),
        openimages_ap50=None if np.isnan(open_ap).all() else float(np.nanmean(open_ap)),
        openimages_per_class={
            name: None if np.isnan(value) else float(value)
            for name, value in zip(truth.classes, open_ap, strict=True)
        },
        slices=tuple(_slices(truth, matches, limits, weights, seen, how)),
        baseline=None
        if baseline is None
        else numbers(truth, baseline, Threshold(0.5, FIXED), seen=seen, how=how),
    )


def _together(outcomes: Sequence[Outcomes], images: int) -> Outcomes:
    nothing = np.zeros(0, np.int64)
    empty = Outcomes(
        nothing, np.zeros(0, np.float32), np.zeros(0, np.bool_), np.zeros(images, np.int64)
    )
    return Outcomes.together([empty, *outcomes])


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
    images, rates = weights[0] > 0, Rates.of(_together(above, weights.shape[1]), weights)
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
