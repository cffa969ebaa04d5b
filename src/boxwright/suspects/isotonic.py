"""Isotonic regression: the probability of a success as a rising function of a score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Rising(NamedTuple):
    """A rising function, linear between its knots.

    Attributes:
        scores, values: `(K,)` the knots, ascending.
    """

    scores: Floats
    values: Floats

    def __call__(self, scores: Floats) -> Floats:
        """`(n,)` values at scores; 0 everywhere without any knot."""
        return np.interp(scores, self.scores, self.values) if len(self.scores) else 0 * scores


def isotonic(scores: Floats, successes: NDArray[np.bool_]) -> Rising:
    """The rising function of the scores `(n,)` that is nearest to the successes `(n,)`.

    Neighbors that do not rise are pooled (Ayer et al., "An empirical distribution function for
    sampling with incomplete information", 1955). In a pool the function is constant.
    """
    levels, which = np.unique(scores, return_inverse=True)
    counts = np.bincount(which, minlength=len(levels))
    hits = np.bincount(which, successes, minlength=len(levels))
    pools: list[tuple[float, int, float, float]] = []  # hits, count, lowest and highest score
    for hit, count, level in zip(hits.tolist(), counts.tolist(), levels.tolist(), strict=True):
        low = level
        while pools and pools[-1][0] * count >= hit * pools[-1][1]:
            more, others, low, _ = pools.pop()
            hit, count = hit + more, count + others
        pools.append((hit, count, low, level))
    ends = np.array([one[2:] for one in pools], np.float64).reshape(-1)
    return Rising(ends, np.repeat([hit / count for hit, count, *_ in pools], 2))
