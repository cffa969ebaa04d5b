"""Which photos a step sees, and its random numbers: functions of the seed and the step alone, so
that a resumed run sees what an undisturbed one would."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.augment.transforms import count_draws
from boxwright.structures.dataset import Dataset
from boxwright.training.recipe import Recipe


class Sampler:
    """Every photo has its turn before any comes again; those of rare classes come more than once
    in between.

    Args:
        images: to train on.
        recipe: whether they are shuffled, which classes are rare, and the seed.
    """

    def __init__(self, images: Dataset, recipe: Recipe) -> None:
        often = repeats(images, recipe.rare_below)
        self._recipe = recipe
        self._round = int(often.sum())  # photos
        self._ends = np.cumsum(often) * (self._round / often.sum())
        self._ends[-1] = self._round

    def batch(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows of the photos of a step, and their random draws in [0, 1)."""
        size = self._recipe.batch_size
        positions = np.arange(step * size, (step + 1) * size)
        rounds = positions // self._round
        rows = [
            self._rows(each, positions[rounds == each] % self._round) for each in np.unique(rounds)
        ]
        rng = np.random.default_rng([self._recipe.seed, step, 1])
        shape = size, count_draws(self._recipe.augmentation)
        return np.concatenate(rows), rng.random(shape, np.float32)  # never 1.0

    def _rows(self, number: int, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The photos at some places of a round; one that comes 2.4 times in the mean is there twice
        or three times."""
        random = np.random.default_rng([self._recipe.seed, number])
        order = random.permutation(self._round) if self._recipe.shuffle else np.arange(self._round)
        start = random.random(dtype=np.float32)  # so that a sum with it never rounds up
        return np.searchsorted(self._ends, order[positions] + float(start), side="right")


def repeats(images: Dataset, rare_below: float) -> NDArray[np.float64]:
    """`(N,)`: how often each photo comes while an ordinary one comes once.

    A class that a part `f` of the photos shows is rare if that is less than `rare_below`, and each
    photo of it comes `sqrt(rare_below / f)` times (Gupta et al. 2019, "LVIS", repeat factor
    sampling); of several classes the rarest decides.
    """
    often = np.ones(len(images))
    for label in range(len(images.classes)):
        shown = images.images_showing(label)
        if len(shown):
            factor = np.sqrt(rare_below * len(images) / len(shown))
            often[shown] = np.maximum(often[shown], factor)
    return often
