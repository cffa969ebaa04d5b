"""An inverted index of vectors finds, for each image, the images whose center it may contain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.views import SIZE, Floats, Ints

SPARSE = 50  # indexed images for each square of the number of centroids
TRAINED = 256  # vectors for each centroid
LLOYD = 6  # steps of k-means
PROBES = 2  # centroids of each half of an indexed vector; its cells are their combinations
HALVES = (slice(SIZE // 2), slice(SIZE // 2, SIZE))
# Sizes of products: so small that BLAS starts no threads, slow on busy cores.
TILE, WIDTH = 8, 1024  # queries and members of a cell
CHUNK = 256  # vectors compared with centroids
ROWS = 512  # queries of a cell at once: their scores stay in a core's cache
MAYBE = 0.62  # nearly all planted copies correlate above 0.7
CANDIDATES = 12  # for each image


@dataclass(frozen=True)
class Candidates:
    """Pairs of images that may be near-duplicates.

    Attributes:
        fixed, moving: `(P,)` images: the center of the first may lie in the second.
        way: `(P,)`, the first way of the index, plus `windows * k + w` if its vector `k` is at
            window `w`.
        score: `(P,)`, higher for likelier pairs.
    """

    fixed: Ints
    moving: Ints
    way: Ints
    score: Floats

    def __len__(self) -> int:
        return len(self.fixed)

    def select(self, which: slice | Ints | NDArray[np.bool_]) -> Candidates:
        """Some of the pairs, in this order."""
        return Candidates(self.fixed[which], self.moving[which], self.way[which], self.score[which])

    def batches(self, size: int) -> list[Candidates]:
        """The pairs in parts of at most `size`."""
        return [self.select(slice(i, i + size)) for i in range(0, len(self), size)]

    def likeliest(self) -> Candidates:
        """The best way of each pair, whichever image is fixed; the likeliest pair first."""
        low, high = np.minimum(self.fixed, self.moving), np.maximum(self.fixed, self.moving)
        order = np.lexsort((-self.score, high, low))
        repeated = (np.diff(low[order], prepend=-1) == 0) & (np.diff(high[order], prepend=-1) == 0)
        order = order[~repeated]
        return self.select(order[np.argsort(-self.score[order], kind="stable")])

    def by_image(self) -> Candidates:
        """The pairs sorted by moving image, the likeliest of each first."""
        order = self.moving - self.score.astype(np.float64) / 4  # one key is sorted faster than two
        return self.select(np.argsort(order, kind="stable"))

    def nearest(self, count: int) -> Candidates:
        """The `count` likeliest pairs of each moving image, sorted by image."""
        pairs = self.by_image()
        starts = np.flatnonzero(np.diff(pairs.moving, prepend=-1))
        rank = np.arange(len(pairs)) - np.repeat(starts, np.diff(starts, append=len(pairs)))
        return pairs.select(rank < count)

    def mutual(self, count: int) -> Candidates:
        """The pairs of which each image is among the `count` likeliest for the other."""
        pairs = self.likeliest()
        number = np.arange(len(pairs))
        forth = replace(pairs, way=number)
        back = Candidates(pairs.moving, pairs.fixed, number, pairs.score)
        kept = np.bincount(
            Candidates.joined([forth, back]).nearest(count).way, minlength=len(pairs)
        )
        return pairs.select(kept == 2)

    @staticmethod
    def joined(parts: Sequence[Candidates]) -> Candidates:
        """The pairs of all parts."""
        return Candidates(
            np.concatenate([part.fixed for part in parts]),
            np.concatenate([part.moving for part in parts]),
            np.concatenate([part.way for part in parts]),
            np.concatenate([part.score for part in parts]),
        )


class Index:
    """An inverted multi-index (Babenko and Lempitsky, 2012) of unit vectors.

    Each half of a vector is quantized by k-means. A cell is a pair of centroids. An indexed vector
    is in the cells of its `PROBES` nearest centroids; a query is compared with one cell. The number
    of cells grows with the number of images, so that a cell keeps its size; small sets have so few
    that all vectors are compared.
    """

    def __init__(self, vectors: Floats, first_way: int, best: int) -> None:
        """Index `(images, k, SIZE)` vectors, to find the `best` images for a query."""
        self._kinds, self._first_way, self._best = vectors.shape[1], first_way, best
        self._vectors = vectors.reshape(-1, SIZE)
        self._centroids = max(PROBES, round((len(vectors) / SPARSE) ** 0.5))
        random = np.random.default_rng(0)
        some = random.permutation(len(self._vectors))[: TRAINED * self._centroids]
        self._books = [_k_means(self._vectors[some][:, half], self._centroids) for half in HALVES]
        first, second = self._nearest(self._vectors, PROBES)
        cells = (first[:, :, None] * self._centroids + second[:, None]).reshape(-1)
        self._members = _sorted(cells, self._centroids**2)
        self._starts = np.searchsorted(cells[self._members], np.arange(self._centroids**2 + 1))
        self._members //= PROBES**2

    def candidates(self, queries: Floats, start: int) -> Candidates:
        """The `CANDIDATES` best images for each image with vectors `(n, windows, SIZE)`, the first
        of which is image `start`; never the image itself."""
        count = queries.shape[1]
        owners = np.arange(len(queries) * count) // count + start
        flat = queries.reshape(-1, SIZE)
        first, second = self._nearest(flat, 1)
        cells = (first * self._centroids + second)[:, 0]
        order = _sorted(cells, self._centroids**2)
        edges = np.flatnonzero(np.diff(cells[order], prepend=-1, append=-1))
        found = [
            part
            for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
            for top in range(low, high, ROWS)
            for part in self._in_cell(
                int(cells[order[low]]), flat, order[top : min(top + ROWS, high)], owners
            )
        ]
        if not found:
            nothing = np.zeros(0, np.int64)
            return Candidates(nothing, nothing, nothing, np.zeros(0, np.float32))
        query, member, score = (np.concatenate(part) for part in zip(*found, strict=True))
        way = self._first_way + member % self._kinds * count + query % count
        return _best(Candidates(member // self._kinds, owners[query], way, score))

    def _nearest(self, vectors: Floats, count: int) -> Iterator[Ints]:
        """For each half, the `count` nearest centroids `(n, count)`, the nearest first."""
        for half, book in zip(HALVES, self._books, strict=True):
            norms, twice = np.square(book).sum(axis=1), np.ascontiguousarray(2 * book.T)
            nearest = np.empty((len(vectors), count), np.int64)
            for start in range(0, len(vectors), CHUNK):
                rows = slice(start, start + CHUNK)
                distances = norms - vectors[rows, half] @ twice
                each = np.arange(len(distances))
                for rank in range(count):  # sorting would take longer
                    nearest[rows, rank] = best = distances.argmin(axis=1)
                    if rank < count - 1:
                        distances[each, best] = np.inf
            yield nearest

    def _in_cell(
        self, cell: int, queries: Floats, rows: Ints, owners: Ints
    ) -> Iterator[tuple[Ints, Ints, Floats]]:
        """The best members of a cell for `queries[rows]`, never an image for itself: query, indexed
        vector and correlation."""
        members = self._members[self._starts[cell] : self._starts[cell + 1]]
        if not len(members):
            return
        images, own = members // self._kinds, owners[rows]
        scores = _products(queries.take(rows, axis=0), self._vectors.take(members, axis=0))
        for left in reversed(range(self._best)):
            best = scores.argmax(axis=1)
            itself = np.flatnonzero(images[best] == own)
            _hide(scores, itself, images, own[itself])
            best[itself] = scores[itself].argmax(axis=1)
            score = scores[np.arange(len(rows)), best]
            likely = np.flatnonzero(score >= MAYBE)
            yield rows[likely], members[best[likely]], score[likely]
            if not left or not len(likely):
                return
            _hide(scores, likely, images, images[best[likely]])


def _sorted(numbers: Ints, end: int) -> Ints:
    """`argsort` of numbers from 0 to `end`: NumPy sorts those of at most 16 bits by counting."""
    return np.argsort(numbers.astype(np.min_scalar_type(end)), kind="stable")


def _products(queries: Floats, members: Floats) -> Floats:
    """`(queries, members)`, a few queries at a time."""
    tiles = np.resize(queries, (-(-len(queries) // TILE), TILE, SIZE))  # filled up with the first
    columns = np.ascontiguousarray(members.T)  # products with a transposed view are slow
    scores = np.empty((len(tiles), TILE, len(members)), np.float32)
    for left in range(0, len(members), WIDTH):
        part = slice(left, left + WIDTH)
        np.matmul(tiles, columns[:, part], out=scores[:, :, part])
    return scores.reshape(-1, len(members))[: len(queries)]


def _hide(scores: Floats, rows: Ints, images: Ints, hidden: Ints) -> None:
    """Set the scores of one image in each of these rows to -1; `images` of columns are sorted."""
    column = np.searchsorted(images, hidden)
    while len(rows):
        inside = column < len(images)
        inside[inside] = images[column[inside]] == hidden[inside]
        rows, column, hidden = rows[inside], column[inside], hidden[inside]
        scores[rows, column] = -1
        column = column + 1


def _best(pairs: Candidates) -> Candidates:
    """The best way of each pair, and of these the `CANDIDATES` best of each moving image."""
    pairs = pairs.by_image()
    key = pairs.moving * (int(pairs.fixed.max(initial=0)) + 1) + pairs.fixed
    return pairs.select(np.sort(np.unique(key, return_index=True)[1])).nearest(CANDIDATES)


def _k_means(vectors: NDArray[np.float32], count: int) -> Floats:
    """`count` centroids of vectors `(n, d)`; the first vectors are the start."""
    centroids = np.resize(vectors, (count, vectors.shape[1])).copy()
    for _ in range(LLOYD):
        distances = np.square(centroids).sum(axis=1) - 2 * (vectors @ centroids.T)
        nearest = distances.argmin(axis=1)
        members = np.bincount(nearest, minlength=count)
        sums = np.zeros_like(centroids)
        np.add.at(sums, nearest, vectors)
        centroids[members > 0] = (sums / np.maximum(members, 1)[:, None])[members > 0]
    return centroids
