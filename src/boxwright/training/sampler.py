"""The images and random numbers of a step. Both depend only on the seed and the step, so a resumed
run repeats an uninterrupted one exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.augment.transforms import count_draws
from boxwright.structures.dataset import Dataset
from boxwright.training.recipe import Recipe


class Sampler:
    """Samples images in epochs; images of rare classes occur several times per epoch.

    Args:
        images: the training images.
        recipe: gives shuffling, rare classes, and the seed.
    """

    def __init__(self, images: Dataset, recipe: Recipe) -> None:
        often = repeats(images, recipe.rare_below)
        self._recipe = recipe
        self._round = int(often.sum())  # images
        self._ends = np.cumsum(often) * (self._round / often.sum())
        self._ends[-1] = self._round
        self._drawn = (-1, np.arange(0), 0.0)  # the last epoch, its order and its start

    def batch(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows of a step's images, and their random draws in [0, 1)."""
        rng = np.random.default_rng([self._recipe.seed, step, 1])
        shape = self._recipe.batch_size, count_draws(self._recipe.augmentation)
        return self.rows(step), rng.random(shape, np.float32)  # never 1.0

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the rows of a step's images."""
        size = self._recipe.batch_size
        positions = np.arange(step * size, (step + 1) * size)
        rounds = positions // self._round
        return np.concatenate(
            [
                self._rows(each, positions[rounds == each] % self._round)
                for each in np.unique(rounds).tolist()
            ]
        )

    def _rows(self, number: int, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the images at some positions of an epoch. An image with a mean of 2.4
        repetitions occurs two or three times."""
        if self._drawn[0] != number:
            self._drawn = (number, *self._draw(number))
        _, order, start = self._drawn
        return np.searchsorted(self._ends, order[positions] + start, side="right")

    def _draw(self, number: int) -> tuple[NDArray[np.int64], float]:
        """Draw the order of an epoch, and where in [0, 1) it starts: 20 ms for a million images."""
        random = np.random.default_rng([self._recipe.seed, number])
        order = random.permutation(self._round) if self._recipe.shuffle else np.arange(self._round)
        return order, float(random.random(dtype=np.float32))  # so that a sum never rounds up


def repeats(images: Dataset, rare_below: float) -> NDArray[np.float64]:
    """Return `(N,)` repeat factors of the images; 1 for ordinary ones.

    A class in a fraction `f` of the images is rare if `f < rare_below`. Each image with it has the
    factor `sqrt(rare_below / f)` (Gupta et al. 2019, "LVIS", repeat factor sampling); the rarest
    class of an image decides.
    """
    often = np.ones(len(images))
    for label in range(len(images.classes)):
        shown = images.images_showing(label)
        if len(shown):
            factor = np.sqrt(rare_below * len(images) / len(shown))
            often[shown] = np.maximum(often[shown], factor)
    return often
