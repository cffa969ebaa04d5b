"""Vectors that describe an image, its center, and all places where another's center may lie.

A vector is the discrete cosine transform of a window at low resolution, of unit length, so that a
product of two vectors is a correlation. The center of one image, cut at four sizes, is sought among
the windows of the other.
"""

from __future__ import annotations

from functools import cache

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
VIEWS = len(SCALES) ** 2  # of a center
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
    """The vectors of the windows of `(n, SIDE, SIDE)`, row by row: `(n, 81, SIZE)`.

    The cells of all windows are those of one grid, since `STEP` is the side of a cell.
    """
    # Sums of slices: numpy is slow in sums over the short axes of `(n, cells, STEP, cells, STEP)`.
    rows = thumbnails[:, ::STEP].astype(np.float32)
    for row in range(1, STEP):
        rows += thumbnails[:, row::STEP]
    grid = rows[:, :, ::STEP].copy()
    for column in range(1, STEP):
        grid += rows[:, :, column::STEP]
    grid /= STEP**2
    crops = np.lib.stride_tricks.sliding_window_view(grid, (CELLS, CELLS), axis=(1, 2))
    return _vectors(crops.reshape(len(grid), -1, CELLS**2))


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


@cache
def _averages(width: float) -> Floats:
    """`(CELLS, SIDE)`: rows that average the cells of the middle `width` pixels."""
    edges = (SIDE - width) / 2 + np.linspace(0, width, CELLS + 1)
    lower, upper = edges[:-1, None], edges[1:, None]
    covered = np.minimum(upper, np.arange(1, SIDE + 1)) - np.maximum(lower, np.arange(SIDE))
    return (covered.clip(0) / (upper - lower)).astype(np.float32)


def _frequencies() -> Floats:
    """The cosine transform of a window's cells, row by row: `(64, SIZE)`.

    The contrast of images falls as one over the frequency, so weights proportional to the frequency
    balance it. Left out are the mean and frequencies too high for a shift of half a `STEP`. Each
    half of the columns has low and high frequencies.
    """
    order = np.arange(CELLS)
    rows = np.cos(np.pi * order[:, None] * (order + 0.5) / CELLS)
    rows *= np.sqrt(np.where(order, 2, 1) / CELLS)[:, None]
    frequency = np.hypot(order[:, None], order).reshape(-1)
    counted = np.flatnonzero((frequency > 0) & (frequency <= 6))
    counted = np.concatenate([counted[::2], counted[1::2]])
    chosen = np.kron(rows, rows)[counted] * frequency[counted, None]
    return np.ascontiguousarray(chosen.T, np.float32)


FREQUENCIES = _frequencies()
SIZE = FREQUENCIES.shape[1]  # numbers of a vector


def _middles(pixels: Floats, height: float, width: float) -> Floats:
    """The vectors of the middles of `(n, SIDE, SIDE)`: `(n, 1, SIZE)`."""
    cells = np.asarray(
        _averages(height) @ pixels @ np.ascontiguousarray(_averages(width).T), np.float32
    )
    return _vectors(cells.reshape(len(pixels), 1, CELLS**2))


def _vectors(cells: Floats) -> Floats:
    """Unit vectors `(n, windows, SIZE)` of windows with cells `(n, windows, 64)`."""
    vectors: Floats = cells @ FREQUENCIES
    vectors /= np.sqrt(np.einsum("nwi,nwi->nw", vectors, vectors)[:, :, None]) + FLAT / 2
    return vectors
