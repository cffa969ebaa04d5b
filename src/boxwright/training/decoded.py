"""Decoded images of which only some are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class DecodedImages:
    """Decoded images `(R, side, side, 3)`, of which some are stored and the others are decoded each
    time. Index it with rows.

    The first that fit are stored, and none is ever replaced. An epoch reads every image once, in a
    random order, so that no other choice would be found more often.

    Args:
        decode: decodes the image of a row, `(side, side, 3)`.
        room: `(S, side, side, 3)`, for the images to store.
        count: `R`.
    """

    def __init__(self, decode: Callable[[int], Pixels], room: Pixels, count: int) -> None:
        self._decode, self._room = decode, room
        self.shape = (count, *room.shape[1:])
        self._slots = np.full(count, -1, np.int64)  # in the room
        self._used = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor()
        self._coming: dict[int, Future[Pixels]] = {}

    def __getitem__(self, rows: NDArray[np.int64]) -> Pixels:
        """Return the images of some rows, `(B, side, side, 3)`; raises as `decode`."""
        self.expect(rows)
        found = {row: self._coming.pop(row) for row in dict.fromkeys(rows.tolist())}
        return np.stack([found[row].result() for row in rows.tolist()])

    def stored(self) -> Pixels:
        """Return an array of all images, after each was read and if there was room for all. Those
        that cannot be decoded are black."""
        return self._room

    def expect(self, rows: NDArray[np.int64]) -> None:
        """Begin to read images that will be asked for."""
        for row in rows.tolist():
            if row not in self._coming:
                self._coming[row] = self._pool.submit(self.read, row)

    def read(self, row: int) -> Pixels:
        """Return one image, and store it if there is room; raises as `decode`."""
        stored = int(self._slots[row])
        if stored >= 0:
            pixels: Pixels = self._room[stored]
            return pixels
        pixels = self._decode(row)
        slot = self._free_slot(row)
        if slot is not None:
            self._room[slot] = pixels
            self._slots[row] = slot
        return pixels

    def _free_slot(self, row: int) -> int | None:
        if len(self._room) == self.shape[0]:
            return row
        with self._lock:
            if self._used == len(self._room):
                return None
            self._used += 1
            return self._used - 1
