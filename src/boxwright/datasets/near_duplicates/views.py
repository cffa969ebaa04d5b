"""Vectors that describe an image, its center, and all places where another's center may lie.

A vector is the discrete cosine transform of a window at low resolution, of unit length, so that a
product of two vectors is a correlation. The center of one image, cut at four sizes, is sought among
the windows of the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.hashes import SIDE

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

FLAT = 2.0  # gray levels of contrast below which images count as blank, hence equal
CELLS = 8  # along each side of a window
CENTER = 32  # pixels; side of the center that is sought
STEP = 4  # pixels between windows
SCALES = (1.0, 1.25)  # of the center along x or y
STARTS = np.arange(0, SIDE - CENTER + 1, STEP).astype(np.float32)  # of windows, along x or y


def wholes(thumbnails: Bytes) -> Floats:
    """One vector for each full thumbnail of `(n, SIDE, SIDE)`: `(n, 1, SIZE)`."""
    return _middles(thumbnails.astype(np.float32), SIDE, SIDE)


def centers(thumbnails: Bytes) -> Floats:
    """The vectors of the centers of `(n, SIDE, SIDE)` at all scales: `(n, 4, SIZE)`."""
    pixels = thumbnails.astype(np.float32)
    sizes = [(CENTER * tall, CENTER * wide) for tall in SCALES for wide in SCALES]
    return np.concatenate([_middles(pixels, *size) for size in sizes], axis=1)


def windows(thumbnails: Bytes) -> Floats:
    """The vectors of the windows of `(n, SIDE, SIDE)`, row by row: `(n, 81, SIZE)`."""
    return _vectors(thumbnails.astype(np.float32), STARTS, CENTER, STARTS, CENTER)


def alignments() -> Floats:
    """How an image lies in another: row 0 at the same place; row `1 + 81 k + w` if its center `k`
    is at window `w` there.

    Each of the 325 rows is `(x, size of a pixel along x, y, size along y)`, with `x` and `y` the
    position of its center there, relative to the center of the other image.
    """
    offsets = STARTS + CENTER / 2 - SIDE / 2
    rows = [(0.0, 1.0, 0.0, 1.0)] + [
        (x, 1 / wide, y, 1 / tall)
        for tall in SCALES
        for wide in SCALES
        for y in offsets
        for x in offsets
    ]
    return np.array(rows, np.float32)


def _averages(starts: Floats, width: float) -> Floats:
    """`(len(starts), CELLS, SIDE)`: rows that average the cells of a window of that width."""
    edges = starts[:, None] + np.linspace(0, width, CELLS + 1)
    lower, upper = edges[:, :-1, None], edges[:, 1:, None]
    covered = np.minimum(upper, np.arange(1, SIDE + 1)) - np.maximum(lower, np.arange(SIDE))
    return (covered.clip(0) / (upper - lower)).astype(np.float32)


def _cosines() -> tuple[Floats, Floats]:
    """The rows of a discrete cosine transform, and the weight of each frequency, `(64,)`.

    The contrast of images falls as one over the frequency, so weights proportional to the frequency
    balance it. The mean has weight 0, as do frequencies too high for a shift of half a `STEP`.
    """
    order = np.arange(CELLS)
    rows = np.cos(np.pi * order[:, None] * (order + 0.5) / CELLS)
    rows *= np.sqrt(np.where(order, 2, 1) / CELLS)[:, None]
    frequency = np.hypot(order[:, None], order).reshape(-1)
    weights = np.where(frequency <= 6, frequency, 0)
    return rows.astype(np.float32), weights.astype(np.float32)


COSINES, WEIGHTS = _cosines()
COUNTED = np.concatenate([np.flatnonzero(WEIGHTS)[::2], np.flatnonzero(WEIGHTS)[1::2]])
SIZE = len(COUNTED)  # numbers of a vector, low and high frequencies in both halves


def _middles(pixels: Floats, height: float, width: float) -> Floats:
    top, left = (np.array([(SIDE - side) / 2], np.float32) for side in (height, width))
    return _vectors(pixels, top, height, left, width)


def _vectors(pixels: Floats, ys: Floats, height: float, xs: Floats, width: float) -> Floats:
    """`(n, len(ys) * len(xs), SIZE)` unit vectors of windows of `(n, SIDE, SIDE)`."""
    vertical = (COSINES @ _averages(ys, height)).reshape(-1, SIDE)
    horizontal = (COSINES @ _averages(xs, width)).reshape(-1, SIDE)
    crops = (vertical @ pixels @ horizontal.T).reshape(len(pixels), len(ys), CELLS, len(xs), CELLS)
    frequencies = crops.transpose(0, 1, 3, 2, 4).reshape(len(pixels), -1, CELLS**2)
    vectors = np.take(frequencies, COUNTED, axis=2)
    vectors *= WEIGHTS[COUNTED]
    vectors /= np.sqrt(np.einsum("nwi,nwi->nw", vectors, vectors)[:, :, None]) + FLAT / 2
    return vectors
