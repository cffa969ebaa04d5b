"""Crossings and polygons: laws that hold for any points."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boxwright.ops.plane import crossings, inside

pytestmark = pytest.mark.tiny

numbers = st.integers(-50, 50).map(float)
points = st.tuples(numbers, numbers)
paths = st.lists(points, min_size=3, max_size=12)


def array(*values: Any) -> np.ndarray:
    return np.array(values, np.float64).reshape(-1, 2)


def sides(path: Any, start: Any, end: Any) -> list[int]:
    """For each step of a path: 1 to the right of the line, -1 to its left, 0 without crossing."""
    way = array(*path)
    return crossings(way[:-1], way[1:], array(start)[0], array(end)[0]).tolist()


@pytest.mark.parametrize(
    ("before", "after", "side"),
    [
        ((5, -1), (5, 1), 1),  # downwards is to the right of a line from left to right
        ((5, 1), (5, -1), -1),
        ((5, -2), (5, -1), 0),
        ((11, -1), (11, 1), 0),  # beside the line
        ((-1, -1), (-1, 1), 0),
        ((0, -1), (0, 1), 1),  # its start belongs to it, its end does not
        ((10, -1), (10, 1), 0),
        ((5, -1), (5, 0), 1),  # the line itself belongs to its right side
        ((5, 0), (5, 1), 0),
        ((2, 0), (8, 0), 0),
        ((5, 1), (5, 1), 0),
        ((-10, -10), (30, 30), 1),
    ],
)
def test_a_move_crosses_the_line_from_0_to_10(before: Any, after: Any, side: int) -> None:
    assert sides([before, after], (0, 0), (10, 0)) == [side]


def are_on_a_line(*three: Any) -> bool:
    (ax, ay), (bx, by), (x, y) = three
    return (bx - ax) * (y - ay) == (by - ay) * (x - ax)


@given(paths, points, points)
def test_seen_from_its_other_end_left_is_right(path: Any, start: Any, end: Any) -> None:
    assume(not any(are_on_a_line(start, end, place) for place in path))
    assume(not any(are_on_a_line(*move, at) for move in pairwise(path) for at in (start, end)))
    assert sides(path, start, end) == [-side for side in sides(path, end, start)]


@given(paths, points, points)
def test_the_way_back_takes_back_each_crossing(path: Any, start: Any, end: Any) -> None:
    assume(start != end)
    assert sides(path[::-1], start, end) == [-side for side in sides(path, start, end)][::-1]


@given(paths, points, points, points)
def test_a_line_of_two_pieces_is_crossed_as_often_as_the_whole(
    path: Any, start: Any, step: Any, shift: Any
) -> None:
    assume(step != (0, 0))
    middle, end = (np.add(start, np.multiply(step, factor)) for factor in (1, 3))
    pieces = np.add(sides(path, start, middle), sides(path, middle, end))
    assert pieces.tolist() == sides(path, start, end)
    moved = sides(np.add(path, shift), np.add(start, shift), np.add(end, shift))
    assert moved == sides(path, start, end)


@given(paths, numbers, numbers)
def test_a_walk_is_at_last_on_the_side_that_its_crossings_tell(
    path: Any, height: float, slope: float
) -> None:
    """Of a line longer than any path."""
    start, end = (-9999, height - slope * 9999), (9999, height + slope * 9999)
    is_right = [y - height - slope * x >= 0 for x, y in path]
    assert sum(sides(path, start, end)) == int(is_right[-1]) - int(is_right[0])


@given(points, st.floats(0, 1), st.floats(0, 1))
def test_a_square_has_its_left_and_upper_edges(corner: Any, right: float, down: float) -> None:
    square = array((0, 0), (1, 0), (1, 1), (0, 1)) * 4 + array(corner)
    place = array(corner) + array((right, down)) * 4
    assert inside(place, square).tolist() == [
        bool((place >= square[0]).all() and (place < square[2]).all())
    ]


@given(points, points, points, st.lists(points, min_size=1, max_size=9))
def test_inside_of_a_triangle_is_on_the_same_side_of_all_edges(
    a: Any, b: Any, c: Any, places: Any
) -> None:
    triangle, some = array(a, b, c), array(*places)
    edges = np.roll(triangle, -1, axis=0) - triangle
    to_points = some[:, None] - triangle
    turn = edges[:, 0] * to_points[..., 1] - edges[:, 1] * to_points[..., 0]
    strictly = (turn > 0).all(axis=1) | (turn < 0).all(axis=1)
    outside = (turn > 0).any(axis=1) & (turn < 0).any(axis=1)
    found = inside(some, triangle)
    assert found[strictly].all()
    assert not found[outside].any()


@given(st.lists(points, min_size=4, max_size=4, unique=True), st.lists(points, min_size=1))
def test_every_point_of_a_quadrangle_is_in_one_of_its_two_triangles(
    corners: Any, places: Any
) -> None:
    a, b, c, d = corners
    some = array(*places)
    halves = inside(some, array(a, b, c)).astype(int) + inside(some, array(a, c, d))
    assert (halves % 2 == inside(some, array(a, b, c, d))).all()


def test_a_zone_may_have_a_bay_and_holes_in_its_middle() -> None:
    bay = array((0, 0), (9, 0), (9, 9), (5, 2), (0, 9))
    assert inside(array((5, 1), (5, 5), (1, 5), (8, 5)), bay).tolist() == [True, False, True, True]
