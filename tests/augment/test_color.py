"""Steps that change pixels where they are: as TensorFlow does, and never beyond black and white."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from augmenting import sizes

from boxwright.augment.transforms import Brightness, Contrast, Grey, Hue, Noise, Patches, Saturation


def recoloured(step: Any, images: Any, dice: Any, aspect: float = 1.0) -> Any:
    from boxwright.augment.color import recolour

    return np.asarray(recolour(images, step, np.float32(dice), sizes(len(images), aspect)))


def tensorflow_image() -> Any:
    from boxwright.backend import framework

    return framework.tensorflow().image


@pytest.mark.parametrize(
    ("step", "theirs"),
    [
        (Brightness(0.2), lambda tf, x: tf.adjust_brightness(x, 0.2 * 0.5)),
        (Contrast(0.8, 1.25), lambda tf, x: tf.adjust_contrast(x, 0.8 + 0.45 * 0.75)),
        (Saturation(0.5, 1.5), lambda tf, x: tf.adjust_saturation(x, 0.5 + 0.75)),
        (Hue(0.2), lambda tf, x: tf.adjust_hue(x, 0.2 * 0.5)),
        (Grey(0.8), lambda tf, x: tf.grayscale_to_rgb(tf.rgb_to_grayscale(x))),
    ],
    ids=lambda value: type(value).__name__ if not callable(value) else "",
)
def test_colours_change_as_in_tensorflow(step: Any, theirs: Any) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (2, 9, 9, 3)).astype(np.float32)
    ours = recoloured(step, images, [[0.75], [0.75]])
    expected = np.clip(np.asarray(theirs(tensorflow_image(), images / 255)) * 255, 0, 255)
    np.testing.assert_allclose(ours, expected, atol=0.02)


def test_every_value_has_noise_of_its_own() -> None:
    images = np.full((3, 60, 60, 3), 100, np.float32)
    noisy = recoloured(Noise(0.5, 1.5), images, [[0.1], [0.1], [0.7]]) / 100
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert noisy.min() >= 0.5
    assert noisy.max() <= 1.5
    quantiles = np.quantile(noisy[[0, 2]], [0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(quantiles, [0.6, 0.75, 1.0, 1.25, 1.4], atol=0.02)
    one, other = noisy[0], noisy[2]
    for neighbour in (np.roll(one, 1, 0), np.roll(one, 1, 1), np.roll(one, 1, 2), other):
        assert abs(np.corrcoef(one.ravel(), neighbour.ravel())[0, 1]) < 0.04
    assert recoloured(Noise(3.0, 3.0), images, [[0.5]] * 3).max() == 255


def test_black_squares_are_square_in_the_photo() -> None:
    images = np.full((1, 200, 200, 3), 100, np.float32)
    dice = [[0.5, 0.0, 0.5, 0.9, 0.0, 0.0]]  # one at the top in the middle, and one that is not
    found = recoloured(Patches(2, 0.6, 0.2), images, dice, aspect=2.0)
    expected = images.copy()
    expected[:, :40, 80:100] = 0  # a fifth of the height, and as wide in pixels
    np.testing.assert_array_equal(found, expected)


def test_there_are_as_many_black_squares_as_dice_say() -> None:
    images = np.full((400, 40, 40, 3), 100, np.float32)
    step = Patches(1, 0.3, 0.5)
    dice = np.random.default_rng(0).random((400, step.dice))
    black = (recoloured(step, images, dice) == 0).any(axis=-1)
    assert black.any(axis=(1, 2)).mean() == pytest.approx(0.3, abs=0.06)
    np.testing.assert_allclose(black.mean(axis=(1, 2))[black.any(axis=(1, 2))], 0.25, atol=0.02)
    np.testing.assert_array_equal(recoloured(Patches(0), images, np.zeros((400, 0))), images)


def test_a_pad_of_black_squares_overlaps() -> None:
    images = np.full((1, 40, 40, 3), 100, np.float32)
    found = recoloured(Patches(3, 1.0, 0.5), images, np.zeros((1, 9)))
    assert (found[0, :20, :20] == 0).all()
    assert (found[0, 20:] == 100).all()
