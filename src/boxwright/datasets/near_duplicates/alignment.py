"""Alignment of candidate pairs, and the comparison that decides.

A pair is aligned in shift and size by Gauss-Newton (Lucas and Kanade, 1981) after local contrast
normalization (Jarrett et al., 2009), and compared square by square, so that a moved object or a
caption affects only its own squares.

An alignment is `(x, size of a pixel along x, y, size along y)`: where a pixel of the fixed image
lies in the moving one, relative to the centers of both, in pixels of `SIDE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.hashes import SIDE
from boxwright.datasets.near_duplicates.views import Bytes, Floats, Ints

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

NEAR = np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE))) <= LOCAL
MEAN = (NEAR / NEAR.sum(axis=1, keepdims=True)).astype(np.float32)
MEANS = np.ascontiguousarray(MEAN.T)  # products with a transposed view are slow
# Averages over squares, and what is left of a square without the means of its rows or columns.
INTO = np.kron(np.eye(SIDE // SQUARE), np.full((1, SQUARE), 1 / SQUARE)).astype(np.float32)
OUT_OF = np.ascontiguousarray(INTO.T)
WITHOUT = np.eye(SIDE, dtype=np.float32) - SQUARE * OUT_OF @ INTO


@dataclass(frozen=True)
class Warp:
    """How moving images `(side, side)` are laid over fixed ones by `n` alignments.

    Attributes:
        rows, columns: `(n, side, side)` weights: `rows @ moving @ columns` is laid over the fixed
            image, with zeros outside.
        inside_y, inside_x: `(n, side)`, True for rows and columns of the fixed image that lie
            inside of the moving one.
        overlap: `(n,)`, the fraction of each image that is inside the other; the smaller of both.
    """

    rows: Floats
    columns: Floats
    inside_y: NDArray[np.bool_]
    inside_x: NDArray[np.bool_]
    overlap: Floats

    def select(self, which: Ints) -> Warp:
        """Some of the warps, in this order."""
        return Warp(
            self.rows[which],
            self.columns[which],
            self.inside_y[which],
            self.inside_x[which],
            self.overlap[which],
        )

    def laid(self, moving: Floats) -> Floats:
        """Warped images `(n, side, side)`."""
        return np.asarray(self.rows @ moving @ self.columns, np.float32)

    def seen(self) -> Floats:
        """`(n, side, side)`, 1 for pixels of the fixed image inside the moving one, or 0."""
        y, x = self.inside_y.astype(np.float32), self.inside_x.astype(np.float32)
        return y[:, :, None] * x[:, None]

    def surrounded(self) -> Floats:
        """`(n, side, side)`, 1 for pixels that are seen with all their neighbors, or 0."""
        y, x = (np.zeros(inside.shape, np.float32) for inside in (self.inside_y, self.inside_x))
        y[:, 1:-1] = self.inside_y[:, 2:] & self.inside_y[:, 1:-1] & self.inside_y[:, :-2]
        x[:, 1:-1] = self.inside_x[:, 2:] & self.inside_x[:, 1:-1] & self.inside_x[:, :-2]
        return y[:, :, None] * x[:, None]


def outlines(thumbnails: Bytes) -> tuple[Outlines, Outlines]:
    """Thumbnails `(n, SIDE, SIDE)`, normalized, at a half and a quarter of their size, in
    `LEVELS`."""
    half = _halved(_normalized(thumbnails))
    first, second = ((each * LEVELS).clip(-127, 127).round() for each in (half, _halved(half)))
    return first.astype(np.int8), second.astype(np.int8)


def likeness(fixed: Outlines, moving: Outlines, warp: Warp) -> Floats:
    """`(n,)` correlations of small outlines; the better of this warp and none."""
    small, small_moving = _levels(fixed), _levels(moving)
    return np.maximum(_cosine(small, small_moving), _correlation(small, small_moving, warp))


def roughly_aligned(
    fixed: Outlines, moving: Outlines, alignment: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Align outlines of half the size, from `alignment` or from `SAME_PLACE`, whichever is better.

    Returns the alignments, `(n, 4)`, and True for pairs that correlate by them, `(n,)`.
    """
    half, moving_half = _levels(fixed), _levels(moving)
    better = _aligned(half, moving_half, alignment) > _cosine(half, moving_half)
    start = np.where(better[:, None], alignment, SAME_PLACE)
    best = _align(half, moving_half, start, ROUNDS)
    likely = _aligned(half, moving_half, best) > HOPELESS[0]
    half, moving_half = half[likely], moving_half[likely]
    best[likely] = _align(half, moving_half, best[likely], ROUNDS)
    likely[likely] = _aligned(half, moving_half, best[likely]) > HOPELESS[1]
    return best, likely


def show_one_scene(fixed: Bytes, moving: Bytes, alignment: Floats) -> NDArray[np.bool_]:
    """`(n,)`, True for pairs of roughly aligned thumbnails that show the same scene."""
    first, second = _normalized(fixed), _normalized(moving)
    nearly_equal = _cosine(first, second) >= NEARLY_EQUAL
    same = _verdict(first, second, alignment) >= UNLIKE
    first, second, alignment = first[same], second[same], alignment[same]
    same[same] = _verdict(first, second, _align(first, second, alignment, ROUNDS)) >= SAME_SCENE
    return same | nearly_equal


def _levels(outline: Outlines) -> Floats:
    return outline.astype(np.float32) / np.float32(LEVELS)


def _normalized(thumbnails: NDArray[np.uint8]) -> Floats:
    """Images `(n, SIDE, SIDE)` with the same brightness and contrast everywhere."""
    pixels = thumbnails.astype(np.float32)
    pixels -= MEAN @ pixels @ MEANS
    pixels /= np.sqrt(MEAN @ (pixels * pixels) @ MEANS + FAINT**2)
    return pixels


def _halved(pixels: Floats) -> Floats:
    """Images `(n, side, side)` at half their size."""
    rows = pixels[:, ::2] + pixels[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, np.float32)


def warps(alignment: Floats, side: int) -> Warp:
    """How alignments `(n, 4)` warp images `(n, side, side)`."""
    at = np.arange(side, dtype=np.float32)
    x, inside_x = _positions(alignment[:, 0], alignment[:, 1], at)
    y, inside_y = _positions(alignment[:, 2], alignment[:, 3], at)
    rows, columns = y[:, :, None] - at, at[:, None] - x[:, None]
    overlap = inside_y.mean(axis=1) * inside_x.mean(axis=1)
    overlap *= np.minimum(1, alignment[:, 1] * alignment[:, 3])
    return Warp(_weights(rows), _weights(columns), inside_y, inside_x, overlap)


def _positions(center: Floats, size: Floats, at: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Where pixels of the fixed image lie along one axis of the moving one, `(n, side)`, and True
    for those inside of it; the others lie far away."""
    middle = (len(at) - 1) / 2
    place = center[:, None] * (len(at) / SIDE) + size[:, None] * (at - middle)
    inside = np.abs(place) <= middle + 0.01
    return np.where(inside, place + middle, np.float32(-2)), inside


def _weights(distance: Floats) -> Floats:
    """Of linear interpolation, by the distance in pixels, which is overwritten."""
    np.abs(distance, out=distance)
    np.subtract(1, distance, out=distance)
    return np.maximum(distance, 0, out=distance)


def _align(fixed: Floats, moving: Floats, alignment: Floats, rounds: int) -> Floats:
    """Improve alignments `(n, 4)` by Gauss-Newton steps of least squares."""
    count, side = fixed.shape[:2]
    offset = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / side
    offset_x, offset_y = np.tile(offset, side), np.repeat(offset, side)
    alignment = alignment.copy()
    # The slopes for `x, size along x, y, size along y`, and what is left to explain by them. All
    # pixels are in one row, since numpy is slow with short ones.
    terms = np.zeros((count, 5, side**2), np.float32)
    for _ in range(rounds):
        warp = warps(alignment, side)
        laid = warp.laid(moving).reshape(count, side**2)
        np.subtract(laid[:, 2:], laid[:, :-2], out=terms[:, 0, 1:-1])
        np.subtract(laid[:, 2 * side :], laid[:, : -2 * side], out=terms[:, 2, side:-side])
        terms[:, 0:3:2] *= warp.surrounded().reshape(count, 1, side**2) / 2
        np.multiply(terms[:, 0], offset_x, out=terms[:, 1])
        np.multiply(terms[:, 2], offset_y, out=terms[:, 3])
        np.subtract(fixed.reshape(count, side**2), laid, out=terms[:, 4])
        normal, explained = np.split(terms[:, :4] @ terms.swapaxes(1, 2), [4], axis=2)
        damping = 1e-3 * (1 + np.trace(normal, axis1=1, axis2=2))
        normal += damping[:, None, None] * np.eye(4, dtype=np.float32)
        step = np.linalg.solve(normal, explained)[:, :, 0]
        alignment[:, ::2] += alignment[:, 1::2] * step[:, ::2].clip(-2, 2) * (SIDE / side)
        alignment[:, 1::2] *= 1 + (step[:, 1::2] / side).clip(-0.1, 0.1)
    return alignment


def _cosine(one: Floats, other: Floats) -> Floats:
    """`(n,)` correlations of images `(n, side, side)`, pixel by pixel."""
    squares, others, both = (
        np.einsum("nij,nij->n", first, second)
        for first, second in ((one, one), (other, other), (one, other))
    )
    return np.asarray(both / np.sqrt(squares * others + 1e-6), np.float32)


def _correlation(fixed: Floats, moving: Floats, warp: Warp) -> Floats:
    """`(n,)` correlations of aligned images where they overlap; -1 if they overlap too little."""
    correlation = _cosine(fixed * warp.seen(), warp.laid(moving))
    return np.where(warp.overlap >= LITTLE, correlation, np.float32(-1))


def _aligned(fixed: Floats, moving: Floats, alignment: Floats) -> Floats:
    return _correlation(fixed, moving, warps(alignment, fixed.shape[1]))


def _verdict(fixed: Floats, moving: Floats, alignment: Floats) -> Floats:
    """`(n,)` correlations of the median square of aligned images, to compare with `SAME_SCENE`;
    -1 if there are too few squares or too little overlap. Few squares are penalized.

    The means of the rows and columns of a square are subtracted, because edges of letterbox bars,
    shelves and horizons match after any alignment.
    """
    warp = warps(alignment, SIDE)
    one, other = (WITHOUT @ pixels @ WITHOUT for pixels in (fixed, warp.laid(moving)))
    contrast, contrasts, common = (
        _of_squares(first * second) for first, second in ((one, one), (other, other), (one, other))
    )
    counted = np.maximum(contrast, contrasts) >= TEXTURE
    counted &= _of_squares(warp.seen()) > 1 - 0.5 / SQUARE**2
    correlation = common / np.sqrt((contrast + NOISE) * (contrasts + NOISE))
    ranked = np.sort(np.where(counted, correlation, np.inf), axis=1)
    number = counted.sum(axis=1)
    median = np.take_along_axis(ranked, number[:, None] // 2, axis=1)[:, 0]
    median -= np.where(number < FEW, SURE - SAME_SCENE, 0)
    return np.where((number >= MIN_SQUARES) & (warp.overlap >= OVERLAP), median, -1)


def _of_squares(pixels: Floats) -> Floats:
    """The means of the squares of images `(n, SIDE, SIDE)`: `(n, 64)`."""
    means = INTO @ pixels @ OUT_OF
    return np.asarray(means.reshape(len(pixels), (SIDE // SQUARE) ** 2), np.float32)
