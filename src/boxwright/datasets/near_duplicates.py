"""Duplicate and near-duplicate images: resized, cropped, recompressed or captioned copies, and
adjacent video frames.

A near-duplicate of a training image in the test set makes the score too high.

Images are reduced to small gray squares. Matrix products find candidates: the center of one image,
at low resolution, is searched for in the other at many positions and sizes. A candidate pair is
aligned in shift and size by Gauss-Newton (Lucas and Kanade, 1981) after local contrast
normalization (Jarrett et al., 2009), and compared square by square, so that a moved object or a
caption affects only its own squares. Mirrored copies, and copies rotated by more than a degree or
two, are not found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

SIDE = 64  # pixels of a thumbnail's side
DIGEST = 8  # bytes of the digest that identifies equal pixels
FLAT = 2.0  # gray levels of contrast below which images count as blank, hence equal

CELLS = 8  # along each side of a low-resolution window
MIDDLE = 32  # pixels; side of the center that is searched for in the other image
STEP = 4  # pixels between search positions
REACH = {1.0: 16, 1.25: 8}  # scale along x or y -> largest shift in pixels
BLOCK = 512  # images compared with as many others at once
TILE = 80  # images per matrix product: so few that BLAS starts no threads, slow on busy cores
CANDIDATES = 8  # per image, for alignment
MAYBE = 0.62  # nearly all planted copies correlate above 0.7 at low resolution

LOCAL = 6  # pixels; radius of local contrast normalization
FAINT = 4.0  # gray levels of contrast that may be noise
BATCH = 256  # pairs aligned at once
ROUNDS = 4  # Gauss-Newton steps, twice at half size and once at full size
HOPELESS = 0.3  # correlation at half size below which a pair is rejected
OVERLAP, LITTLE = 0.5, 0.4  # minimum fraction of each image inside the other; while roughly aligned
SQUARE = 8  # pixels of a square's side
TEXTURE, NOISE = 0.02, 0.01  # minimum variance of a square that counts; variance of noise
# Correlation of the median square. Near-duplicates have at least 0.75 (raccoon: the animal moved)
# and 0.87 (BCCD), different images at most 0.36, 0.45 and, on hardhat, 0.18. 98 percent of planted
# crops, captions and poor copies have 0.7 or more.
SAME_SCENE = 0.6
FEW, MIN_SQUARES, SURE = 12, 8, 0.8  # fewer than FEW squares must correlate by SURE


@dataclass(frozen=True)
class Duplicates:
    """Duplicates and near-duplicates among `N` images.

    Attributes:
        pairs: `(P, 2)`, `i < j`, sorted: enough pairs to connect every group, not all pairs.
        identical: `(P,)`, True if the pair has the same pixels.
        groups: `(N,)` ids from 0 without gaps, in order of first occurrence. A near-duplicate of
            any member belongs to the group.
    """

    pairs: Ints
    identical: NDArray[np.bool_]
    groups: Ints


def image_hash(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The hash of an image, `(H, W, 3)` uint8 to `(4104,)` uint8.

    It consists of a digest of the pixels and a gray thumbnail of `SIDE` x `SIDE` pixels.
    """
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=DIGEST)
    digest.update(np.ascontiguousarray(image).data)
    gray = Image.fromarray(image).convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.concatenate([np.frombuffer(digest.digest(), np.uint8), np.asarray(gray).reshape(-1)])


def groups(hashes: NDArray[np.uint8]) -> Ints:
    """`duplicates(hashes).groups`: group ids `(N,)` of images with hashes `(N, 4104)`."""
    return duplicates(hashes).groups


def duplicates(hashes: NDArray[np.uint8]) -> Duplicates:
    """Find duplicates and near-duplicates by the hashes `(N, 4104)` of images."""
    forest = _Forest(len(hashes))
    digests = np.ascontiguousarray(hashes[:, :DIGEST]).view(np.uint64).reshape(-1)
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    for i, original in enumerate(first[inverse].tolist()):
        forest.join(original, i, identical=True)

    different = np.sort(first)
    thumbnails = hashes[different, DIGEST:].reshape(-1, SIDE, SIDE)
    flat = np.array([thumbnail.std() < FLAT for thumbnail in thumbnails], np.bool_)
    for i in different[flat].tolist():
        forest.join(int(different[flat][0]), i)

    different, thumbnails = different[~flat], thumbnails[~flat]
    for candidates in _candidates(thumbnails):
        apart = [forest.root(i) != forest.root(j) for i, j in different[candidates].tolist()]
        candidates = candidates[np.array(apart, np.bool_)]
        for start in range(0, len(candidates), BATCH):
            batch = candidates[start : start + BATCH]
            for i, j in different[batch[_are_near_duplicates(*thumbnails[batch.T])]].tolist():
                forest.join(i, j)
    return forest.duplicates()


class _Forest:
    """Disjoint sets, and the pairs that joined them."""

    def __init__(self, size: int) -> None:
        self.parents = list(range(size))
        self.joins: list[tuple[int, int, bool]] = []

    def root(self, i: int) -> int:
        while self.parents[i] != i:
            self.parents[i] = i = self.parents[self.parents[i]]
        return i

    def join(self, i: int, j: int, *, identical: bool = False) -> None:
        a, b = sorted((self.root(i), self.root(j)))
        if a != b:
            self.parents[b] = a
            self.joins.append((min(i, j), max(i, j), identical))

    def duplicates(self) -> Duplicates:
        joins = np.array(sorted(self.joins), np.int64).reshape(-1, 3)
        roots = [self.root(i) for i in range(len(self.parents))]  # its group's first image
        ids = np.unique(roots, return_inverse=True)[1].astype(np.int64)
        return Duplicates(joins[:, :2], joins[:, 2].astype(np.bool_), ids)


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


def _crops(pixels: Floats, ys: Floats, height: float, xs: Floats, width: float) -> Floats:
    """`(len(ys) * len(xs), n, 34)` unit vectors of windows of `(n, SIDE, SIDE)` at `ys`, `xs`."""
    vertical = (COSINES @ _averages(ys, height)).reshape(-1, SIDE)
    horizontal = (COSINES @ _averages(xs, width)).reshape(-1, SIDE)
    crops = (vertical @ pixels @ horizontal.T).reshape(len(pixels), len(ys), CELLS, len(xs), CELLS)
    counting = np.flatnonzero(WEIGHTS)
    vectors = crops.transpose(1, 3, 0, 2, 4).reshape(-1, len(pixels), CELLS**2)
    vectors = np.take(vectors, counting, axis=2)
    vectors *= WEIGHTS[counting]
    vectors /= np.sqrt((vectors * vectors).sum(axis=2, keepdims=True)) + FLAT / 2
    return vectors


def _ways() -> tuple[list[tuple[int, slice]], Floats]:
    """All ways to search for one image in another, `(template, windows in a row)`, and the
    alignment `(ways, 4)` of each: position of the center in the other image, relative to its
    center, and size of a pixel there; along x, then y."""
    offsets = np.arange(MIDDLE - SIDE, SIDE - MIDDLE + 1, 2 * STEP) // 2
    ways, alignments = [(0, slice(0, 1))], [(0.0, 1.0, 0.0, 1.0)]
    for sought, (tall, wide) in enumerate([(b, a) for b in REACH for a in REACH], 1):
        columns = np.flatnonzero(np.abs(offsets) <= REACH[wide])
        for row in np.flatnonzero(np.abs(offsets) <= REACH[tall]):
            first = 1 + int(row) * len(offsets)
            ways.append((sought, slice(first + int(columns[0]), first + int(columns[-1]) + 1)))
            alignments += [(offsets[i], 1 / wide, offsets[row], 1 / tall) for i in columns]
    return ways, np.array(alignments, np.float32)


WAYS, ALIGNMENTS = _ways()


def _seen_from_afar(thumbnails: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """The templates `(5, n, 34)` and search windows `(82, n, 34)` of `(n, SIDE, SIDE)` images;
    number 0 of both is the full image."""
    pixels = thumbnails.astype(np.float32)

    def middle(*sides: float) -> Floats:
        y, x = (np.array([(SIDE - side) / 2], np.float32) for side in sides)
        return _crops(pixels, y, sides[0], x, sides[1])

    starts = np.arange(0, SIDE - MIDDLE + 1, STEP).astype(np.float32)
    surrounded = middle(SIDE, SIDE)
    middles = [middle(MIDDLE * tall, MIDDLE * wide) for tall in REACH for wide in REACH]
    windows = _crops(pixels, starts, MIDDLE, starts, MIDDLE)
    return np.concatenate([surrounded, *middles]), np.concatenate([surrounded, windows])


def _candidates(thumbnails: NDArray[np.uint8]) -> Iterator[Ints]:
    """Pairs `(n, 2)` of images `(N, SIDE, SIDE)` that may be near-duplicates: first the best
    candidate of every image, then the second best, and so on."""
    size = len(thumbnails)
    scores = np.full((size, CANDIDATES), -1, np.float32)
    others = np.zeros((size, CANDIDATES), np.int64)

    def keep(rows: slice, start: int, found: Floats) -> None:
        """Merge the scores of `rows` for images from `start` on into the best so far."""
        numbers = np.broadcast_to(np.arange(start, start + found.shape[1]), found.shape)
        both = np.concatenate([scores[rows], found], axis=1)
        best = np.argpartition(-both, CANDIDATES - 1, axis=1)[:, :CANDIDATES]
        scores[rows] = np.take_along_axis(both, best, axis=1)
        others[rows] = np.take_along_axis(np.concatenate([others[rows], numbers], 1), best, axis=1)

    for start in range(0, size, BLOCK):
        rows = slice(start, start + BLOCK)
        sought, windows = _seen_from_afar(thumbnails[rows])
        for other in range(0, start, BLOCK):
            columns = slice(other, other + BLOCK)
            sought_there, windows_there = _seen_from_afar(thumbnails[columns])
            found = np.maximum(_best(sought, windows_there), _best(sought_there, windows).T)
            keep(rows, other, found)
            keep(columns, start, found.T)
        found = _best(sought, windows)
        np.maximum(found, found.T, out=found)
        np.fill_diagonal(found, -1)
        keep(rows, start, found)

    order = np.argsort(-scores, axis=1, kind="stable")
    scores = np.take_along_axis(scores, order, axis=1).T
    others = np.take_along_axis(others, order, axis=1).T
    pairs = np.sort(np.stack([np.broadcast_to(np.arange(size), others.shape), others], 2), axis=2)
    rank, row = np.nonzero(scores >= MAYBE)
    pairs, first = np.unique(pairs[rank, row], axis=0, return_index=True)
    for turn in range(CANDIDATES):
        yield pairs[rank[first] == turn]


def _best(sought: Floats, windows: Floats) -> Floats:
    """`(n, m)` highest correlations of templates with windows."""
    best = np.full((sought.shape[1], windows.shape[1]), -1, np.float32)
    for top in range(0, len(best), TILE):
        for left in range(0, best.shape[1], TILE):
            tile = best[top : top + TILE, left : left + TILE]
            columns = windows[:, left : left + TILE].swapaxes(1, 2)
            for what, where in WAYS:
                found = sought[what, top : top + TILE] @ columns[where]
                np.maximum(tile, found.max(axis=0), out=tile)
    return best


def _are_near_duplicates(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """`(n,)`, True for pairs of images `(n, SIDE, SIDE)` that are near-duplicates."""
    sought, windows_back = _seen_from_afar(first)
    sought_back, windows = _seen_from_afar(second)
    start, score = _likeliest(sought, windows)
    start_back, score_back = _likeliest(sought_back, windows_back)
    back = score_back > score
    fixed, moving = _normalized(first), _normalized(second)
    fixed[back], moving[back] = moving[back], fixed[back]
    start[back] = start_back[back]

    half, moving_half = _halved(fixed), _halved(moving)
    best = _align(half, moving_half, np.tile(ALIGNMENTS[0], (len(start), 1)))
    found = _align(half, moving_half, start)
    better = _correlation(half, moving_half, found) > _correlation(half, moving_half, best)
    best[better] = found[better]
    best = _align(half, moving_half, best)
    likely = _correlation(half, moving_half, best) > HOPELESS
    fixed, moving = fixed[likely], moving[likely]
    best = _align(fixed, moving, best[likely])
    likely[likely] = _verdict(fixed, moving, best) >= SAME_SCENE
    return likely


def _likeliest(sought: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """The best of the `WAYS` to search for each image in its partner: the alignment `(n, 4)` and
    the correlation `(n,)`."""
    scores = np.concatenate([(sought[what] * windows[where]).sum(axis=2) for what, where in WAYS])
    return ALIGNMENTS[scores.argmax(axis=0)], scores.max(axis=0)


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
    side = pixels.shape[1] // 2
    return np.asarray(pixels.reshape(-1, side, 2, side, 2).mean(axis=(2, 4)), np.float32)


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
