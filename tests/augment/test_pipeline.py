"""The augmentation as a whole: boxes stay on their pixels, whatever transforms there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from augmenting import (
    BLACK,
    BOXES,
    COLORS,
    CONSISTENT,
    EVERY_KIND,
    LABELS,
    PADDING,
    SIDE,
    augmented,
    colored_images,
    objects,
    random_draws,
    sizes,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boxwright.augment.transforms import (
    SSD_CROP,
    SSD_CROP_PAD,
    BlackPatches,
    Brightness,
    ColorMix,
    Crop,
    CropAroundObject,
    CropLimits,
    CropToAspect,
    Grayscale,
    HorizontalFlip,
    Hue,
    Pad,
    PadToAspect,
    PixelNoise,
    Rotate90,
    Scale,
    SelfConcat,
    Transform,
    count_draws,
    default_transforms,
)


def test_every_kind_is_tried() -> None:
    assert {type(each) for each in EVERY_KIND.values()} == set(get_args(Transform))


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(CONSISTENT)), max_size=4),
    seed=st.integers(0, 10_000),
    aspect=st.sampled_from([0.5, 1.0, 1.6]),
)
@example(["concat", "crop around an object"], 54, 1.0)
@example(["crop", "crop around an object"], 1, 1.6)
@example(["contrast", "crop and pad", "contrast", "contrast"], 874, 1.6)
def test_boxes_stay_on_their_pixels(names: list[str], seed: int, aspect: float) -> None:
    """What is labeled has its color, and nothing else has it."""
    transforms = [CONSISTENT[name] for name in names]
    images, boxes, labels, weights = augmented(*transforms, count=3, aspect=aspect, seed=seed)
    assert images.shape == (3, SIDE, SIDE, 3)
    assert images.min() >= 0
    assert images.max() <= 255
    np.testing.assert_array_equal(weights, labels >= 0)
    for image, own, kinds in zip(images, boxes, labels, strict=True):
        assert 0 <= own[kinds >= 0].min(initial=0) <= own[kinds >= 0].max(initial=1) <= 1
        for kind, color in enumerate(COLORS):
            inner, outer = (np.zeros((SIDE, SIDE), bool) for _ in range(2))
            for box in own[kinds == kind] * SIDE:
                draw(inner, box, margin=-3)
                draw(outer, box, margin=3)
            alike = np.abs(image - color).max(axis=-1) < 40
            assert alike[inner].all()
            assert not alike[~outer].any()


def draw(mask: Any, box: Any, margin: int) -> None:
    ymin, xmin = np.maximum(np.floor(box[:2] - margin).astype(int), 0)
    ymax, xmax = np.maximum(np.ceil(box[2:] + margin).astype(int), 0)
    mask[ymin:ymax, xmin:xmax] = True


@settings(deadline=None, max_examples=60)
@given(
    corner=st.tuples(*[st.integers(0, 175)] * 2),
    lengths=st.tuples(*[st.integers(20, 120)] * 2),
    draws=st.tuples(*[st.floats(0, 1, width=32, exclude_max=True)] * 7),
)
def test_a_box_ends_where_its_pixels_do(
    corner: tuple[int, int], lengths: tuple[int, int], draws: tuple[float, ...]
) -> None:
    """With the default transforms, within 1.6 pixels; what lost its label is not larger than it."""
    from boxwright.augment import pipeline
    from boxwright.training.step_tensorflow import crop

    (top, left), (height, width) = corner, lengths
    image = np.zeros((1, 200, 200, 3), np.uint8)
    image[0, top : top + height, left : left + width] = 255
    box = np.minimum([top, left, top + height, left + width], 200) / 200
    transforms = default_transforms(color=ColorMix(0, 0, 0))
    images, boxes, labels, _ = (
        np.asarray(part)
        for part in pipeline.apply(
            transforms, image, np.float32([[box]]), np.zeros((1, 1), np.int32), sizes(1),
            np.float32([[*draws, 0.5, 0.5, 0.5]]), side=160, crop_and_resize=crop,
        )
    )  # fmt: skip
    bright = images[0].min(axis=-1) > 127.5  # the gray beyond the image is 127
    if labels[0, 0] < 0:
        sides = 160 * (boxes[0, 0, 2:] - boxes[0, 0, :2])
        assert bright.sum() <= (sides + 2).prod()
        return
    ys, xs = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    found = np.array([ys[0], xs[0], ys[-1] + 1, xs[-1] + 1])
    np.testing.assert_allclose(boxes[0, 0] * 160, found, atol=1.6)


ON_BLACK = Crop(tuple(replace(c, pad=Pad(color=BLACK)) for c in SSD_CROP_PAD.choices))
STRICT: dict[str, tuple[Transform, ...]] = {
    "nothing": (),
    "default": (CropAroundObject(side=(0.4, 1.0)), HorizontalFlip()),
    "ssd_random_crop": (SSD_CROP,),
    "flip and ssd_random_crop": (HorizontalFlip(), SSD_CROP),
    "ssd_random_crop_pad": (ON_BLACK,),
    "ssd_random_crop_fixed_aspect_ratio": (SSD_CROP, CropToAspect(1.0)),
    "ssd_random_crop_pad_fixed_aspect_ratio": (SSD_CROP, PadToAspect(1.0)),
}


@pytest.mark.parametrize("transforms", STRICT.values(), ids=STRICT)
def test_what_a_crop_leaves_of_a_box_is_as_large_as_its_pixels(
    transforms: tuple[Transform, ...],
) -> None:
    images, boxes, labels, _ = augmented(*transforms, aspect=1.5)
    assert (labels[:, 2] == -1).all()
    assert (labels[:, :2] >= 0).any()
    for image, own, kinds in zip(images, boxes, labels, strict=True):
        for (ymin, xmin, ymax, xmax), kind in zip(own.tolist(), kinds, strict=True):
            if kind >= 0:
                assert 0 <= ymin < ymax <= 1
                assert 0 <= xmin < xmax <= 1
                hits = (np.abs(image - COLORS[kind]) < 20).all(axis=-1).sum()
                edges = 2 * SIDE * (ymax - ymin + xmax - xmin)
                area = (ymax - ymin) * (xmax - xmin) * SIDE**2
                assert hits == pytest.approx(area, abs=1.5 * edges)


def test_a_box_that_is_hardly_visible_has_no_weight() -> None:
    """Whatever follows: copies of the box do not count either."""
    crop = CropAroundObject(side=(0.4, 0.4), full_image=0.0, min_visibility=0.1, ignore_below=0.6)
    for more in ((), (HorizontalFlip(),), (SelfConcat(1.0, 1.0),), (Hue(), Pad())):
        _, _, labels, weights = augmented(crop, *more)
        assert set(np.unique(weights)) == {0.0, 1.0}
        assert (weights[labels < 0] == 0).all()
        assert (weights[labels >= 0] == 0).mean() > 0.2


def test_without_transforms_an_image_of_the_networks_size_stays_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    images, *_ = augmented(count=2, pixels=pixels)
    np.testing.assert_array_equal(images, pixels)


def test_transforms_that_do_not_move_pixels_leave_boxes_alone() -> None:
    transforms = Grayscale(1.0), Brightness(0.0), BlackPatches(), PixelNoise(), Hue(), Scale()
    _, boxes, labels, _ = augmented(*transforms)
    np.testing.assert_array_equal(boxes, [BOXES] * 24)
    np.testing.assert_array_equal(labels, [LABELS] * 24)


def test_transforms_come_in_their_order() -> None:
    """Padding that came before a black image is black, and one that came afterwards is not."""
    green = Pad((2.0, 2.0), (2.0, 2.0), color=(0.0, 255.0, 0.0))
    dark = Brightness(0.0), PixelNoise(0.0, 0.0)
    before, after = (augmented(*each)[0] for each in ((green, *dark), (*dark, green)))
    assert before.max() == 0
    assert (after[..., 1] == 255).mean() == pytest.approx(0.75, abs=0.02)
    # Padding around padding: the first one keeps its color.
    blue = Pad((2.0, 2.0), (2.0, 2.0), color=(0.0, 0.0, 255.0))
    images = augmented(green, blue)[0]
    shares = [
        (np.abs(images - color).max(axis=-1) < 5).mean() for color in (green.color, blue.color)
    ]
    np.testing.assert_allclose(shares, [0.75 / 4, 0.75], atol=0.05)


def test_the_mean_color_of_padding_is_that_of_the_image_that_was_padded() -> None:
    """Whatever part of it a later crop shows."""
    crop = Crop((CropLimits(0.0, (1.0, 1.0), (0.1, 0.1), min_visibility=0.0),))
    images = augmented(Pad((2.0, 2.0), (2.0, 2.0)), crop)[0]
    mean = colored_images(1).mean(axis=(0, 1, 2))
    known = [*COLORS.astype(float), PADDING.astype(float), mean]
    nearest = np.stack([np.abs(images - color).max(axis=-1) for color in known])
    assert (nearest.min(axis=0) < 3).mean() > 0.9
    assert (nearest[3] < 3).mean() > 0.3


def test_a_graph_shows_what_is_shown_outside_of_one() -> None:
    from boxwright.augment import pipeline
    from boxwright.backend import framework
    from boxwright.training.step_tensorflow import crop

    transforms = tuple(EVERY_KIND.values())
    batch = colored_images(4), *objects(4), sizes(4, 1.5), random_draws(transforms, 4)

    def all_of_them(*given: Any) -> Any:
        return pipeline.apply(transforms, *given, side=SIDE, crop_and_resize=crop)

    compiled = framework.tensorflow().function(all_of_them, autograph=False)
    for one, other in zip(all_of_them(*batch), compiled(*batch), strict=True):
        np.testing.assert_allclose(one, other, atol=0.05)


READS: list[tuple[tuple[Transform, ...], list[int]]] = [
    (default_transforms(), [SIDE]),
    ((HorizontalFlip(), Rotate90(), SSD_CROP, Scale()), [SIDE]),
    ((HorizontalFlip(), SSD_CROP_PAD, Hue(), BlackPatches()), [SIDE]),
    ((SelfConcat(), SSD_CROP), [SIDE]),
    ((Hue(), SSD_CROP), [SIDE]),
    ((Pad(), SSD_CROP, Hue()), [100, SIDE]),
]


@pytest.mark.parametrize(("transforms", "expected"), READS)
def test_pixels_are_read_once_unless_a_transform_needs_them(
    transforms: tuple[Transform, ...], expected: list[int]
) -> None:
    from boxwright.augment import pipeline
    from boxwright.training.step_tensorflow import crop

    sides: list[int] = []

    def read(pixels: Any, crops: Any, side: int) -> Any:
        sides.append(side)
        return crop(pixels, crops, side)

    draws = np.full((2, count_draws(transforms)), 0.3, np.float32)
    pipeline.apply(
        transforms, colored_images(2), *objects(2), sizes(2), draws, side=SIDE, crop_and_resize=read
    )
    assert sides == expected


def test_the_same_draws_show_the_same() -> None:
    transforms = SSD_CROP, HorizontalFlip(), Hue(), PixelNoise()
    first, again, another = (augmented(*transforms, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != another).any()
