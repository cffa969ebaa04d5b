"""Points, lines and polygons in an image: sides, crossings, what is inside. Points are `(n, 2)` xy
in pixels, with y downwards.

Ends of lines and edges of polygons belong to one side only, so that of several areas without gaps
every point is in exactly one, and a path crosses a line of several pieces once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def crossings(before: Points, after: Points, start: Points, end: Points) -> NDArray[np.int64]:
    """Which of the moves from `before` to `after` cross the line from `start` to `end`.

    Args:
        before, after: `(n, 2)` or `(2,)`; all four broadcast.
        start, end: `(n, 2)` or `(2,)`; `end` is not a point of the line, `start` is.

    Returns:
        `(n,)` 1 for a move to the right, as somebody sees it who walks from `start` to `end`; -1
        for one to the left; 0 for one that does not cross it.
    """
    direction = end - start
    first, last = _cross(direction, before - start), _cross(direction, after - start)
    turn = (last >= 0).astype(np.int64) - (first >= 0)
    # The place on the line where the move meets it: 0 at its start, 1 at its end.
    move = after - before
    steepness = _cross(direction, move)
    place = np.full(np.shape(turn), -1.0)
    np.divide(_cross(before - start, move), steepness, out=place, where=turn != 0)
    return np.where((place >= 0) & (place < 1), turn, 0)


def inside(points: Points, corners: Points) -> NDArray[np.bool_]:
    """Which points are inside a polygon `(m, 2)`: those from which a ray crosses its edges an odd
    number of times. `(n,)`."""
    count = np.zeros(len(points), np.int64)
    x, y = points[:, 0], points[:, 1]
    for edge in zip(corners.tolist(), np.roll(corners, -1, axis=0).tolist(), strict=True):
        (x0, y0), (x1, y1) = sorted(edge, key=lambda corner: corner[1])
        beside = (y0 <= y) & (y < y1)
        slope = (x1 - x0) / ((y1 - y0) or 1)
        count += beside & (x < x0 + slope * (y - y0))
    odd: NDArray[np.bool_] = count % 2 == 1
    return odd


def _cross(first: Points, second: Points) -> Points:
    """The z coordinate of the cross product; above 0 if `second` points to the right of `first`."""
    product: Points = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    return product
