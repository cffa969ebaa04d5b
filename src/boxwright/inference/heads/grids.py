"""Grids of cells on feature maps, as detectors without anchors in their files have them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Finest first; detectors with one box a cell, or three.
STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))


class Cells(NamedTuple):
    """Cells of all maps, finest map first, row by row: column and row of each, and its stride in
    pixels, `(N,)`."""

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    strides: NDArray[np.float32]


class Grid(NamedTuple):
    """Feature maps: their strides in pixels, and the number of boxes per cell."""

    strides: tuple[int, ...]
    per_cell: int

    def sides(self, side: int) -> list[int]:
        """The side of each map in cells, for an input of `side` pixels."""
        return [-(-side // stride) for stride in self.strides]

    def count(self, side: int) -> int:
        """The number of boxes."""
        return self.per_cell * sum(cells**2 for cells in self.sides(side))

    def cells(self, side: int) -> Cells:
        """The cells, each once."""
        columns, rows, strides = [], [], []
        for stride, cells in zip(self.strides, self.sides(side), strict=True):
            row, column = np.divmod(np.arange(cells**2), cells)
            columns.append(column)
            rows.append(row)
            strides.append(np.full(cells**2, stride))
        parts = (np.concatenate(each).astype(np.float32) for each in (columns, rows, strides))
        return Cells(*parts)


def grid_of(count: int, side: int) -> Grid | None:
    """The grid that has `count` boxes for an input of `side` pixels; None if none has."""
    grids = [Grid(strides, per_cell) for per_cell in (1, 3) for strides in STRIDES]
    return next((grid for grid in grids if grid.count(side) == count), None)
