"""TensorFlow's crop-and-resize; `test_step_jax.py` holds JAX's against it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SIDE = 200  # of the images


@pytest.fixture(scope="module")
def crop_and_resize() -> Any:
    from boxwright.training.step_tensorflow import crop

    return crop


def bilinear(image: NDArray[np.uint8], crop: NDArray[np.float32], side: int) -> NDArray[np.float64]:
    """Pixel centers at half-integers; 127 beyond the centers of the outermost pixels."""
    places = [
        (start + (np.arange(side) + 0.5) / side * (end - start)) * extent - 0.5
        for start, end, extent in zip(crop[:2], crop[2:], image.shape, strict=False)
    ]
    y, x = (place.clip(0, extent - 1) for place, extent in zip(places, image.shape, strict=False))
    top, left = (np.minimum(place.astype(int), SIDE - 2) for place in (y, x))
    down, right = (y - top)[:, None, None], (x - left)[None, :, None]
    values = image.astype(np.float64)
    upper = values[top][:, left] * (1 - right) + values[top][:, left + 1] * right
    lower = values[top + 1][:, left] * (1 - right) + values[top + 1][:, left + 1] * right
    result = upper * (1 - down) + lower * down
    result[(places[0] < 0) | (places[0] > SIDE - 1)] = 127
    result[:, (places[1] < 0) | (places[1] > SIDE - 1)] = 127
    return result


@pytest.mark.parametrize(
    "crop",
    [
        pytest.param((0.13, 0.21, 0.61, 0.83), id="within the image, enlarged"),
        pytest.param((0.13, 0.83, 0.61, 0.21), id="flipped"),
        pytest.param((-0.11, -0.17, 1.13, 1.09), id="around the image"),
        pytest.param((-0.3, 0.25, 0.5, 0.9), id="half outside"),
        pytest.param((0.0, 0.0, 1.0, 1.0), id="the full image"),
    ],
)
@pytest.mark.parametrize("side", [96, 151])
def test_it_is_bilinear_with_half_pixel_centers(
    crop_and_resize: Any, crop: tuple[float, ...], side: int
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    crops = np.array([crop], np.float32)
    found = np.asarray(crop_and_resize(image[None], crops, side))[0]
    np.testing.assert_allclose(found, bilinear(image, crops[0], side), atol=0.1)


def test_each_image_has_its_own_crop(crop_and_resize: Any) -> None:
    images = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    images[0], images[1, :100] = 50, 200
    crops = np.array([[0, 0, 1, 1], [0, 0, 0.4, 1]], np.float32)
    means = np.asarray(crop_and_resize(images, crops, 50)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, [50, 200], atol=1e-3)
