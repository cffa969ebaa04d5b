"""Groups of duplicates and near-duplicates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.alignment import (
    DISTANT,
    likeness,
    outlines,
    roughly_aligned,
    show_one_scene,
    warps,
)
from boxwright.datasets.near_duplicates.hashes import SIDE, Bytes, digests, thumbnails
from boxwright.datasets.near_duplicates.search import Candidates, Index
from boxwright.datasets.near_duplicates.views import (
    FLAT,
    SIZE,
    STARTS,
    VIEWS,
    Floats,
    Ints,
    alignments,
    centers,
    wholes,
    windows,
)
from boxwright.parallel.cores import Progress

FEW = 32  # images described at once: so few that they stay in a core's cache
BLOCK, BLOCKS = 2048, 16  # images searched at once: at least, and of many a 16th
BEST = 8  # candidates for a whole image; one for each of its windows, which are many
CLOSE = 2  # images that are aligned with an image, whatever their outlines
BATCH = 256  # pairs aligned at once


@dataclass(frozen=True)
class Duplicates:
    """Duplicates and near-duplicates among `N` images.

    Attributes:
        pairs: `(P, 2)`, `i < j`, sorted: enough pairs to connect every group, not all pairs.
        identical: `(P,)`, True if the pair has the same digest.
        groups: `(N,)` ids from 0 without gaps, in order of first occurrence. A near-duplicate of
            any member belongs to the group.
    """

    pairs: Ints
    identical: NDArray[np.bool_]
    groups: Ints


def groups(hashes: Bytes) -> Ints:
    """`duplicates(hashes).groups`: group ids `(N,)` of images with hashes `(N, HASHED)`."""
    return duplicates(hashes).groups


def duplicates(hashes: Bytes, progress: Progress | None = None) -> Duplicates:
    """Find duplicates and near-duplicates by the hashes `(N, HASHED)` of images.

    `progress` is called with the number of images searched and the total.
    """
    forest = _Forest(len(hashes))
    _, first, inverse = np.unique(digests(hashes), return_index=True, return_inverse=True)
    for i, original in enumerate(first[inverse].tolist()):
        forest.join(original, i, identical=True)

    images = np.sort(first)
    pictures = thumbnails(hashes)
    flat = _contrast(pictures)[images] < FLAT
    for i in images[flat].tolist():
        forest.join(int(images[flat][0]), i)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        search = _Search(pictures, images[~flat], pool)
        for pairs in search.likely(progress):
            numbers = search.numbers(pairs)
            apart = [forest.root(i) != forest.root(j) for i, j in numbers]
            for i, j in search.numbers(search.confirmed(pairs.select(np.array(apart, np.bool_)))):
                forest.join(i, j)
    return forest.duplicates()


def _contrast(pictures: Bytes) -> NDArray[np.float64]:
    """`(N,)` standard deviations of the gray levels of pictures `(N, SIDE, SIDE)`."""
    levels = pictures.reshape(len(pictures), SIDE * SIDE)
    total = levels.sum(axis=1, dtype=np.uint32)
    squares = np.einsum("ij,ij->i", levels, levels, dtype=np.uint32)  # below 2 ** 32 by far
    contrast: NDArray[np.float64] = np.sqrt(squares / SIDE**2 - (total / SIDE**2) ** 2)
    return contrast


class _Search:
    """The search for near-duplicates among some of the pictures `(N, SIDE, SIDE)`."""

    def __init__(self, pictures: Bytes, images: Ints, pool: ThreadPoolExecutor) -> None:
        self._pictures, self._images, self._pool = pictures, images, pool
        self._alignments = alignments()
        self._warps = warps(self._alignments, SIDE // 4)

    def likely(self, progress: Progress | None) -> Iterator[Candidates]:
        """Pairs of pictures that may be near-duplicates, the likeliest first, in batches."""
        size = len(self._images)
        if not size:
            return
        whole, center = (np.empty((size, number, SIZE), np.float32) for number in (1, VIEWS))
        self._half, self._quarter = (
            np.empty((size, side, side), np.int8) for side in (SIDE // 2, SIDE // 4)
        )

        def describe(start: int) -> None:
            rows = slice(start, start + FEW)
            pictures = self._pictures[self._images[rows]]
            whole[rows], center[rows] = wholes(pictures), centers(pictures)
            self._half[rows], self._quarter[rows] = outlines(pictures)

        list(self._pool.map(describe, range(0, size, FEW)))
        # All at once, since an image has only one query for whole images.
        searched = self._pool.submit(
            lambda: Index(whole, first_way=0, best=BEST).candidates(whole, 0)
        )
        index = Index(center, first_way=1, best=1)
        overall = searched.result()  # sorted by moving image

        # A block has queries for each cell of the index, so of a large index it is larger.
        length = max(BLOCK, size // BLOCKS)

        def search(start: int) -> tuple[Candidates, Candidates]:
            block = slice(start, start + length)
            low, high = np.searchsorted(overall.moving, (start, start + length)).tolist()
            containing = index.candidates(self._windows(self._images[block]), start)
            found = Candidates.joined([overall.select(slice(low, high)), containing])
            return found.nearest(CLOSE), self._similar(found)

        nearest, similar = [], []
        for best, pairs in self._pool.map(search, range(0, size, length)):
            nearest.append(best)
            similar.append(pairs)
            if progress:
                progress(min(len(similar) * length, size), size)
        mutual = Candidates.joined(nearest).mutual(CLOSE)
        pairs = Candidates.joined([*similar, replace(mutual, score=mutual.score * 0)]).likeliest()
        yield from pairs.batches(BATCH * (os.cpu_count() or 1))

    def numbers(self, pairs: Candidates) -> list[list[int]]:
        """The pairs, each as the numbers of its pictures."""
        numbers: list[list[int]] = self._images[np.stack([pairs.fixed, pairs.moving], 1)].tolist()
        return numbers

    def confirmed(self, pairs: Candidates) -> Candidates:
        """Those of the pairs that are near-duplicates."""
        verdicts = self._pool.map(self._verdict, pairs.batches(BATCH))
        return pairs.select(np.concatenate([*verdicts, np.zeros(0, np.bool_)]))

    def _windows(self, images: Ints) -> Floats:
        """The vectors of the windows of images, a few images at a time."""
        found = np.empty((len(images), len(STARTS) ** 2, SIZE), np.float32)
        for start in range(0, len(images), FEW):
            rows = slice(start, start + FEW)
            found[rows] = windows(self._pictures[images[rows]])
        return found

    def _similar(self, pairs: Candidates) -> Candidates:
        """Those of the pairs of which the outlines correlate, scored by that."""
        scores = [
            likeness(
                self._quarter[part.fixed], self._quarter[part.moving], self._warps.select(part.way)
            )
            for part in pairs.batches(BATCH)
        ]
        score = np.concatenate([*scores, np.zeros(0, np.float32)])
        return replace(pairs, score=score).select(score >= DISTANT)

    def _verdict(self, pairs: Candidates) -> NDArray[np.bool_]:
        alignment, likely = roughly_aligned(
            self._half[pairs.fixed], self._half[pairs.moving], self._alignments[pairs.way]
        )
        images = (self._images[side[likely]] for side in (pairs.fixed, pairs.moving))
        fixed, moving = (self._pictures[image] for image in images)
        likely[likely] = show_one_scene(fixed, moving, alignment[likely])
        return likely


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
