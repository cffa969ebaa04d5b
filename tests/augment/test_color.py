"""Transforms that change pixels in place: as TensorFlow does, and never beyond black and white."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from augmenting import sizes
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxwright.augment.transforms import (
    BlackPatches,
    Brightness,
    ColorMix,
    Contrast,
    Gamma,
    Grayscale,
    Hue,
    PixelNoise,
    Saturation,
)


def recolored(transform: Any, images: Any, draws: Any, aspect: float = 1.0) -> Any:
    from boxwright.augment.color import apply_color

    return np.asarray(apply_color(images, transform, np.float32(draws), sizes(len(images), aspect)))


def random_images(count: int, side: int = 9, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, (count, side, side, 3)).astype(np.float32)


def tensorflow_image() -> Any:
    from boxwright.backend import framework

    return framework.tensorflow().image


@pytest.mark.parametrize(
    ("transform", "theirs"),
    [
        (Brightness(0.2), lambda tf, x: tf.adjust_brightness(x, 0.2 * 0.5)),
        (Contrast(0.8, 1.25), lambda tf, x: tf.adjust_contrast(x, 0.8 + 0.45 * 0.75)),
        (Saturation(0.5, 1.5), lambda tf, x: tf.adjust_saturation(x, 0.5 + 0.75)),
        (Hue(0.2), lambda tf, x: tf.adjust_hue(x, 0.2 * 0.5)),
        (Gamma(1.8, 0.9), lambda tf, x: tf.adjust_gamma(x, 1.8, 0.9)),
        (Grayscale(0.8), lambda tf, x: tf.grayscale_to_rgb(tf.rgb_to_grayscale(x))),
    ],
    ids=lambda value: type(value).__name__ if not callable(value) else "",
)
def test_colors_change_as_in_tensorflow(transform: Any, theirs: Any) -> None:
    images = random_images(2)
    ours = recolored(transform, images, [[0.75], [0.75]])
    expected = np.clip(np.asarray(theirs(tensorflow_image(), images / 255)) * 255, 0, 255)
    np.testing.assert_allclose(ours, expected, atol=0.02)


# ---- The mix of colors ---------------------------------------------------------------------------


def by_its_limits(images: Any, transform: ColorMix, draws: Any) -> Any:
    """The mix as its limits are described, one after the other."""
    contrast, brightness, saturation = (
        (2 * draw - 1) * limit
        for draw, limit in zip(
            draws, (transform.contrast, transform.brightness, transform.saturation), strict=True
        )
    )
    gray = images.mean(axis=-1, keepdims=True)
    pixels = gray + (1 + saturation) * (images - gray)
    pixels = pixels.mean() + (1 + contrast) * (pixels - pixels.mean())
    return (pixels + 255 * brightness).clip(0, 255)


@pytest.mark.parametrize(
    "draws", [(0.9, 0.5, 0.5), (0.5, 0.1, 0.5), (0.5, 0.5, 1.0), (0.1, 0.8, 0), (0.5, 0.5, 0.5)]
)
def test_a_mix_is_contrast_brightness_and_saturation(draws: tuple[float, ...]) -> None:
    images = random_images(1)
    expected = by_its_limits(images, ColorMix(), draws)
    np.testing.assert_allclose(recolored(ColorMix(), images, [draws]), expected, atol=1e-2)
    if set(draws) == {0.5}:
        np.testing.assert_allclose(expected, images, atol=1e-3)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), draws=st.tuples(*[st.floats(0, 1, width=32)] * 3))
def test_a_mix_stays_between_black_and_white(seed: int, draws: tuple[float, ...]) -> None:
    changed = recolored(ColorMix(), random_images(1, seed=seed), [draws])
    assert changed.min() >= 0
    assert changed.max() <= 255


# ---- Noise and patches ---------------------------------------------------------------------------


def test_every_value_has_its_own_noise() -> None:
    images = np.full((3, 60, 60, 3), 100, np.float32)
    noisy = recolored(PixelNoise(0.5, 1.5), images, [[0.1], [0.1], [0.7]]) / 100
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert noisy.min() >= 0.5
    assert noisy.max() <= 1.5
    quantiles = np.quantile(noisy[[0, 2]], [0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(quantiles, [0.6, 0.75, 1.0, 1.25, 1.4], atol=0.02)
    one, other = noisy[0], noisy[2]
    for neighbor in (np.roll(one, 1, 0), np.roll(one, 1, 1), np.roll(one, 1, 2), other):
        assert abs(np.corrcoef(one.ravel(), neighbor.ravel())[0, 1]) < 0.04
    assert recolored(PixelNoise(3.0, 3.0), images, [[0.5]] * 3).max() == 255


def test_black_patches_are_square_in_the_image() -> None:
    images = np.full((1, 200, 200, 3), 100, np.float32)
    draws = [[0.5, 0.0, 0.5, 0.9, 0.0, 0.0]]  # one at the top in the middle, and one that is not
    found = recolored(BlackPatches(2, 0.6, 0.2), images, draws, aspect=2.0)
    expected = images.copy()
    expected[:, :40, 80:100] = 0  # a fifth of the height, and as wide in pixels
    np.testing.assert_array_equal(found, expected)


def test_there_are_as_many_black_patches_as_the_draws_say() -> None:
    images = np.full((400, 40, 40, 3), 100, np.float32)
    transform = BlackPatches(1, 0.3, 0.5)
    draws = np.random.default_rng(0).random((400, transform.draws))
    black = (recolored(transform, images, draws) == 0).any(axis=-1)
    assert black.any(axis=(1, 2)).mean() == pytest.approx(0.3, abs=0.06)
    np.testing.assert_allclose(black.mean(axis=(1, 2))[black.any(axis=(1, 2))], 0.25, atol=0.02)
    np.testing.assert_array_equal(recolored(BlackPatches(0), images, np.zeros((400, 0))), images)


def test_black_patches_overlap() -> None:
    images = np.full((1, 40, 40, 3), 100, np.float32)
    found = recolored(BlackPatches(3, 1.0, 0.5), images, np.zeros((1, 9)))
    assert (found[0, :20, :20] == 0).all()
    assert (found[0, 20:] == 100).all()
