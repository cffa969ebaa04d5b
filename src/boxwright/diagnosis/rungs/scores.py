"""Do scores reach the threshold?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.diagnosis.case import Case, outcomes
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.diagnosis.rungs.training import has_learned
from boxwright.evaluation.outcomes import Outcomes
from boxwright.io.shell import quoted

MIN_PART = 0.5  # of the best F1
MIN_BEST = 0.15  # a detector whose best F1 is lower has another fault


def read(case: Case) -> Reading:
    """Compare F1 at the detector's threshold with the best of all thresholds."""
    if not len(case.rows):
        return not_checked("no labeled images were given")
    every = case.outcomes
    best, at = _best(every)
    limits = np.array(case.detector.artifact.thresholds, np.float32)
    shown = [one[one.scores >= limits[one.labels]] for one in case.found]
    own = _f1(outcomes(case.images, shown))
    why = "half of what another threshold reaches; a chosen threshold is rarely below nine tenths"
    limit = MIN_PART * best
    values = np.unique(limits)
    said = f"{values[0]:.4g}" if len(values) == 1 else f"{values[0]:.4g} to {values[-1]:.4g}"
    if best < MIN_BEST or own >= limit or _is_of_training(case, limits):
        return passed(
            f"F1 is {own:.2f} at the threshold {said}; the best, {best:.2f}, is at {at:.2f}",
            own,
            limit,
            why,
        )
    count, highest = sum(map(len, shown)), max((float(s) for s in every.scores), default=0.0)
    high = float(values[-1]) > at
    return failed(
        f"the threshold is too {'high' if high else 'low'}",
        f"at the threshold {said}, {count} detections are shown in {len(case.images)} images with "
        f"{int(every.truths.sum())} objects, F1 {own:.2f}; at {at:.2f} it is {best:.2f}. The "
        f"highest score is {highest:.2f}",
        own,
        limit,
        why=why,
        remedy="Choose it on validation images: `boxwright evaluate "
        f"{quoted(case.path)} DATA --aim f1 --save-threshold`, or try "
        f"`boxwright predict ... --threshold {at:.2f}`.",
    )


def _is_of_training(case: Case, limits: NDArray[np.float32]) -> bool:
    """True if not the threshold is at fault: it fits the training images, so that the other images
    are, or the detector has hardly learned these, so that all of its scores are low."""
    if case.trained is None or case.learned is None:
        return False
    if not has_learned(case.learned):
        return True
    images, found = case.trained
    shown = [one[one.scores >= limits[one.labels]] for one in found]
    best = _best(outcomes(images, found))[0]
    return best >= MIN_BEST and _f1(outcomes(images, shown)) >= MIN_PART * best


def _best(every: Outcomes) -> tuple[float, float]:
    """The best F1 of all thresholds, and its threshold."""
    if not len(every.hit):
        return 0.0, 0.0
    f1 = _curve(every)
    return float(f1.max()), float(every.scores[int(np.argmax(f1))])


def _f1(shown: Outcomes) -> float:
    return float(_curve(shown)[-1]) if len(shown.hit) else 0.0


def _curve(every: Outcomes) -> NDArray[np.float64]:
    """F1 of the best 1, 2, 3 ... detections."""
    right = np.cumsum(every.hit)
    shown = np.arange(1, len(right) + 1)
    curve: NDArray[np.float64] = 2 * right / (shown + every.truths.sum())
    return curve
