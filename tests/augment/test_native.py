"""Augmentation: which windows are drawn, and that boxes go where their pixels go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxwright.training.config import Augmentation

LIMITS = Augmentation()
SIDE, WINDOW, STILL, COLOURS = 200, slice(0, 6), 0.5, slice(7, 10)  # of the photos; of the dice
FLIP = 6

dice_of_a_photo = st.lists(
    st.floats(0, 1, width=32, exclude_max=True),
    min_size=Augmentation.dice,
    max_size=Augmentation.dice,
).map(lambda values: np.array([values], np.float32))
corner = st.integers(0, SIDE - 25)
length = st.integers(20, 120)


@st.composite
def boxes_of_a_photo(draw: Any, least: int = 0) -> NDArray[np.float32]:
    """`(1, n, 4)` yxyx, in pixels of a photo of SIDE."""
    boxes = []
    for _ in range(draw(st.integers(least, 4))):
        top, left = draw(corner), draw(corner)
        boxes.append((top, left, min(top + draw(length), SIDE), min(left + draw(length), SIDE)))
    return np.array([boxes], np.float32).reshape(1, -1, 4)


def padded(boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """As the cache hands boxes over: normalised, six rows, labels counting up from 0."""
    rows = np.zeros((1, 6, 4), np.float32)
    rows[:, : boxes.shape[1]] = boxes / SIDE
    labels = np.full((1, 6), -1, np.int32)
    labels[:, : boxes.shape[1]] = np.arange(boxes.shape[1])
    return rows, labels


def still(**thrown: Any) -> NDArray[np.float32]:
    """Dice that leave colours and direction alone."""
    dice = np.full((1, Augmentation.dice), STILL, np.float32)
    for place, value in thrown.items():
        dice[0, {"flip": FLIP, "whole": 5}[place]] = value
    return dice


@pytest.fixture(scope="module")
def augmentation() -> Any:
    from boxwright.augment import native

    return native


@pytest.fixture(scope="module")
def crop() -> Any:
    from boxwright.training.step_tensorflow import crop

    return crop


# ---- Windows -----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(boxes=boxes_of_a_photo(), dice=dice_of_a_photo)
def test_windows(augmentation: Any, boxes: NDArray[np.float32], dice: NDArray[np.float32]) -> None:
    rows, labels = padded(boxes)
    window = np.asarray(augmentation.sample_windows(rows, labels, dice, LIMITS))[0]
    start, end = window[:2], window[2:]
    if dice[0, 5] < LIMITS.whole:
        np.testing.assert_array_equal(window, [0, 0, 1, 1])
        return
    for first, last in zip(start, end, strict=True):
        within = first >= -1e-5 and last <= 1 + 1e-5
        contains = first <= 1e-5 and last >= 1 - 1e-5
        assert within if last - first <= 1 else contains
    height, width = end - start
    assert LIMITS.window[0] - 1e-4 <= np.sqrt(height * width) <= LIMITS.window[1] + 1e-4
    assert abs(np.log(width / height)) <= LIMITS.aspect + 1e-4
    if boxes.shape[1]:
        chosen = boxes[0, int(dice[0, 2] * boxes.shape[1])] / SIDE
        centre = (chosen[:2] + chosen[2:]) / 2
        assert (centre >= start - 1e-5).all()
        assert (centre <= end + 1e-5).all()


def test_every_object_gets_its_turn(augmentation: Any) -> None:
    rows, labels = padded(np.array([[[0, 0, 20, 20], [0, 180, 20, 200], [180, 180, 200, 200]]]))
    dice = np.tile(still(), (3, 1))
    dice[:, 2] = [0.1, 0.5, 0.99]
    limits = Augmentation(window=(0.2, 0.2), aspect=0.0)
    rows, labels = np.tile(rows, (3, 1, 1)), np.tile(labels, (3, 1))
    windows = augmentation.sample_windows(rows, labels, dice, limits)
    expected = [[0, 0, 0.2, 0.2], [0, 0.8, 0.2, 1], [0.8, 0.8, 1, 1]]
    np.testing.assert_allclose(windows, expected, atol=1e-5)


# ---- Boxes and pixels --------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(boxes=boxes_of_a_photo(least=1), dice=dice_of_a_photo)
def test_boxes_stay_on_their_pixels(
    augmentation: Any, crop: Any, boxes: NDArray[np.float32], dice: NDArray[np.float32]
) -> None:
    boxes = boxes[:, :1]
    top, left, bottom, right = boxes[0, 0].astype(int)
    photo = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    photo[0, top:bottom, left:right] = 255
    dice[:, COLOURS] = STILL
    rows, labels = padded(boxes)
    images, seen, labels, _ = augmentation.augment(
        photo, rows, labels, dice, side=160, crop=crop, limits=LIMITS
    )
    bright = np.asarray(images)[0].min(axis=-1) > 127.5  # the ground beyond the photo is 127
    if np.asarray(labels)[0, 0] < 0:
        sides = 160 * (np.asarray(seen)[0, 0, 2:] - np.asarray(seen)[0, 0, :2])
        assert bright.sum() <= (sides + 2).prod()
        return
    ys, xs = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    found = np.array([ys[0], xs[0], ys[-1] + 1, xs[-1] + 1])
    np.testing.assert_allclose(np.asarray(seen)[0, 0] * 160, found, atol=1.6)


@pytest.mark.parametrize(("thrown", "left", "right"), [(0.7, 0.1, 0.3), (0.2, 0.7, 0.9)])
def test_a_flip_turns_left_into_right(
    augmentation: Any, crop: Any, thrown: float, left: float, right: float
) -> None:
    photo = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    photo[0, 40:100, 20:60] = 255
    rows, labels = padded(np.array([[[40, 20, 100, 60]]], np.float32))
    dice = still(flip=thrown, whole=0.0)
    images, seen, _, _ = augmentation.augment(
        photo, rows, labels, dice, side=100, crop=crop, limits=LIMITS
    )
    np.testing.assert_allclose(np.asarray(seen)[0, 0], [0.2, left, 0.5, right], atol=1e-6)
    bright = np.asarray(images)[0, 35, :, 0] > 127.5
    np.testing.assert_array_equal(
        np.flatnonzero(bright)[[0, -1]], np.round([left * 100, right * 100 - 1])
    )


@pytest.mark.parametrize(
    ("window", "seen", "label", "weight"),
    [
        pytest.param((0, 0, 1, 1), (0.4, 0.4, 0.6, 0.6), 7, 1, id="whole"),
        pytest.param((0.4, 0.4, 0.6, 0.6), (0, 0, 1, 1), 7, 1, id="filling the window"),
        pytest.param((-0.5, -0.5, 1.5, 1.5), (0.45, 0.45, 0.55, 0.55), 7, 1, id="from afar"),
        pytest.param((0.5, 0, 1, 1), (0, 0.4, 0.2, 0.6), 7, 1, id="half of it"),
        pytest.param((0.55, 0, 1.05, 1), (0, 0.4, 0.1, 0.6), 7, 0, id="a quarter: who knows"),
        pytest.param((0.585, 0, 1.085, 1), (0, 0.4, 0.03, 0.6), -1, 0, id="a sliver: background"),
        pytest.param((0.6, 0.6, 1, 1), (0, 0, 0, 0), -1, 0, id="none of it"),
    ],
)
def test_what_is_left_of_a_box(
    augmentation: Any,
    window: tuple[float, ...],
    seen: tuple[float, ...],
    label: int,
    weight: float,
) -> None:
    boxes = np.array([[(0.4, 0.4, 0.6, 0.6), (0, 0, 0, 0)]], np.float32)
    labels = np.array([[7, -1]], np.int32)
    windows, forwards = np.array([window], np.float32), np.array([False])
    limits = Augmentation(visible=0.4, uncertain=0.1)
    left = augmentation.see_boxes(boxes, labels, windows, forwards, limits)
    boxes, labels, weights = (np.asarray(part)[0] for part in left)
    np.testing.assert_allclose(boxes[0], seen, atol=1e-6)
    assert (labels[0], weights[0]) == (label, weight)
    assert labels[1] == -1, "padding stays padding"


# ---- Pixels ------------------------------------------------------------------------------------


def bilinear(
    photo: NDArray[np.uint8], window: NDArray[np.float32], side: int
) -> NDArray[np.float64]:
    """Pixel centres at half-integers; 127 beyond the centres of the outermost pixels."""
    places = [
        (start + (np.arange(side) + 0.5) / side * (end - start)) * extent - 0.5
        for start, end, extent in zip(window[:2], window[2:], photo.shape, strict=False)
    ]
    y, x = (place.clip(0, extent - 1) for place, extent in zip(places, photo.shape, strict=False))
    top, left = (np.minimum(place.astype(int), SIDE - 2) for place in (y, x))
    down, right = (y - top)[:, None, None], (x - left)[None, :, None]
    values = photo.astype(np.float64)
    upper = values[top][:, left] * (1 - right) + values[top][:, left + 1] * right
    lower = values[top + 1][:, left] * (1 - right) + values[top + 1][:, left + 1] * right
    result = upper * (1 - down) + lower * down
    result[(places[0] < 0) | (places[0] > SIDE - 1)] = 127
    result[:, (places[1] < 0) | (places[1] > SIDE - 1)] = 127
    return result


@pytest.mark.parametrize(
    "window",
    [
        pytest.param((0.13, 0.21, 0.61, 0.83), id="within the photo, enlarged"),
        pytest.param((0.13, 0.83, 0.61, 0.21), id="flipped"),
        pytest.param((-0.11, -0.17, 1.13, 1.09), id="around the photo"),
        pytest.param((-0.3, 0.25, 0.5, 0.9), id="half outside"),
        pytest.param((0.0, 0.0, 1.0, 1.0), id="the whole photo"),
    ],
)
@pytest.mark.parametrize("side", [96, 151])
def test_crop_is_bilinear_with_half_pixel_centres(
    crop: Any, window: tuple[float, ...], side: int
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    windows = np.array([window], np.float32)
    cropped = np.asarray(crop(photo[None], windows, side))[0]
    np.testing.assert_allclose(cropped, bilinear(photo, windows[0], side), atol=0.1)


def test_each_photo_is_cut_by_its_own_window(crop: Any) -> None:
    photos = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    photos[0], photos[1, :100] = 50, 200
    windows = np.array([[0, 0, 1, 1], [0, 0, 0.4, 1]], np.float32)
    means = np.asarray(crop(photos, windows, 50)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, [50, 200], atol=1e-3)


def image(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 255, (1, 8, 8, 3)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), dice=dice_of_a_photo)
def test_colours_stay_colours(augmentation: Any, seed: int, dice: NDArray[np.float32]) -> None:
    changed = np.asarray(augmentation.change_colours(image(seed), dice[:, COLOURS], LIMITS))
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_the_middle_of_the_dice_changes_no_colour(augmentation: Any) -> None:
    changed = augmentation.change_colours(image(), still()[:, COLOURS], LIMITS)
    np.testing.assert_allclose(changed, image(), atol=1e-3)


@pytest.mark.parametrize("dice", [(0.9, 0.5, 0.5), (0.5, 0.1, 0.5), (0.5, 0.5, 1.0), (0.1, 0.8, 0)])
def test_colours_change_as_the_limits_say(augmentation: Any, dice: tuple[float, ...]) -> None:
    contrast, brightness, saturation = (
        (2 * value - 1) * limit
        for value, limit in zip(
            dice, (LIMITS.contrast, LIMITS.brightness, LIMITS.saturation), strict=True
        )
    )
    pixels = image()
    grey = pixels.mean(axis=-1, keepdims=True)
    pixels = grey + (1 + saturation) * (pixels - grey)
    pixels = pixels.mean() + (1 + contrast) * (pixels - pixels.mean())
    expected = (pixels + 255 * brightness).clip(0, 255)
    changed = augmentation.change_colours(image(), np.array([dice], np.float32), LIMITS)
    np.testing.assert_allclose(changed, expected, atol=1e-2)


def test_the_graph_does_what_is_done_eagerly(augmentation: Any, crop: Any) -> None:
    from boxwright.backend import framework

    rng = np.random.default_rng(0)
    boxes = np.sort(rng.random((4, 3, 2, 2)), axis=2).reshape(4, 3, 4).astype(np.float32)
    arguments = (
        rng.integers(0, 256, (4, SIDE, SIDE, 3), np.uint8),
        boxes,
        np.array([[0, 1, 2], [1, -1, -1], [0, 0, -1], [-1, -1, -1]], np.int32),
        rng.random((4, Augmentation.dice), np.float32),
    )

    def augment(*parts: Any) -> Any:
        return augmentation.augment(*parts, side=64, crop=crop, limits=LIMITS)

    compiled = framework.tensorflow().function(augment)(*arguments)
    for eager, graph in zip(augment(*arguments), compiled, strict=True):
        np.testing.assert_allclose(eager, graph, atol=0.02)
