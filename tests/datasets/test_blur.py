"""How blurred an image is: the measure of Crete et al., along some of the rows and columns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from boxwright.datasets.checks.measure import LINES, WINDOW, blur

SIZE = (320, 240)


def photo(radius: float) -> NDArray[np.uint8]:
    """Rectangles of several sizes, blurred by so many pixels, `(240, 320)`."""
    random = np.random.default_rng(0)
    picture = Image.new("L", SIZE, 90)
    for side in (80, 40, 20, 10):
        for x, y, level in random.integers(0, (*SIZE, 255), (10, 3)).tolist():
            picture.paste(level, (x, y, x + side, y + side))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))


def by_definition(gray: NDArray[np.uint8], axis: int) -> float:
    """The share of the differences of neighbors that a mean of `WINDOW` pixels keeps."""
    levels = np.moveaxis(gray.astype(float), axis, 0)
    after = np.abs(levels[WINDOW:] - levels[:-WINDOW]) / WINDOW
    middle = levels[WINDOW // 2 : -(WINDOW // 2)]
    before = np.abs(np.diff(middle, axis=0))
    return float(np.minimum(before, after).sum() / before.sum())


@pytest.mark.parametrize("radius", [0, 0.5, 1, 2, 4, 8])
def test_some_rows_and_columns_suffice(radius: float) -> None:
    gray = photo(radius)
    assert min(SIZE) >= 2 * LINES  # or all would be measured
    expected = max(by_definition(gray, axis) for axis in (0, 1))
    assert blur(gray) == pytest.approx(expected, abs=0.02)
    assert blur(gray.T) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_more_blurred_direction_counts(axis: int) -> None:
    moving = np.moveaxis(photo(0), axis, 0)
    smeared = np.stack([moving[i : i + 200] for i in range(12)]).mean(axis=0).astype(np.uint8)
    gray = np.moveaxis(smeared, 0, axis)
    assert blur(gray) == pytest.approx(by_definition(gray, axis), abs=0.02)
    assert by_definition(gray, axis) > 2 * by_definition(gray, 1 - axis)


@pytest.mark.parametrize("shape", [(12, 300), (47, 60), (60, 47)])
def test_of_a_small_image_all_rows_and_columns_are_measured(shape: tuple[int, int]) -> None:
    gray = photo(1)[: shape[0], : shape[1]]
    expected = max(by_definition(gray, axis) for axis in (0, 1))
    assert blur(gray) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (9, 500), (500, 9)])
def test_a_tiny_image_is_not_blurred(shape: tuple[int, int]) -> None:
    assert blur(np.zeros(shape, np.uint8)) == 0.0
