"""Alignment of candidate pairs, and the comparison that decides.

A pair is aligned in shift and size by Gauss-Newton (Lucas and Kanade, 1981) after local contrast
normalization (Jarrett et al., 2009), and compared square by square, so that a moved object or a
caption affects only its own squares.

An alignment is `(x, size of a pixel along x, y, size along y)`: where a pixel of the fixed image
lies in the moving one, relative to the centers of both, in pixels of `SIDE`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.hashes import SIDE
from boxwright.datasets.near_duplicates.views import Bytes, Floats

Outlines = NDArray[np.int8]

SAME_PLACE = np.array([[0, 1, 0, 1]], np.float32)
LOCAL = 6  # pixels; radius of local contrast normalization
FAINT = 4.0  # gray levels of contrast that may be noise
ROUNDS = 4  # Gauss-Newton steps, twice at half size and once at full size
# What is worth the next step. Correlation at a quarter of the size, not aligned: 99 percent of
# planted copies have 0.52, 98 percent of different images less than 0.5. At half the size, aligned
# once and twice: near-duplicates have 0.44 and 0.52. Of the median square, before alignment at full
# size: 0.48, where 99 percent of different images have less than 0.37.
DISTANT, HOPELESS, UNLIKE = 0.5, (0.4, 0.45), 0.4
LEVELS = 24  # of one standard deviation, in an outline
OVERLAP, LITTLE = 0.5, 0.4  # minimum fraction of each image inside the other; while roughly aligned
SQUARE = 8  # pixels of a square's side
TEXTURE, NOISE = 0.02, 0.01  # minimum variance of a square that counts; variance of noise
# Correlation of the median square. Near-duplicates have at least 0.75 (raccoon: the animal moved)
# and 0.87 (BCCD), different images at most 0.36, 0.45 and, on hardhat, 0.18. 98 percent of planted
# crops, captions and poor copies have 0.7 or more.
SAME_SCENE = 0.6
NEARLY_EQUAL = 0.95  # correlation of copies, where too few squares have texture
FEW, MIN_SQUARES, SURE = 12, 8, 0.8  # fewer than FEW squares must correlate by SURE


def outlines(thumbnails: Bytes) -> tuple[Outlines, Outlines]:
    """Thumbnails `(n, SIDE, SIDE)`, normalized, at a half and a quarter of their size, in
    `LEVELS`."""
    half = _halved(_normalized(thumbnails))
    first, second = ((each * LEVELS).clip(-127, 127).round() for each in (half, _halved(half)))
    return first.astype(np.int8), second.astype(np.int8)


def likeness(fixed: Outlines, moving: Outlines, alignment: Floats) -> Floats:
    """`(n,)` correlations of small outlines; the better of this alignment and `SAME_PLACE`."""
    small, small_moving = _levels(fixed), _levels(moving)
    here = _correlation(small, small_moving, _at_the_same_place(len(fixed)))
    return np.maximum(here, _correlation(small, small_moving, alignment))


def roughly_aligned(
    fixed: Outlines, moving: Outlines, alignment: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Align outlines of half the size, from `alignment` and from `SAME_PLACE`.

    Returns the alignments, `(n, 4)`, and True for pairs that correlate by them, `(n,)`.
    """
    half, moving_half = _levels(fixed), _levels(moving)
    best = _align(half, moving_half, _at_the_same_place(len(half)))
    found = _align(half, moving_half, alignment)
    score, score_found = (_correlation(half, moving_half, each) for each in (best, found))
    best[score_found > score] = found[score_found > score]
    likely = np.maximum(score, score_found) > HOPELESS[0]
    half, moving_half = half[likely], moving_half[likely]
    best[likely] = _align(half, moving_half, best[likely])
    likely[likely] = _correlation(half, moving_half, best[likely]) > HOPELESS[1]
    return best, likely


def show_one_scene(fixed: Bytes, moving: Bytes, alignment: Floats) -> NDArray[np.bool_]:
    """`(n,)`, True for pairs of roughly aligned thumbnails that show the same scene."""
    first, second = _normalized(fixed), _normalized(moving)
    nearly_equal = _correlation(first, second, _at_the_same_place(len(first))) >= NEARLY_EQUAL
    same = _verdict(first, second, alignment) >= UNLIKE
    first, second, alignment = first[same], second[same], alignment[same]
    same[same] = _verdict(first, second, _align(first, second, alignment)) >= SAME_SCENE
    return same | nearly_equal


def _at_the_same_place(count: int) -> Floats:
    return np.repeat(SAME_PLACE, count, axis=0)


def _levels(outline: Outlines) -> Floats:
    return outline.astype(np.float32) / np.float32(LEVELS)


def _normalized(thumbnails: NDArray[np.uint8]) -> Floats:
    """Images `(n, SIDE, SIDE)` with the same brightness and contrast everywhere."""
    near = np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE))) <= LOCAL
    mean = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
    pixels = thumbnails.astype(np.float32)
    pixels -= mean @ pixels @ mean.T
    pixels /= np.sqrt(mean @ (pixels * pixels) @ mean.T + FAINT**2)
    return pixels


def _halved(pixels: Floats) -> Floats:
    """Images `(n, side, side)` at half their size."""
    rows = pixels[:, ::2] + pixels[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, np.float32)


def _samples(center: Floats, size: Floats, side: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Linear interpolation along one axis: for each pixel of the fixed image, its weights on the
    moving image, `(n, side, side)`, and True if it is inside of that, `(n, side)`."""
    at = np.arange(side, dtype=np.float32)
    middle = (side - 1) / 2
    where = center[:, None] * (side / SIDE) + size[:, None] * (at - middle)
    rows = (1 - np.abs((where + middle)[:, :, None] - at)).clip(0)
    return np.asarray(rows, np.float32), np.abs(where) <= middle + 0.01


def _moved(moving: Floats, alignment: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Images `(n, side, side)` warped by their alignments, and a mask of valid pixels."""
    columns, inside_x = _samples(alignment[:, 0], alignment[:, 1], moving.shape[1])
    rows, inside_y = _samples(alignment[:, 2], alignment[:, 3], moving.shape[1])
    laid = np.asarray(rows @ moving @ columns.swapaxes(1, 2), np.float32)
    return laid, inside_y[:, :, None] & inside_x[:, None]


def _align(fixed: Floats, moving: Floats, alignment: Floats) -> Floats:
    """Improve alignments `(n, 4)` by `ROUNDS` Gauss-Newton steps of least squares."""
    side = fixed.shape[1]
    offset = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / side
    alignment = alignment.copy()
    for _ in range(ROUNDS):
        laid, seen = _moved(moving, alignment)
        slopes = np.zeros((len(fixed), 4, side, side), np.float32)
        slopes[:, 0, :, 1:-1] = (laid[:, :, 2:] - laid[:, :, :-2]) / 2
        slopes[:, 2, 1:-1] = (laid[:, 2:] - laid[:, :-2]) / 2
        surrounded = np.zeros_like(seen)  # pixels all of whose neighbors are seen too
        surrounded[:, 1:-1, 1:-1] = (
            seen[:, 2:, 1:-1] & seen[:, :-2, 1:-1] & seen[:, 1:-1, 2:] & seen[:, 1:-1, :-2]
        )
        slopes *= surrounded[:, None]
        slopes[:, 1] = slopes[:, 0] * offset
        slopes[:, 3] = slopes[:, 2] * offset[:, None]
        flat = slopes.reshape(len(fixed), 4, side * side)
        normal = flat @ flat.swapaxes(1, 2)
        damping = 1e-3 * (1 + np.trace(normal, axis1=1, axis2=2))
        normal += damping[:, None, None] * np.eye(4, dtype=np.float32)
        step = np.linalg.solve(normal, flat @ (fixed - laid).reshape(-1, side * side, 1))[:, :, 0]
        alignment[:, ::2] += alignment[:, 1::2] * step[:, ::2].clip(-2, 2) * (SIDE / side)
        alignment[:, 1::2] *= 1 + (step[:, 1::2] / side).clip(-0.1, 0.1)
    return alignment


def _overlap(seen: NDArray[np.bool_], alignment: Floats) -> Floats:
    """`(n,)`, the fraction of each image that is inside the other; the smaller of both."""
    area = seen.mean(axis=(1, 2)) * np.minimum(1, alignment[:, 1] * alignment[:, 3])
    return np.asarray(area, np.float32)


def _correlation(fixed: Floats, moving: Floats, alignment: Floats) -> Floats:
    """`(n,)` correlations of aligned images where they overlap; -1 if they overlap too little."""
    laid, seen = _moved(moving, alignment)
    fixed, laid = fixed * seen, laid * seen
    one, other = (np.square(pixels).sum(axis=(1, 2)) for pixels in (fixed, laid))
    correlation = (fixed * laid).sum(axis=(1, 2)) / np.sqrt(one * other + 1e-6)
    return np.where(_overlap(seen, alignment) >= LITTLE, correlation, -1)


def _verdict(fixed: Floats, moving: Floats, alignment: Floats) -> Floats:
    """`(n,)` correlations of the median square of aligned images, to compare with `SAME_SCENE`;
    -1 if there are too few squares or too little overlap. Few squares are penalized.

    The means of the rows and columns of a square are subtracted, because edges of letterbox bars,
    shelves and horizons match after any alignment.
    """
    laid, seen = _moved(moving, alignment)
    one, other = _squares(fixed), _squares(laid)
    contrast, contrasts = (np.square(squares).mean(axis=2) for squares in (one, other))
    counted = np.maximum(contrast, contrasts) >= TEXTURE
    counted &= _cut(seen).all(axis=(2, 4)).reshape(counted.shape)
    correlation = (one * other).mean(axis=2) / np.sqrt((contrast + NOISE) * (contrasts + NOISE))
    ranked = np.sort(np.where(counted, correlation, np.inf), axis=1)
    number = counted.sum(axis=1)
    median = np.take_along_axis(ranked, number[:, None] // 2, axis=1)[:, 0]
    median -= np.where(number < FEW, SURE - SAME_SCENE, 0)
    return np.where((number >= MIN_SQUARES) & (_overlap(seen, alignment) >= OVERLAP), median, -1)


def _cut(pixels: NDArray[Any]) -> NDArray[Any]:
    side = SIDE // SQUARE
    return pixels.reshape(len(pixels), side, SQUARE, side, SQUARE)


def _squares(pixels: Floats) -> Floats:
    """Images `(n, SIDE, SIDE)` as squares `(n, 64, 64)` without the means of rows and columns."""
    squares = _cut(pixels).swapaxes(2, 3)
    squares = squares - squares.mean(axis=3, keepdims=True)
    squares -= squares.mean(axis=4, keepdims=True)
    return np.asarray(squares.reshape(len(pixels), (SIDE // SQUARE) ** 2, SQUARE**2), np.float32)
