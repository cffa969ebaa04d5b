"""When to train, on what, for how long, and what to propose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

FIRST = 2  # labeled images with objects before the first round
GROWTH = 1.15  # times the labeled images of the last round: the next one
FEW, QUICK_SECONDS = 5, 25.0  # with fewer images a round is short: proposals save most when early
MIN_SECONDS, MAX_SECONDS = 40.0, 120.0  # of other rounds, with their start of about fifteen
SECONDS_PER_IMAGE = 0.5
LEARNED, MEASURED = 2000, 500  # labeled images of a round, at most
POOL = 400  # unlabeled images that get proposals in a round
PROPOSED = 0.4  # score of a proposal
SEEN = 0.05  # score of a detection that says something about an image


def needed(before: int) -> int:
    """Labeled images for the round after one with `before`; 0 for the first one."""
    return max(FIRST, before + 2, math.ceil(GROWTH * before)) if before else FIRST


def budget(labeled: int) -> float:
    """Seconds of a round."""
    if labeled < FEW:
        return QUICK_SECONDS
    return min(max(MIN_SECONDS, SECONDS_PER_IMAGE * labeled), MAX_SECONDS)


def spread(indices: Sequence[int], maximum: int) -> list[int]:
    """So many of the images, or all if there are fewer, evenly from the first to the last one."""
    count = min(maximum, len(indices))
    return [indices[i * len(indices) // count] for i in range(count)]


def pool(unlabeled: Sequence[int], current: int) -> list[int]:
    """The images to propose for: the next ones of the list."""
    ahead = [index for index in unlabeled if index >= current]
    return (ahead + [index for index in unlabeled if index < current])[:POOL]


def uncertainty(scores: Iterable[float]) -> float:
    """How little a detector knows about an image, 0 to 1, from the scores of its detections.

    A score of a half is the least certain. The mean over the detections lets an image with one
    doubtful object among many clear ones wait.
    """
    doubts = [1 - abs(2 * score - 1) for score in scores if score >= SEEN]
    return sum(doubts) / len(doubts) if doubts else 0.0
