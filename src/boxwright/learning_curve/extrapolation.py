"""Learning curves: AP by the number of training images, and what one more doubling would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from boxwright.evaluation.bootstrap import Interval

LEVEL = 0.8  # of the interval
DRAWS = 60_000
LEAST_SPREAD = 0.005  # AP: two trainings that agree by chance do not prove that all do
RATIOS = (0.3, 1.0)  # what a doubling gains, in parts of the gain of the doubling before it


class Extrapolated(NamedTuple):
    """The AP of one training at twice the images: the median, and an 80 % interval.

    Attributes:
        ap: the median of what is likely.
        interval: it holds with a probability of LEVEL.
        spread: standard deviation of AP between trainings that differ by images and seed.
    """

    ap: float
    interval: Interval
    spread: float


def extrapolated(
    quarters: Sequence[float], halves: Sequence[float], whole: Sequence[float], seed: int = 0
) -> Extrapolated:
    """The AP of a training on twice the images, from trainings on quarters, halves and all.

    The error falls by a power law: each doubling gains `r` times as much as the one before it. A
    power law from few points misleads farther out (Mahmood et al., "How much more data do I need?",
    2022), so this goes one doubling and no more. The curve has three unknowns: AP with all images,
    the gain of the last doubling, and `r`. All values that do not fall with more images are equally
    likely before the measurement. Trainings scatter around the curve by one normal distribution,
    whose variance is that within the three sizes. Curves are drawn at random and weighted by how
    well they fit.

    Args:
        quarters, halves, whole: AP of each training; at least one of each size, and two of one.
        seed: random seed of the draws.
    """
    groups = [np.asarray(values, np.float64) for values in (quarters, halves, whole)]
    rng = np.random.default_rng(seed)
    squares = sum(float(((one - one.mean()) ** 2).sum()) for one in groups)
    freedom = sum(len(one) - 1 for one in groups)
    spread = max(np.sqrt(squares / freedom), LEAST_SPREAD)
    deviation = spread * np.sqrt(freedom / rng.chisquare(freedom, DRAWS))
    errors = [deviation / np.sqrt(len(one)) for one in groups]
    now = groups[2].mean() + 4 * errors[2] * rng.uniform(-1, 1, DRAWS)  # nothing else fits
    widest = max(groups[2].mean() - groups[1].mean(), 0) + 4 * (errors[1] + errors[2])
    gain = widest * rng.uniform(0, 1, DRAWS)
    ratio = rng.uniform(*RATIOS, DRAWS)
    curve = (now - gain - gain / ratio, now - gain, now)
    misses = [
        (one.mean() - at) / error for one, at, error in zip(groups, curve, errors, strict=True)
    ]
    misfit = np.square(misses).sum(axis=0)
    likelihood = np.exp(-(misfit - misfit.min()) / 2) * widest / (errors[0] * errors[1])
    at_twice = now + gain * ratio + deviation * rng.standard_normal(DRAWS)
    order = np.argsort(at_twice)
    below = np.cumsum(likelihood[order])
    quantiles = np.array([0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2])
    at = np.searchsorted(below, quantiles * below[-1])
    middle, low, high = np.clip(at_twice[order][at], 0, 1).tolist()
    return Extrapolated(middle, (low, high), float(spread))
