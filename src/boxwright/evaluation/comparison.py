"""Is one detector better than another? Differences in the same images, with intervals.

A side is one detector, or several trainings of one recipe with different seeds. `N` images, `B`
resamples of them, `K` trainings of a side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import Interval, Measured, interval, weightings
from boxwright.evaluation.coco import defined, resampled
from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.outcomes import Outcomes, rate_samples
from boxwright.evaluation.threshold import Threshold
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

SCHEMA = 1
DECIDES = "AP"  # the number that the verdict is about: of six, one is often lucky
FALSE_ALARMS = "false_alarms_per_100_images"  # fewer are better
NUMBERS = (DECIDES, "AP50", "precision", "recall", "f1", FALSE_ALARMS)
LEVEL = 0.95  # of all verdicts together
POWER = 0.8  # probability to find a difference of `detectable`
BETTER, WORSE, NOT_SHOWN = "better", "worse", "no difference shown"
MAX_IMAGES = 20  # in JSON


@dataclass(frozen=True, eq=False)
class Member:
    """One detector: the detections in all images at all scores, and its score threshold."""

    name: str
    detections: Sequence[Detections]
    threshold: Threshold


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison: one detector, or several trainings of one recipe."""

    name: str
    members: Sequence[Member]


class Mistakes(NamedTuple):
    """Missed objects and false alarms at the threshold, `(N,)` each."""

    missed: NDArray[np.int64]
    false_alarms: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Result:
    """What was measured of a side.

    Attributes:
        side: the detections.
        samples: NUMBERS to `(K, 1 + B)`, all images once first.
        mistakes: of each member.
    """

    side: Side
    samples: Mapping[str, NDArray[np.float64]]
    mistakes: Sequence[Mistakes]

    def mean_mistakes(self) -> NDArray[np.float64]:
        """`(N,)` mistakes in each image, the mean over members."""
        counts = [one.missed + one.false_alarms for one in self.mistakes]
        means: NDArray[np.float64] = np.mean(counts, axis=0)
        return means

    def typical(self, image: int) -> int:
        """The member whose number of mistakes in an image is nearest to the mean."""
        counts = [one.missed[image] + one.false_alarms[image] for one in self.mistakes]
        return int(np.argmin(np.abs(np.array(counts) - np.mean(counts))))

    def to_json(self) -> dict[str, Any]:
        images = len(self.mistakes[0].missed)
        return {
            "name": self.side.name,
            "members": [
                {
                    "name": one.name,
                    "AP": defined(self.samples[DECIDES][i, 0]),
                    "threshold": one.threshold.to_json(),
                }
                for i, one in enumerate(self.side.members)
            ],
            **{
                name: Measured.of(samples.mean(axis=0), images).to_json()
                for name, samples in self.samples.items()
            },
        }


class Difference(NamedTuple):
    """How much higher a number of the other side is, and its interval; None if undefined."""

    value: float | None
    interval: Interval | None

    def sign(self) -> int:
        """1 or -1 if the interval is above or below 0, else 0."""
        low, high = self.interval or (0.0, 0.0)
        return int(low > 0) - int(high < 0)


@dataclass(frozen=True)
class Contrast:
    """A side beside the first one.

    Attributes:
        side: its name.
        differences: NUMBERS to the difference, this side minus the first.
        detectable: the difference in AP that would be found with a probability of POWER; None if
            AP is undefined.
    """

    side: str
    differences: Mapping[str, Difference]
    detectable: float | None

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `no difference shown`: the interval of the difference in AP."""
        return (NOT_SHOWN, BETTER, WORSE)[self.differences[DECIDES].sign()]

    def to_json(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "verdict": self.verdict,
            "detectable_AP": self.detectable,
            "differences": {
                name: {"value": one.value, "interval": one.interval}
                for name, one in self.differences.items()
            },
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Detectors side by side.

    Attributes:
        truth: the labeled images.
        results: the numbers of each side.
        contrasts: every other side beside the first one.
        level: of the intervals of differences. With one contrast .95; with more it is higher, so
            that all verdicts together are right with this probability (Bonferroni).
        notes: what makes the comparison unfair.
    """

    truth: Dataset = field(repr=False)
    results: Sequence[Result] = field(repr=False)
    contrasts: Sequence[Contrast]
    level: float
    notes: Sequence[str] = ()

    @property
    def of_recipes(self) -> bool:
        """True if a side has several trainings, so that verdicts hold for other seeds too."""
        return any(len(one.side.members) > 1 for one in self.results)

    def differing(self) -> list[int]:
        """The images in which the sides differ at their thresholds, those with the largest
        difference in the number of mistakes first."""
        gaps = np.ptp([one.mean_mistakes() for one in self.results], axis=0)
        order = np.argsort(-gaps, kind="stable")
        return [int(image) for image in order if gaps[image] > 0]

    def to_json(self) -> dict[str, Any]:
        """JSON values as in docs/reference/numbers.md; `null` for an undefined number."""
        return {
            "schema": SCHEMA,
            "images": len(self.truth),
            "boxes": len(self.truth.boxes),
            "level": self.level,
            "compares": "recipes" if self.of_recipes else "detectors",
            "sides": [one.to_json() for one in self.results],
            "against_first": [one.to_json() for one in self.contrasts],
            "differing_images": [
                {
                    "image": self.truth.names[image],
                    "mistakes": {
                        one.side.name: float(one.mean_mistakes()[image]) for one in self.results
                    },
                }
                for image in self.differing()[:MAX_IMAGES]
            ],
            "notes": list(self.notes),
        }


def compare_sides(
    truth: Dataset,
    sides: Sequence[Side],
    *,
    groups: NDArray[np.int64] | None = None,
    notes: Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare sides by their detections in the images of `truth`.

    All use the same resampled images, so the difficulty of the images cancels out. Images with
    equal ids in `groups`, `(N,)`, are drawn together.

    Raises:
        EvaluationError: BW601 a side has no class of the data, BW602 a box or score is NaN.
    """
    weights = weightings(len(truth), resamples, seed, groups)
    results = [_result(truth, side, weights) for side in sides]
    level = 1 - (1 - LEVEL) / (len(sides) - 1)
    contrasts = [_contrast(results[0], other, level, seed) for other in results[1:]]
    return Comparison(truth, results, contrasts, level, notes)


def _result(truth: Dataset, side: Side, weights: NDArray[np.float64]) -> Result:
    samples, mistakes = [], []
    for member in side.members:
        matches = match(truth, gather(truth, member.detections), ("all",))["all"]
        limits = member.threshold.by_class(truth.classes)
        above = [Outcomes.of(one).above(at) for one, at in zip(matches, limits, strict=True)]
        chosen = Outcomes.together(above, len(truth))
        right, wrong = chosen.per_image()
        ap, ap50 = resampled(matches, weights)
        samples.append({DECIDES: ap, "AP50": ap50, **rate_samples(chosen, weights)})
        mistakes.append(Mistakes(chosen.truths - right, wrong))
    return Result(
        side, {name: np.stack([one[name] for one in samples]) for name in NUMBERS}, mistakes
    )


def _contrast(first: Result, other: Result, level: float, seed: int) -> Contrast:
    differences = {
        name: difference(first.samples[name], other.samples[name], level, seed) for name in NUMBERS
    }
    between = differences[DECIDES].interval
    certain = NormalDist().inv_cdf((1 + level) / 2)
    reach = 1 + NormalDist().inv_cdf(POWER) / certain  # in half widths of the interval
    detectable = None if between is None else reach * (between[1] - between[0]) / 2
    return Contrast(other.side.name, differences, detectable)


def difference(
    first: NDArray[np.float64], other: NDArray[np.float64], level: float = LEVEL, seed: int = 0
) -> Difference:
    """How much higher a number is on the other side, from `(K, 1 + B)` samples of each.

    With one training on each side, the interval is the paired bootstrap's over images. With more,
    other trainings would differ too: the variance is the one between trainings, on all images, and
    that of the images as far as all trainings share it (Obuchowski and Rockette's model, for
    readers nested in treatments: Hillis, "A marginal-mean ANOVA approach for analyzing multireader
    multicase radiological imaging data", 2014). What is not shared is in the first part already.
    """
    means = other.mean(axis=0) - first.mean(axis=0)
    if np.isnan(means[0]):
        return Difference(None, None)
    value, samples = float(means[0]), means[1:][~np.isnan(means[1:])]
    freedom = len(first) + len(other) - 2
    if freedom and len(samples):
        deviations = [side[:, 0] - side[:, 0].mean() for side in (first, other)]
        between = float(np.sum(np.concatenate(deviations) ** 2)) / freedom
        noise = np.random.default_rng(seed).standard_t(freedom, len(samples))
        noise *= np.sqrt(between * (1 / len(first) + 1 / len(other)))
        samples = value + (samples - value) * _shared(first, other) + noise
    return Difference(value, interval(samples, level))


def paired_loss(
    truth: Dataset,
    reference: Sequence[Detections],
    other: Sequence[Detections],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """The AP loss of `other` against `reference`, both for the images of `truth` in order.

    Undefined if the images have no boxes of a known class.

    Raises:
        EvaluationError: BW601 there is no common class name, BW602 a box or score is not a number.
    """
    weights = weightings(len(truth), resamples, seed)
    matches = [match(truth, gather(truth, found), ("all",))["all"] for found in (other, reference)]
    first, second = (resampled(per_class, weights)[0][None] for per_class in matches)
    return difference(first, second, seed=seed)


def _shared(first: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The part of the bootstrap's standard deviation that all trainings of a side share."""
    drawn = np.vstack([first, other])[:, 1:]
    covariance = np.atleast_2d(np.cov(drawn[:, ~np.isnan(drawn).any(axis=0)]))
    count = len(first)
    within = [covariance[:count, :count], covariance[count:, count:]]
    across = covariance[:count, count:].mean()
    total = sum(float(block.mean()) for block in within) - 2 * across
    shared = sum(_between_members(block) for block in within) - 2 * across
    return float(np.sqrt(np.clip(shared / total, 0, 1))) if total > 0 else 0.0


def _between_members(block: NDArray[np.float64]) -> float:
    """Mean covariance of different members; of a single one, its variance."""
    count = len(block)
    if count == 1:
        return float(block[0, 0])
    return float((block.sum() - np.trace(block)) / (count * (count - 1)))
