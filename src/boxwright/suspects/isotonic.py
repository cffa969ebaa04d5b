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
        """`(n,)` values at scores; 0 at the score 0, and everywhere without any knot."""
        return np.interp(scores, np.append(0.0, self.scores), np.append(0.0, self.values))


def isotonic(scores: Floats, successes: NDArray[np.bool_]) -> Rising:
    """The rising function of the scores `(n,)` that is nearest to the successes `(n,)`.

    Neighbors that do not rise are pooled (Ayer et al., "An empirical distribution function for
    sampling with incomplete information", 1955). Each pool is a knot at its mean score.
    """
    levels, which = np.unique(scores, return_inverse=True)
    counts = np.bincount(which, minlength=len(levels)).astype(np.float64)
    hits = np.bincount(which, successes, minlength=len(levels))
    pools: list[tuple[float, float, float]] = []  # hits, count, sum of scores
    for pool in zip(hits.tolist(), counts.tolist(), (levels * counts).tolist(), strict=True):
        hit, count, total = pool
        while pools and pools[-1][0] * count >= hit * pools[-1][1]:
            before = pools.pop()
            hit, count, total = hit + before[0], count + before[1], total + before[2]
        pools.append((hit, count, total))
    hits, counts, totals = np.array(pools, np.float64).reshape(-1, 3).T
    return Rising(totals / counts, hits / counts)
