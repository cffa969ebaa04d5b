"""The Object Detection API's augmentation, step by step: boxes stay on their pixels, and random
windows are like its own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.training.steps import (
    SSD_CROP,
    SSD_CROP_PAD,
    Brightness,
    Contrast,
    Crop,
    CropLimits,
    CropToAspect,
    Flip,
    Grey,
    Hue,
    Pad,
    Saturation,
    Step,
)

SIDE = 64
BOXES = np.float32([[0.1, 0.2, 0.5, 0.6], [0.55, 0.5, 0.95, 0.9], [0.0, 0.0, 0.0, 0.0]])
LABELS = np.int32([0, 1, -1])
COLOURS = np.uint8([[200, 40, 60], [30, 90, 220]])
GROUND = np.uint8([90, 100, 110])


def photos(count: int) -> NDArray[np.uint8]:
    """Grounds with a rectangle of its own colour in each box."""
    pixels = np.full((count, 100, 100, 3), GROUND)
    for box, colour in zip(np.round(BOXES[:2] * 100).astype(int), COLOURS, strict=True):
        pixels[:, box[0] : box[2], box[1] : box[3]] = colour
    return pixels


def follow(
    *steps: Step, count: int = 24, aspect: float = 1.0, seed: int = 0, dice: Any = None
) -> tuple[Any, ...]:
    """Images, boxes, labels and weights of `count` copies of one photo."""
    from boxwright.training.engine_tensorflow import crop
    from boxwright.training.parts import Pipeline
    from boxwright.training.pipeline import follow

    shape = count, Pipeline(steps).dice
    if dice is None:
        dice = np.random.default_rng(seed).random(shape, np.float32)
    boxes, labels = np.stack([BOXES] * count), np.stack([LABELS] * count)
    aspects = np.full(count, aspect, np.float32)
    found = follow(
        steps, photos(count), boxes, labels, aspects, np.broadcast_to(dice, shape),
        side=SIDE, read=crop,
    )  # fmt: skip
    return tuple(np.asarray(part) for part in found)


# ---- Geometry ----------------------------------------------------------------------------------

LOOSE = CropLimits(0.1, (0.5, 2.0), (0.3, 0.9), overlap=0.2)
GEOMETRY: dict[str, tuple[Step, ...]] = {
    "nothing": (),
    "flip": (Flip(),),
    "both flips": (Flip(1.0), Flip(1.0, vertical=True)),
    "crop": (Crop((LOOSE,)),),
    "ssd_random_crop": (SSD_CROP,),
    "flip and ssd_random_crop": (Flip(), SSD_CROP),
    "ssd_random_crop_pad": (Crop(SSD_CROP_PAD.choices, Pad(colour=(1.0, 2.0, 3.0))),),
    "pad": (Pad(colour=(1.0, 2.0, 3.0)),),
    "crop, pad and flip": (Crop((LOOSE,), Pad()), Flip()),
    "pad, then crop": (Pad(), Crop((LOOSE,))),
    "crop to an aspect": (CropToAspect(2.0),),
    "ssd_random_crop_fixed_aspect_ratio": (SSD_CROP, CropToAspect(1.0)),
}


@pytest.mark.parametrize("steps", GEOMETRY.values(), ids=GEOMETRY)
def test_boxes_stay_on_their_pixels(steps: tuple[Step, ...]) -> None:
    images, boxes, labels, weights = follow(*steps, aspect=1.5)
    assert images.shape == (24, SIDE, SIDE, 3)
    np.testing.assert_array_equal(weights, labels >= 0)
    assert (labels[:, 2] == -1).all()
    assert (labels[:, :2] >= 0).any()
    for image, own, label in zip(images, boxes, labels, strict=True):
        for box, kind in zip(own[:2], label[:2], strict=True):
            if kind < 0:
                continue
            ymin, xmin, ymax, xmax = box.tolist()
            assert 0 <= ymin < ymax <= 1
            assert 0 <= xmin < xmax <= 1
            inner = np.round(box * SIDE + np.float32([2, 2, -2, -2])).astype(int)
            inside = image[inner[0] : inner[2], inner[1] : inner[3]]
            np.testing.assert_allclose(inside, np.broadcast_to(COLOURS[kind], inside.shape), atol=2)
            hits = (np.abs(image - COLOURS[kind]) < 20).all(axis=-1)
            area = (ymax - ymin) * (xmax - xmin) * SIDE**2
            assert hits.sum() == pytest.approx(
                area, abs=1.5 * 2 * SIDE * (ymax - ymin + xmax - xmin)
            )


def test_without_steps_a_photo_of_the_networks_size_is_as_it_was() -> None:
    from boxwright.training.engine_tensorflow import crop
    from boxwright.training.pipeline import follow as follow_

    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    empty = np.zeros((2, 0), np.float32)
    images, *_ = follow_(
        (), pixels, BOXES[None], LABELS[None], np.ones(2, np.float32), empty, side=SIDE, read=crop
    )
    np.testing.assert_array_equal(images, pixels)


def test_half_of_the_photos_are_flipped() -> None:
    _, boxes, *_ = follow(Flip(), count=1000)
    flipped = ~np.isclose(boxes[:, 0, 1], BOXES[0, 1])
    np.testing.assert_allclose(boxes[flipped, 0], [[0.1, 0.4, 0.5, 0.8]] * flipped.sum(), atol=1e-6)
    assert flipped.mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.shared
def test_windows_are_like_those_of_the_object_detection_api(shared: Path) -> None:
    """6000 draws of `ssd_random_crop` each: largest distance of the distributions (Kolmogorov and
    Smirnov), 0.025 in one of twenty comparisons of the same."""
    from boxwright.training.pipeline import View, move

    golden = np.load(shared / "golden/ssd_random_crop_stats.npz")
    count, (height, width) = 6000, golden["image_hw"]
    whole = np.float32([[0, 0, 1, 1]] * count)
    view = View(
        whole, whole, np.full((count, 3), -1, np.float32),
        np.full(count, width / height, np.float32),
        np.stack([golden["boxes"]] * count), np.zeros((count, 2), np.int32),
    )  # fmt: skip
    dice = np.random.default_rng(1).random((count, SSD_CROP.dice), np.float32)
    seen = move(view, SSD_CROP, dice)
    windows, labels, boxes = (np.asarray(x) for x in (seen.window, seen.labels, seen.boxes))
    theirs = golden["crop_y0_x0_h_w"] / [height, width, height, width]
    ours = np.concatenate([windows[:, :2], windows[:, 2:] - windows[:, :2]], axis=1)
    for name, one, other in zip(("y", "x", "height", "width"), ours.T, theirs.T, strict=True):
        assert distance(one, other) < 0.03, name
    area = [w[:, 2] * w[:, 3] for w in (ours, theirs)]
    assert distance(*area) < 0.03
    identity = [(w[:, 2:] > 0.999).all(axis=1).mean() for w in (ours, theirs)]
    assert identity[0] == pytest.approx(identity[1], abs=0.02)
    kept = (labels >= 0).sum(axis=1)
    for number in range(3):
        expected = (golden["num_boxes_kept"] == number).mean()
        assert (kept == number).mean() == pytest.approx(expected, abs=0.025)
    for i in range(2):
        known = golden["boxes_after"][:, i][~np.isnan(golden["boxes_after"][:, i, 0])]
        own = boxes[labels[:, i] >= 0, i]
        for side in range(4):
            assert distance(own[:, side], known[:, side]) < 0.04
    np.testing.assert_allclose(
        move(view, Flip(1.0), np.zeros((count, 1))).boxes[0], golden["flipped_boxes"], atol=1e-6
    )


def distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest difference of two empirical distributions, below the pixel at its ends."""
    places = np.linspace(0.01, 0.99, 99)
    parts = [np.searchsorted(np.sort(values), places) / len(values) for values in (one, other)]
    return float(np.abs(parts[0] - parts[1]).max())


def test_a_window_that_cannot_be_found_is_the_whole_photo() -> None:
    _, boxes, labels, _ = follow(Crop((CropLimits(1.0, (0.5, 2.0), (0.001, 0.01)),)))
    np.testing.assert_allclose(boxes, [BOXES] * 24, atol=1e-6)
    np.testing.assert_array_equal(labels, [LABELS] * 24)


def test_boxes_that_are_not_clipped_reach_beyond_the_window() -> None:
    limits = CropLimits(0.0, (1.0, 1.0), (0.2, 0.3), overlap=0.1, clip=False)
    _, boxes, labels, _ = follow(Crop((limits,)), count=64)
    kept = boxes[labels >= 0]
    assert kept.min() < 0
    assert kept.max() > 1


@pytest.mark.parametrize(("aspect", "wanted"), [(0.5, 1.0), (2.0, 1.0), (1.5, 2.0)])
def test_the_largest_window_of_an_aspect(aspect: float, wanted: float) -> None:
    from boxwright.training.pipeline import View, move

    whole = np.float32([[0, 0, 1, 1]])
    view = View(whole, whole, whole[:, :3], np.float32([aspect]), BOXES[None], LABELS[None])
    seen = move(view, CropToAspect(wanted), np.float32([[0.7]]))
    np.testing.assert_allclose(seen.aspect, wanted, rtol=1e-6)
    window = np.asarray(seen.window)[0]
    assert max(window[2] - window[0], window[3] - window[1]) == pytest.approx(1.0)


def test_a_ground_is_measured_in_the_photo_and_has_its_mean_colour() -> None:
    images, boxes, *_ = follow(Pad((1.5, 1.5), (1.5, 1.5)))
    sides = boxes[:, 0, 2:] - boxes[:, 0, :2]
    np.testing.assert_allclose(sides, np.full((24, 2), 0.4 / 1.5), atol=1e-5)
    mean = photos(1).mean(axis=(0, 1, 2))
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    ground = corners[np.abs(corners - GROUND).max(axis=-1) > 2]
    np.testing.assert_allclose(ground, np.broadcast_to(mean, ground.shape), atol=3)
    # After a crop still in the photo before it: a quarter of it on a ground of all of it.
    limits = CropLimits(0.0, (1.0, 1.0), (0.25, 0.25), overlap=0.0)
    images, *_ = follow(Crop((limits,), Pad((1.0, 1.0), (1.0, 1.0), (0.0, 255.0, 0.0))))
    green = (np.abs(images - [0, 255, 0]) < 1).all(axis=-1).mean(axis=(1, 2))
    np.testing.assert_allclose(green, 0.75, atol=0.02)


# ---- Colours -----------------------------------------------------------------------------------


def tensorflow_image() -> Any:
    from boxwright.models import framework

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
    from boxwright.training.pipeline import recolour

    images = np.random.default_rng(0).uniform(0, 255, (2, 9, 9, 3)).astype(np.float32)
    die = np.full((2, 1, 1, 1), 0.75, np.float32)
    ours = np.clip(recolour(images, step, die), 0, 255)
    expected = np.clip(np.asarray(theirs(tensorflow_image(), images / 255)) * 255, 0, 255)
    np.testing.assert_allclose(ours, expected, atol=0.2)


def test_colours_change_in_their_order_and_boxes_do_not() -> None:
    steps = Grey(1.0), Saturation(2.0, 2.0), Brightness(0.0)
    images, boxes, labels, _ = follow(*steps)
    np.testing.assert_array_equal(boxes, [BOXES] * 24)
    np.testing.assert_array_equal(labels, [LABELS] * 24)
    for one, other in pairwise(range(3)):
        np.testing.assert_allclose(images[..., one], images[..., other], atol=1e-2)


def test_the_same_dice_show_the_same() -> None:
    first, again, another = (follow(SSD_CROP, Flip(), Hue(), seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != another).any()
