"""Geometric steps: what is seen of a photo, and of its boxes; random windows are like the API's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from augmenting import BOXES, GROUND, LABELS, SIDE, follow, labelled, photos, sizes
from numpy.typing import NDArray

from boxwright.augment.transforms import (
    SSD_CROP,
    Crop,
    CropLimits,
    CropToAspect,
    Flip,
    Geometry,
    Jitter,
    Pad,
    PadToAspect,
    Scale,
    SelfConcat,
    Turn,
)

COUNT = 500


def moved(*steps: Geometry, aspect: float = 1.0, count: int = COUNT, seed: int = 0) -> Any:
    """The view of `count` photos after these steps."""
    from boxwright.augment.geometry import View, move

    view, rng = View(sizes(count, aspect), *labelled(count)), np.random.default_rng(seed)
    for step in steps:
        view = move(view, step, rng.random((count, step.dice), np.float32))
    fields = (view.sizes, view.boxes, view.labels, view.window)
    return View(*(None if field is None else np.asarray(field) for field in fields))


# ---- Flips and turns ---------------------------------------------------------------------------


def test_half_of_the_photos_are_flipped() -> None:
    view = moved(Flip(), count=1000)
    flipped = ~np.isclose(view.boxes[:, 0, 1], BOXES[0, 1])
    expected = [[0.1, 0.4, 0.5, 0.8]] * flipped.sum()
    np.testing.assert_allclose(view.boxes[flipped, 0], expected, atol=1e-6)
    assert flipped.mean() == pytest.approx(0.5, abs=0.06)


def test_a_quarter_turn_goes_to_the_left() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    images, *_ = follow(Turn(1.0), count=2, pixels=pixels)
    np.testing.assert_allclose(images, np.rot90(pixels, axes=(1, 2)), atol=1e-3)
    view = moved(Turn(1.0), aspect=2.0)
    np.testing.assert_allclose(view.sizes, [[200, 100]] * COUNT)
    np.testing.assert_allclose(view.boxes[0, 0], [0.4, 0.1, 0.8, 0.5], atol=1e-6)
    images, *_ = follow(*[Turn(1.0)] * 4)
    np.testing.assert_allclose(images, follow()[0], atol=1e-2)


def test_only_some_of_the_photos_are_turned() -> None:
    view = moved(Turn(0.25), aspect=2.0)
    assert (view.sizes[:, 0] == 200).mean() == pytest.approx(0.25, abs=0.06)


# ---- Windows -----------------------------------------------------------------------------------


@pytest.mark.shared
def test_windows_are_like_those_of_the_object_detection_api(shared: Path) -> None:
    """6000 draws of `ssd_random_crop` each: largest distance of the distributions (Kolmogorov and
    Smirnov), 0.025 in one of twenty comparisons of the same."""
    from boxwright.augment.geometry import View, move

    golden = np.load(shared / "golden/ssd_random_crop_stats.npz")
    count, (height, width) = 6000, golden["image_hw"]
    sizes = np.float32([[height, width]] * count)
    view = View(sizes, np.stack([golden["boxes"]] * count), np.zeros((count, 2), np.int32))
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
    view = moved(CropToAspect(wanted), aspect=aspect, count=9)
    np.testing.assert_allclose(view.aspects, wanted, rtol=1e-6)
    sides = view.window[:, 2:] - view.window[:, :2]
    np.testing.assert_allclose(sides.max(axis=1), 1.0, rtol=1e-6)
    assert np.ptp(view.window[:, :2].sum(axis=1)) > 0.1


# ---- Grounds -----------------------------------------------------------------------------------


def test_a_ground_is_measured_in_the_photo_and_has_its_mean_colour() -> None:
    images, boxes, *_ = follow(Pad((1.5, 1.5), (1.5, 1.5)))
    sides = boxes[:, 0, 2:] - boxes[:, 0, :2]
    np.testing.assert_allclose(sides, np.full((24, 2), 0.4 / 1.5), atol=1e-5)
    mean = photos(1).mean(axis=(0, 1, 2))
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    ground = corners[np.abs(corners - GROUND).max(axis=-1) > 2]
    np.testing.assert_allclose(ground, np.broadcast_to(mean, ground.shape), atol=3)
    # After a crop still in the photo before it: a quarter of it on a ground of all of it.
    pad = Pad((1.0, 1.0), (1.0, 1.0), colour=(0.0, 255.0, 0.0))
    limits = CropLimits(0.0, (1.0, 1.0), (0.25, 0.25), overlap=0.0, pad=pad)
    images, *_ = follow(Crop((limits,)))
    green = (np.abs(images - [0, 255, 0]) < 1).all(axis=-1).mean(axis=(1, 2))
    np.testing.assert_allclose(green, 0.75, atol=0.02)


PIXELS: dict[str, tuple[Pad, tuple[float, float], tuple[float, float]]] = {
    "by up to 40 and 20": (Pad(most=(1, 1), most_pixels=(40, 20)), (100, 200), (140, 220)),
    "at most 300 x 250": (Pad(most=(0, 0), most_pixels=(300, 250)), (100, 200), (300, 250)),
    "at least 150 x 250": (
        Pad(least=(0, 0), least_pixels=(150, 250)), (150, 250), (200, 400),
    ),
    "never smaller than the photo": (Pad((0, 0), (0, 0), (9, 9), (50, 50)), (100, 200), (100, 200)),
    "a most below the least": (Pad((0, 0), (0, 0), (300, 300), (250, 250)), (250, 250), (250, 250)),
}  # fmt: skip


@pytest.mark.parametrize(("pad", "least", "most"), PIXELS.values(), ids=PIXELS)
def test_a_ground_in_pixels(pad: Pad, least: Any, most: Any) -> None:
    view = moved(pad, aspect=2.0)
    np.testing.assert_allclose(view.sizes.min(axis=0), least, rtol=0.03)
    np.testing.assert_allclose(view.sizes.max(axis=0), most, rtol=0.03)
    assert (view.sizes >= np.float32(least) - 1e-3).all()
    assert (view.sizes <= np.float32(most) + 1e-3).all()
    sides = (view.boxes[:, 0, 2:] - view.boxes[:, 0, :2]) * view.sizes
    np.testing.assert_allclose(sides, [[40, 80]] * COUNT, rtol=1e-4)  # whatever is around them


def test_a_photo_that_was_scaled_needs_more_ground_to_be_as_large() -> None:
    view = moved(Scale(0.5, 0.5), Pad((0, 0), (0, 0), (200, 200), (200, 200)))
    sides = view.boxes[:, 0, 2:] - view.boxes[:, 0, :2]
    np.testing.assert_allclose(sides, [[0.1, 0.1]] * COUNT, rtol=1e-4)


@pytest.mark.parametrize(("aspect", "wanted"), [(0.5, 1.0), (2.0, 1.0), (1.0, 1.0), (1.5, 2.0)])
def test_the_ground_of_an_aspect(aspect: float, wanted: float) -> None:
    """Right of the photo and below it; twice the photo's sides at most where that is possible."""
    view = moved(PadToAspect(wanted), aspect=aspect)
    np.testing.assert_allclose(view.aspects, wanted, rtol=1e-5)
    times = view.sizes / [100, 100 * aspect]
    assert times.min() >= 1 - 1e-5
    assert times.max() <= 2 + 1e-5
    narrow = min(aspect / wanted, wanted / aspect)
    assert np.ptp(times) > 0.5 * narrow
    np.testing.assert_allclose(
        view.boxes[:, 0, :2] * view.sizes, [[10, 20 * aspect]] * COUNT, rtol=1e-4
    )


# ---- Boxes, and more of them -------------------------------------------------------------------


def test_boxes_jitter_by_a_part_of_their_sides() -> None:
    view = moved(Jitter(0.1))
    moves = (view.boxes - BOXES)[:, :2] / 0.4  # both boxes are 0.4 wide and high
    assert np.abs(moves).max() < 0.1
    np.testing.assert_allclose(moves.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(moves.std(axis=0), 0.2 / 12**0.5, rtol=0.1)
    together = np.corrcoef(moves.reshape(COUNT, 8).T)
    assert np.abs(together - np.eye(8)).max() < 0.2  # each side for itself
    assert view.window is None


def test_jittered_boxes_stay_within_the_photo() -> None:
    close = CropLimits(0.0, (1.0, 1.0), (0.2, 0.3), overlap=0.1)
    view = moved(Crop((close,)), Jitter(0.5))
    kept = view.boxes[view.labels >= 0]
    assert kept.min() == 0
    assert kept.max() == 1


@pytest.mark.parametrize(
    ("step", "copies"),
    [(SelfConcat(0, 0), (1, 1)), (SelfConcat(1, 0), (2, 1)), (SelfConcat(0, 1), (1, 2)),
     (SelfConcat(1, 1), (2, 2))],
)  # fmt: skip
def test_a_photo_beside_itself(step: SelfConcat, copies: tuple[int, int]) -> None:
    images, boxes, labels, _ = follow(step, count=2, side=200)
    expected = np.tile(photos(1)[0], (*copies, 1))
    rows, columns = (np.arange(200) * n // 2 for n in copies)  # each pixel of the photo 2 / n times
    alike = np.abs(images - expected[rows][:, columns]).max(axis=-1) < 3
    assert alike.mean() > 0.95
    assert (labels >= 0).sum() == 2 * 2 * np.prod(copies)
    scale = [*copies] * 2
    places = [(y, x) for y in range(copies[0]) for x in range(copies[1])]
    wanted = [((BOXES[0] + [*at, *at]) / scale).tolist() for at in places]
    np.testing.assert_allclose(sorted(boxes[0][labels[0] == 0].tolist()), sorted(wanted), atol=1e-6)


def test_how_often_a_photo_is_beside_itself() -> None:
    view = moved(SelfConcat(0.2, 0.6))
    np.testing.assert_allclose((view.sizes == 200).mean(axis=0), [0.2, 0.6], atol=0.06)
