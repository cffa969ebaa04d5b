"""Geometric transforms: what is shown of an image, and where its boxes are; random crops are like
the Object Detection API's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from augmenting import (
    BOXES,
    LABELS,
    PADDING,
    SIDE,
    augmented,
    colored_images,
    objects,
    random_draws,
    sizes,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxwright.augment.transforms import (
    SSD_CROP,
    Crop,
    CropAroundObject,
    CropLimits,
    CropToAspect,
    Geometry,
    HorizontalFlip,
    JitterBoxes,
    Pad,
    PadToAspect,
    Rotate90,
    Scale,
    SelfConcat,
    VerticalFlip,
)

COUNT = 500


def transformed(
    *transforms: Geometry, aspect: float = 1.0, count: int = COUNT, seed: int = 0
) -> Any:
    """The state of `count` images after these transforms, as NumPy's arrays."""
    from boxwright.augment.geometry import apply_geometry
    from boxwright.augment.state import initial_state

    state, rng = initial_state(sizes(count, aspect), *objects(count)), np.random.default_rng(seed)
    for transform in transforms:
        draws = rng.random((count, transform.draws), np.float32)
        state = apply_geometry(state, transform, draws)
    state = state._replace(transposed=None, padding=None)
    return type(state)(*(None if field is None else np.asarray(field) for field in state))


def after_one(transform: Geometry, boxes: Any, labels: Any, draws: Any) -> Any:
    """The state of square images with these boxes after one transform."""
    from boxwright.augment.geometry import apply_geometry
    from boxwright.augment.state import initial_state

    boxes, labels = np.asarray(boxes, np.float32), np.asarray(labels, np.int32)
    state = initial_state(sizes(len(boxes)), boxes, labels)
    return apply_geometry(state, transform, np.asarray(draws, np.float32))


# ---- Flips and rotation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "draw", "flipped", "axis"),
    [
        (HorizontalFlip(), 0.2, (0.1, 0.4, 0.5, 0.8), 2),
        (HorizontalFlip(), 0.7, (0.1, 0.2, 0.5, 0.6), None),
        (HorizontalFlip(0.0), 0.0, (0.1, 0.2, 0.5, 0.6), None),
        (VerticalFlip(), 0.2, (0.5, 0.2, 0.9, 0.6), 1),
        (VerticalFlip(0.1), 0.2, (0.1, 0.2, 0.5, 0.6), None),
    ],
)
def test_a_flip_exchanges_two_sides(
    transform: Geometry, draw: float, flipped: tuple[float, ...], axis: int | None
) -> None:
    from boxwright.augment.pipeline import render
    from boxwright.training.step_tensorflow import crop

    state = after_one(transform, [BOXES], [LABELS], [[draw]])
    np.testing.assert_allclose(np.asarray(state.boxes)[0, 0], flipped, atol=1e-6)
    pixels = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    images, _ = render(pixels, state, SIDE, crop)
    expected = pixels if axis is None else np.flip(pixels, axis)
    np.testing.assert_allclose(images, expected, atol=1e-3)


@pytest.mark.parametrize(("kind", "side"), [(HorizontalFlip, 1), (VerticalFlip, 0), (Rotate90, 1)])
def test_it_happens_as_often_as_it_should(kind: Any, side: int) -> None:
    state = transformed(kind(0.25), count=1000)
    changed = ~np.isclose(state.boxes[:, 0, side], BOXES[0, side])
    assert changed.mean() == pytest.approx(0.25, abs=0.06)


def test_a_quarter_turn_goes_to_the_left() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    images, *_ = augmented(Rotate90(1.0), count=2, pixels=pixels)
    np.testing.assert_allclose(images, np.rot90(pixels, axes=(1, 2)), atol=1e-3)
    state = transformed(Rotate90(1.0), aspect=2.0)
    np.testing.assert_allclose(state.sizes, [[200, 100]] * COUNT)
    np.testing.assert_allclose(state.boxes[0, 0], [0.4, 0.1, 0.8, 0.5], atol=1e-6)
    images, *_ = augmented(*[Rotate90(1.0)] * 4)
    np.testing.assert_allclose(images, augmented()[0], atol=1e-2)


# ---- Crops around an object ----------------------------------------------------------------------

DEFAULT = CropAroundObject()
corner, length = st.integers(0, 175), st.integers(20, 120)


@st.composite
def boxes_of_an_image(draw: Any) -> NDArray[np.float32]:
    """`(n, 4)` yxyx, up to four."""
    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        top, left = draw(corner), draw(corner)
        boxes.append((top, left, min(top + draw(length), 200), min(left + draw(length), 200)))
    return np.array(boxes, np.float32).reshape(-1, 4) / 200


@settings(deadline=None, max_examples=60)
@given(
    boxes=boxes_of_an_image(),
    draws=st.tuples(*[st.floats(0, 1, width=32, exclude_max=True)] * DEFAULT.draws),
)
def test_a_crop_holds_the_center_of_an_object(
    boxes: NDArray[np.float32], draws: tuple[float, ...]
) -> None:
    """It lies within the image or contains it, and has a side and an aspect within the limits."""
    padded = np.concatenate([boxes, np.zeros((6 - len(boxes), 4), np.float32)])
    labels = np.where(np.arange(6) < len(boxes), 0, -1)
    crop = np.asarray(after_one(DEFAULT, [padded], [labels], [draws]).crop)[0]
    start, end = crop[:2], crop[2:]
    if draws[5] < DEFAULT.full_image:
        np.testing.assert_array_equal(crop, [0, 0, 1, 1])
        return
    for first, last in zip(start, end, strict=True):
        within = first >= -1e-5 and last <= 1 + 1e-5
        contains = first <= 1e-5 and last >= 1 - 1e-5
        assert within if last - first <= 1 else contains
    height, width = end - start
    assert DEFAULT.side[0] - 1e-4 <= np.sqrt(height * width) <= DEFAULT.side[1] + 1e-4
    assert abs(np.log(width / height)) <= DEFAULT.max_log_aspect + 1e-4
    if len(boxes):
        chosen = boxes[int(np.float32(draws[2]) * np.float32(len(boxes)))]
        center = (chosen[:2] + chosen[2:]) / 2
        assert (center >= start - 1e-5).all()
        assert (center <= end + 1e-5).all()


@pytest.mark.parametrize(
    "labels", [(0, 1, 2, -1), (-1, 0, 1, 2), (0, -1, 1, 2)], ids=["first", "last", "between"]
)
def test_every_object_gets_its_turn(labels: tuple[int, ...]) -> None:
    """Also those behind one that an earlier crop has lost."""
    corners = iter([[0, 0, 0.1, 0.1], [0, 0.9, 0.1, 1], [0.9, 0.9, 1, 1]])
    boxes = [[0.4, 0.4, 0.6, 0.6] if label < 0 else next(corners) for label in labels]
    draws = np.full((3, DEFAULT.draws), 0.5)
    draws[:, 2] = [0.1, 0.5, 0.99]
    crop = CropAroundObject(side=(0.2, 0.2), max_log_aspect=0.0)
    state = after_one(crop, [boxes] * 3, [labels] * 3, draws)
    expected = [[0, 0, 0.2, 0.2], [0, 0.8, 0.2, 1], [0.8, 0.8, 1, 1]]
    np.testing.assert_allclose(state.crop, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("crop", "visible", "label", "weight"),
    [
        pytest.param((0, 0, 1, 1), (0.4, 0.4, 0.6, 0.6), 7, 1, id="the full image"),
        pytest.param((0.4, 0.4, 0.6, 0.6), (0, 0, 1, 1), 7, 1, id="filling the crop"),
        pytest.param((-0.5, -0.5, 1.5, 1.5), (0.45, 0.45, 0.55, 0.55), 7, 1, id="from afar"),
        pytest.param((0.5, 0, 1, 1), (0, 0.4, 0.2, 0.6), 7, 1, id="half of it"),
        pytest.param((0.55, 0, 1.05, 1), (0, 0.4, 0.1, 0.6), 7, 0, id="a quarter: ignored"),
        pytest.param((0.585, 0, 1.085, 1), (0, 0.4, 0.03, 0.6), -1, 0, id="a sliver: background"),
        pytest.param((0.6, 0.6, 1, 1), (0, 0, 0, 0), -1, 0, id="none of it"),
    ],
)
@pytest.mark.parametrize("flip", [False, True])
def test_what_is_left_of_a_box(
    crop: tuple[float, ...], visible: tuple[float, ...], label: int, weight: float, flip: bool
) -> None:
    """A transform that follows does not give a weight back."""
    from boxwright.augment.geometry import apply_geometry
    from boxwright.augment.state import crop_boxes, initial_state

    boxes = np.array([[(0.4, 0.4, 0.6, 0.6), (0, 0, 0, 0)]], np.float32)
    state = initial_state(sizes(1), boxes, np.array([[7, -1]], np.int32))
    state = crop_boxes(state, np.array([crop], np.float32), 0.1, ignore_below=0.4)
    if flip:
        state = apply_geometry(state, HorizontalFlip(1.0), np.zeros((1, 1), np.float32))
        top, left, bottom, right = visible
        visible = top, 1 - right, bottom, 1 - left
    box, labels, weights = (
        np.asarray(part)[0] for part in (state.boxes, state.labels, state.weights)
    )
    if label >= 0:
        np.testing.assert_allclose(box[0], visible, atol=1e-6)
    assert (labels[0], weights[0]) == (label, weight)
    assert labels[1] == -1, "padding stays padding"


# ---- Other crops ---------------------------------------------------------------------------------


@pytest.mark.shared
def test_crops_are_like_those_of_the_object_detection_api(shared: Path) -> None:
    """6000 draws of `ssd_random_crop` each: largest distance of the distributions (Kolmogorov and
    Smirnov), 0.025 in one of twenty comparisons of the same."""
    from boxwright.augment.geometry import apply_geometry
    from boxwright.augment.state import initial_state

    golden = np.load(shared / "golden/ssd_random_crop_stats.npz")
    count, (height, width) = 6000, golden["image_hw"]
    sizes = np.float32([[height, width]] * count)
    boxes = np.stack([golden["boxes"]] * count)
    state = initial_state(sizes, boxes, np.zeros((count, 2), np.int32))
    cropped = apply_geometry(state, SSD_CROP, random_draws([SSD_CROP], count, seed=1))
    crops, labels, boxes = (np.asarray(x) for x in (cropped.crop, cropped.labels, cropped.boxes))
    theirs = golden["crop_y0_x0_h_w"] / [height, width, height, width]
    ours = np.concatenate([crops[:, :2], crops[:, 2:] - crops[:, :2]], axis=1)
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
    flipped = apply_geometry(state, HorizontalFlip(1.0), np.zeros((count, 1)))
    np.testing.assert_allclose(flipped.boxes[0], golden["flipped_boxes"], atol=1e-6)


def distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest difference of two empirical distributions, below the pixel at its ends."""
    places = np.linspace(0.01, 0.99, 99)
    parts = [np.searchsorted(np.sort(values), places) / len(values) for values in (one, other)]
    return float(np.abs(parts[0] - parts[1]).max())


def test_a_crop_that_cannot_be_found_is_the_full_image() -> None:
    _, boxes, labels, _ = augmented(Crop((CropLimits(1.0, (0.5, 2.0), (0.001, 0.01)),)))
    np.testing.assert_allclose(boxes, [BOXES] * 24, atol=1e-6)
    np.testing.assert_array_equal(labels, [LABELS] * 24)


def test_boxes_that_are_not_clipped_reach_beyond_the_crop() -> None:
    limits = CropLimits(0.0, (1.0, 1.0), (0.2, 0.3), min_visibility=0.1, clip_boxes=False)
    _, boxes, labels, _ = augmented(Crop((limits,)), count=64)
    kept = boxes[labels >= 0]
    assert kept.min() < 0
    assert kept.max() > 1


@pytest.mark.parametrize(("aspect", "wanted"), [(0.5, 1.0), (2.0, 1.0), (1.5, 2.0)])
def test_the_largest_crop_of_an_aspect(aspect: float, wanted: float) -> None:
    state = transformed(CropToAspect(wanted), aspect=aspect, count=9)
    np.testing.assert_allclose(state.aspects, wanted, rtol=1e-6)
    sides = state.crop[:, 2:] - state.crop[:, :2]
    np.testing.assert_allclose(sides.max(axis=1), 1.0, rtol=1e-6)
    assert np.ptp(state.crop[:, :2].sum(axis=1)) > 0.1


# ---- Padding -------------------------------------------------------------------------------------


def test_padding_is_measured_in_the_image_and_has_its_mean_color() -> None:
    images, boxes, *_ = augmented(Pad((1.5, 1.5), (1.5, 1.5)))
    sides = boxes[:, 0, 2:] - boxes[:, 0, :2]
    np.testing.assert_allclose(sides, np.full((24, 2), 0.4 / 1.5), atol=1e-5)
    mean = colored_images(1).mean(axis=(0, 1, 2))
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    border = corners[np.abs(corners - PADDING).max(axis=-1) > 2]
    np.testing.assert_allclose(border, np.broadcast_to(mean, border.shape), atol=3)
    # After a crop still in the image before it: a quarter of it, padded to all of it.
    pad = Pad((1.0, 1.0), (1.0, 1.0), color=(0.0, 255.0, 0.0))
    limits = CropLimits(0.0, (1.0, 1.0), (0.25, 0.25), min_visibility=0.0, pad=pad)
    images, *_ = augmented(Crop((limits,)))
    green = (np.abs(images - [0, 255, 0]) < 1).all(axis=-1).mean(axis=(1, 2))
    np.testing.assert_allclose(green, 0.75, atol=0.02)


PIXELS: dict[str, tuple[Pad, tuple[float, float], tuple[float, float]]] = {
    "by up to 40 and 20": (Pad(max_size=(1, 1), max_pixels=(40, 20)), (100, 200), (140, 220)),
    "at most 300 x 250": (Pad(max_size=(0, 0), max_pixels=(300, 250)), (100, 200), (300, 250)),
    "at least 150 x 250": (
        Pad(min_size=(0, 0), min_pixels=(150, 250)), (150, 250), (200, 400),
    ),
    "never smaller than the image": (Pad((0, 0), (0, 0), (9, 9), (50, 50)), (100, 200), (100, 200)),
    "a most below the least": (Pad((0, 0), (0, 0), (300, 300), (250, 250)), (250, 250), (250, 250)),
}  # fmt: skip


@pytest.mark.parametrize(("pad", "smallest", "largest"), PIXELS.values(), ids=PIXELS)
def test_padding_in_pixels(pad: Pad, smallest: Any, largest: Any) -> None:
    state = transformed(pad, aspect=2.0)
    np.testing.assert_allclose(state.sizes.min(axis=0), smallest, rtol=0.03)
    np.testing.assert_allclose(state.sizes.max(axis=0), largest, rtol=0.03)
    assert (state.sizes >= np.float32(smallest) - 1e-3).all()
    assert (state.sizes <= np.float32(largest) + 1e-3).all()
    sides = (state.boxes[:, 0, 2:] - state.boxes[:, 0, :2]) * state.sizes
    np.testing.assert_allclose(sides, [[40, 80]] * COUNT, rtol=1e-4)  # whatever is around them


def test_an_image_that_was_scaled_needs_more_padding_to_be_as_large() -> None:
    state = transformed(Scale(0.5, 0.5), Pad((0, 0), (0, 0), (200, 200), (200, 200)))
    sides = state.boxes[:, 0, 2:] - state.boxes[:, 0, :2]
    np.testing.assert_allclose(sides, [[0.1, 0.1]] * COUNT, rtol=1e-4)


@pytest.mark.parametrize(("aspect", "wanted"), [(0.5, 1.0), (2.0, 1.0), (1.0, 1.0), (1.5, 2.0)])
def test_padding_to_an_aspect(aspect: float, wanted: float) -> None:
    """Right of the image and below it; twice the image's sides at most where that is possible."""
    state = transformed(PadToAspect(wanted), aspect=aspect)
    np.testing.assert_allclose(state.aspects, wanted, rtol=1e-5)
    times = state.sizes / [100, 100 * aspect]
    assert times.min() >= 1 - 1e-5
    assert times.max() <= 2 + 1e-5
    narrow = min(aspect / wanted, wanted / aspect)
    assert np.ptp(times) > 0.5 * narrow
    np.testing.assert_allclose(
        state.boxes[:, 0, :2] * state.sizes, [[10, 20 * aspect]] * COUNT, rtol=1e-4
    )


# ---- Boxes, and more of them ---------------------------------------------------------------------


def test_boxes_jitter_by_a_part_of_their_sides() -> None:
    state = transformed(JitterBoxes(0.1))
    moves = (state.boxes - BOXES)[:, :2] / 0.4  # both boxes are 0.4 wide and high
    assert np.abs(moves).max() < 0.1
    np.testing.assert_allclose(moves.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(moves.std(axis=0), 0.2 / 12**0.5, rtol=0.1)
    together = np.corrcoef(moves.reshape(COUNT, 8).T)
    assert np.abs(together - np.eye(8)).max() < 0.2  # each side for itself
    assert state.crop is None


def test_jittered_boxes_stay_within_the_image() -> None:
    close = CropLimits(0.0, (1.0, 1.0), (0.2, 0.3), min_visibility=0.1)
    state = transformed(Crop((close,)), JitterBoxes(0.5))
    kept = state.boxes[state.labels >= 0]
    assert kept.min() == 0
    assert kept.max() == 1


@pytest.mark.parametrize(
    ("transform", "copies"),
    [(SelfConcat(0, 0), (1, 1)), (SelfConcat(1, 0), (2, 1)), (SelfConcat(0, 1), (1, 2)),
     (SelfConcat(1, 1), (2, 2))],
)  # fmt: skip
def test_an_image_beside_itself(transform: SelfConcat, copies: tuple[int, int]) -> None:
    images, boxes, labels, _ = augmented(transform, count=2, side=200)
    expected = np.tile(colored_images(1)[0], (*copies, 1))
    rows, columns = (np.arange(200) * n // 2 for n in copies)  # each pixel of the image 2 / n times
    alike = np.abs(images - expected[rows][:, columns]).max(axis=-1) < 3
    assert alike.mean() > 0.95
    assert (labels >= 0).sum() == 2 * 2 * np.prod(copies)
    scale = [*copies] * 2
    offsets = [(y, x) for y in range(copies[0]) for x in range(copies[1])]
    wanted = [((BOXES[0] + [*at, *at]) / scale).tolist() for at in offsets]
    np.testing.assert_allclose(sorted(boxes[0][labels[0] == 0].tolist()), sorted(wanted), atol=1e-6)


def test_how_often_an_image_is_beside_itself() -> None:
    state = transformed(SelfConcat(0.2, 0.6))
    np.testing.assert_allclose((state.sizes == 200).mean(axis=0), [0.2, 0.6], atol=0.06)
