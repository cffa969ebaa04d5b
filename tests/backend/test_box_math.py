"""Boxes in the graph and in NumPy: the same areas, intersections and overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright.ops import boxes as in_numpy


@pytest.mark.parametrize("name", ["iou", "iou_of_pairs", "intersections", "areas"])
def test_both_array_modules_say_the_same(name: str) -> None:
    from boxwright.backend import boxes as in_graph

    random = np.random.default_rng(0)
    corners = np.sort(random.random((2, 50, 2, 2), np.float32), axis=2)
    first, second = corners.reshape(2, 50, 4)
    first[:5, 2:] = first[:5, :2]  # without area
    second[:20] = first[:20]
    given = (first,) if name == "areas" else (first, second)
    expected = getattr(in_numpy, name)(*given)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(getattr(in_graph, name)(*given)), expected)
