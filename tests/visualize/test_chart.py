"""Charts: what is drawn is where it should be."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from boxwright.visualize import chart
from boxwright.visualize.chart import Bar, Point, scatter, stacked_bars
from boxwright.visualize.draw import PALETTE, WHITE, color_of

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, [0, 1]),
        (0.6, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (25, [0, 5, 10, 15, 20, 25]),
        (101, [0, 20, 40, 60, 80, 100, 120]),
        (0.03, [0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03]),
    ],
)
def test_ticks(most: float, expected: list[float]) -> None:
    assert chart.ticks(most) == pytest.approx(expected)


def where(picture: Image.Image, color: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of a colour."""
    return np.argwhere((np.asarray(picture) == color).all(axis=2))


def test_points_lie_on_their_axes() -> None:
    picture = scatter([Point("a", 10, 0.5), Point("b", 20, 1.0)], title="t", x="ms", y="AP")
    a, b = (where(picture, color_of(i)).mean(axis=0) for i in (0, 1))
    bottom = chart.HEIGHT - chart.BOTTOM
    assert b[1] - chart.LEFT == pytest.approx(2 * (a[1] - chart.LEFT), abs=2)
    assert bottom - b[0] == pytest.approx(2 * (bottom - a[0]), abs=2)


def test_points_at_one_place_and_long_names_stay_inside() -> None:
    points = [Point("long name " * 20, 10, 0.5)] * 4 + [Point("zero", 0, 0)]
    picture = scatter(points, title="t", x="ms", y="AP")
    edge = np.asarray(picture)[:, -2:]
    assert (edge == WHITE).all()


def test_bars_are_as_long_as_their_parts() -> None:
    bars = [Bar("a", (10, 20, 0)), Bar("b" * 99, (5, 5, 5))]
    picture = stacked_bars(bars, title="t", parts=("x", "y", "z"), x="ms")
    top = chart.TOP + 40
    below = np.asarray(picture)[top:]
    row = below[chart.GAP // 2 + chart.BAR // 2]
    lengths = [int((row == color).all(axis=1).sum()) for color in PALETTE[:3]]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=3)
    assert lengths[2] == 0
