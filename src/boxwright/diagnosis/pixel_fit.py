"""How well the pixels of images explain their labels, without any detector.

A ridge regression predicts from the color, contrast and edges around each cell of an image how much
of the cell labeled boxes cover. It is fitted to some images and compared with the labels of the
others. Its features are the same in all directions, so it cannot learn that labels are shifted or
turned: labels that fit less well than after a simple change are wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.images.preprocessing import read_square
from boxwright.parallel.cores import on_all_cores
from boxwright.structures.dataset import Dataset

SIDE, CELLS = 128, 32  # pixels, and cells in which they are averaged
RADII = (1, 4, 12)  # pixels of the blurs
HIDDEN = 48  # random features, for curves and edges of colors that a plane cannot separate
FOLDS = 5
RIDGE = 0.01  # of the mean square of the features
SEED = 0

Floats = NDArray[np.float32]


class Likeness(NamedTuple):
    """How well pixels explain labels, for each of `N` images.

    Attributes:
        images: `(N,)` correlation of predicted and labeled cells within an image, or a difference
            of two; NaN without labels.
    """

    images: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The mean over the images."""
        known = self.images[~np.isnan(self.images)]
        return float(known.mean()) if len(known) else 0.0

    @property
    def sigmas(self) -> float:
        """The mean in standard errors."""
        known = self.images[~np.isnan(self.images)]
        error = known.std() / np.sqrt(len(known)) if len(known) > 1 else np.inf
        return float(self.mean / max(error, 1e-6))

    def above(self, other: Likeness) -> Likeness:
        """The differences, image by image."""
        return Likeness(self.images - other.images)

    def sigmas_above(self, other: Likeness) -> float:
        """By how many standard errors these labels fit better."""
        return self.above(other).sigmas


class PixelFit:
    """The images, ready to be compared with labels.

    Args:
        images: at least FOLDS images.
    """

    def __init__(self, images: Dataset) -> None:
        read = on_all_cores(
            lambda i: _features(read_square(images.image(i), SIDE, images.decoding)),
            range(len(images)),
        )
        x = np.stack([*read])  # (N, K, F)
        x = (x - x.mean(axis=(0, 1))) / (x.std(axis=(0, 1)) + 1e-6)
        random = np.random.default_rng(SEED)
        planes = random.normal(0, 1 / np.sqrt(x.shape[-1]), (x.shape[-1], HIDDEN))
        bent = np.maximum(x @ planes.astype(np.float32) + _offsets(random), 0)
        x = np.concatenate([x, bent], axis=-1)
        x -= x.mean(axis=1, keepdims=True)  # within an image
        rows = np.arange(len(images))
        self._folds = [rows[fold::FOLDS] for fold in range(FOLDS)]
        self._parts = [np.ascontiguousarray(x[own]) for own in self._folds]
        grams = np.stack([_flat(part).T @ _flat(part) for part in self._parts])
        self._inverses = [_inverse(grams.sum(axis=0) - own) for own in grams]

    def likeness(self, covered: Floats) -> Likeness:
        """Compare with labels: the part of each cell that is covered, `(N, CELLS, CELLS)`."""
        y = covered.reshape(len(covered), -1)
        y = y - y.mean(axis=1, keepdims=True)
        own = [y[rows] for rows in self._folds]
        products = np.stack(
            [_flat(part).T @ labels.ravel() for part, labels in zip(self._parts, own, strict=True)]
        )
        correlation = np.full(len(y), np.nan)
        for fold, rows in enumerate(self._folds):
            weights = self._inverses[fold] @ (products.sum(axis=0) - products[fold])
            correlation[rows] = _correlation(self._parts[fold] @ weights, own[fold])
        return Likeness(correlation)


def _flat(part: Floats) -> Floats:
    return part.reshape(-1, part.shape[-1])


def _inverse(gram: Floats) -> Floats:
    """The inverse with a ridge."""
    ridge = RIDGE * np.trace(gram) / len(gram)
    inverse: Floats = np.linalg.inv(gram + ridge * np.eye(len(gram), dtype=gram.dtype))
    return inverse


def coverage(boxes: Floats, image_of_box: NDArray[np.int64], images: int) -> Floats:
    """The part of each cell that boxes cover, at most 1.

    Args:
        boxes: `(M, 4)` xyxy as fractions of the image's sides.
        image_of_box: `(M,)` image index of each box.
        images: `N`.

    Returns:
        `(N, CELLS, CELLS)`, rows first.
    """
    edges = np.arange(CELLS, dtype=np.float32)
    low, high = CELLS * boxes[:, None, :2], CELLS * boxes[:, None, 2:]
    sides = np.minimum(high, edges[:, None] + 1) - np.maximum(low, edges[:, None])
    sides = np.clip(sides, 0, 1).astype(np.float32)  # (M, CELLS, 2)
    covered = np.zeros((images, CELLS, CELLS), np.float32)
    np.add.at(covered, image_of_box, sides[:, :, None, 1] * sides[:, None, :, 0])
    return np.minimum(covered, 1)


def _features(pixels: NDArray[np.uint8]) -> Floats:
    """`(CELLS * CELLS, F)` of an image `(SIDE, SIDE, 3)`."""
    red, green, blue = np.moveaxis(pixels.astype(np.float32) / 255, -1, 0)
    gray = (red + green + blue) / 3
    down, right = np.gradient(gray)
    edges = np.hypot(down, right)
    maps = [gray, red - green, (red + green) / 2 - blue, edges, np.abs(gray - _blurred(gray, 2))]
    blurred = [_blurred(each, radius) for radius in RADII for each in maps]
    contrast = np.sqrt(np.maximum(_blurred(gray**2, 4) - _blurred(gray, 4) ** 2, 0))
    step = SIDE // CELLS
    every = np.stack([*blurred, contrast], axis=-1)
    cells = every.reshape(CELLS, step, CELLS, step, -1).mean(axis=(1, 3)).reshape(CELLS**2, -1)
    own = cells - cells.mean(axis=0)  # relative to the image
    return np.concatenate([cells, own, np.abs(own)], axis=1)


def _blurred(values: Floats, radius: int) -> Floats:
    """The mean over a square around each pixel; the border is repeated."""
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(values, width, mode="edge"), axis=axis, dtype=np.float64)
        count, size = 2 * radius + 1, values.shape[axis]
        sums = np.diff(np.stack([_from(total, start, size, axis) for start in (0, count)]), axis=0)
        values = (sums[0] / count).astype(np.float32)
    return values


def _from(values: NDArray[np.float64], start: int, size: int, axis: int) -> NDArray[np.float64]:
    return np.take(values, np.arange(start, start + size), axis=axis)


def _offsets(random: np.random.Generator) -> Floats:
    return random.normal(0, 1, HIDDEN).astype(np.float32)


def _correlation(first: Floats, second: Floats) -> NDArray[np.float64]:
    """The correlation of rows whose mean is 0, NaN for constant rows of the second."""
    product = (first * second).sum(axis=1, dtype=np.float64)
    squares = (first**2).sum(axis=1, dtype=np.float64), (second**2).sum(axis=1, dtype=np.float64)
    size = np.sqrt(squares[0] * squares[1])
    result = np.full(len(product), np.nan)
    np.divide(product, size, out=result, where=size > 1e-9)
    return result
