"""The augmentation as a whole: boxes stay on their pixels, whatever steps follow each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from augmenting import BOXES, COLOURS, GROUND, LABELS, SIDE, follow, labelled, photos, sizes
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright.augment.transforms import (
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
    Jitter,
    Noise,
    Pad,
    PadToAspect,
    Patches,
    Saturation,
    Scale,
    SelfConcat,
    Step,
    Turn,
)

BLACK = (0.0, 0.0, 0.0)
LOOSE = CropLimits(0.1, (0.5, 2.0), (0.3, 0.9), overlap=0.0)  # whatever is seen stays labelled
STEPS: dict[str, Step] = {
    "flip": Flip(),
    "flip upside down": Flip(vertical=True),
    "turn": Turn(),
    "scale": Scale(),
    "crop": Crop((LOOSE,)),
    "crop and pad": Crop((LOOSE, CropLimits(0.0, overlap=0.0, pad=Pad(colour=(1.0, 2.0, 3.0))))),
    "crop to an aspect": CropToAspect(0.8, overlap=0.0),
    "pad": Pad(colour=BLACK),
    "pad by pixels": Pad(most=(1.0, 1.0), most_pixels=(30.0, 90.0), colour=BLACK),
    "pad to an aspect": PadToAspect(1.3),
    "concat": SelfConcat(0.5, 0.5),
    "colours": Contrast(0.9, 1.1),
}


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), max_size=4),
    seed=st.integers(0, 10_000),
    aspect=st.sampled_from([0.5, 1.0, 1.6]),
)
def test_boxes_stay_on_their_pixels(names: list[str], seed: int, aspect: float) -> None:
    """What is labelled has its colour, and nothing else has it."""
    steps = [STEPS[name] for name in names]
    images, boxes, labels, weights = follow(*steps, count=3, aspect=aspect, seed=seed)
    assert images.shape == (3, SIDE, SIDE, 3)
    assert images.min() >= 0
    assert images.max() <= 255
    np.testing.assert_array_equal(weights, labels >= 0)
    for image, own, kinds in zip(images, boxes, labels, strict=True):
        assert 0 <= own[kinds >= 0].min(initial=0) <= own[kinds >= 0].max(initial=1) <= 1
        for kind, colour in enumerate(COLOURS):
            inner, outer = (np.zeros((SIDE, SIDE), bool) for _ in range(2))
            for box in own[kinds == kind] * SIDE:
                draw(inner, box, margin=-3)
                draw(outer, box, margin=3)
            alike = np.abs(image - colour).max(axis=-1) < 40
            assert alike[inner].all()
            assert not alike[~outer].any()


def draw(mask: Any, box: Any, margin: int) -> None:
    ymin, xmin = np.maximum(np.floor(box[:2] - margin).astype(int), 0)
    ymax, xmax = np.maximum(np.ceil(box[2:] + margin).astype(int), 0)
    mask[ymin:ymax, xmin:xmax] = True


ON_BLACK = Crop(tuple(replace(c, pad=Pad(colour=BLACK)) for c in SSD_CROP_PAD.choices))
STRICT: dict[str, tuple[Step, ...]] = {
    "nothing": (),
    "ssd_random_crop": (SSD_CROP,),
    "flip and ssd_random_crop": (Flip(), SSD_CROP),
    "ssd_random_crop_pad": (ON_BLACK,),
    "ssd_random_crop_fixed_aspect_ratio": (SSD_CROP, CropToAspect(1.0)),
    "ssd_random_crop_pad_fixed_aspect_ratio": (SSD_CROP, PadToAspect(1.0)),
}


@pytest.mark.parametrize("steps", STRICT.values(), ids=STRICT)
def test_what_a_crop_leaves_of_a_box_is_as_large_as_its_pixels(steps: tuple[Step, ...]) -> None:
    images, boxes, labels, _ = follow(*steps, aspect=1.5)
    assert (labels[:, 2] == -1).all()
    assert (labels[:, :2] >= 0).any()
    for image, own, kinds in zip(images, boxes, labels, strict=True):
        for (ymin, xmin, ymax, xmax), kind in zip(own.tolist(), kinds, strict=True):
            if kind >= 0:
                assert 0 <= ymin < ymax <= 1
                assert 0 <= xmin < xmax <= 1
                hits = (np.abs(image - COLOURS[kind]) < 20).all(axis=-1).sum()
                edges = 2 * SIDE * (ymax - ymin + xmax - xmin)
                area = (ymax - ymin) * (xmax - xmin) * SIDE**2
                assert hits == pytest.approx(area, abs=1.5 * edges)


def test_without_steps_a_photo_of_the_networks_size_is_as_it_was() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    images, *_ = follow(count=2, pixels=pixels)
    np.testing.assert_array_equal(images, pixels)


def test_steps_that_do_not_move_pixels_leave_boxes_alone() -> None:
    steps = Grey(1.0), Brightness(0.0), Patches(), Noise(), Hue(), Scale()
    _, boxes, labels, _ = follow(*steps)
    np.testing.assert_array_equal(boxes, [BOXES] * 24)
    np.testing.assert_array_equal(labels, [LABELS] * 24)


def test_steps_come_in_their_order() -> None:
    """A ground that came before a black photo is black, and one that came afterwards is not."""
    green = Pad((2.0, 2.0), (2.0, 2.0), colour=(0.0, 255.0, 0.0))
    dark = Brightness(0.0), Noise(0.0, 0.0)
    before, after = (follow(*steps)[0] for steps in ((green, *dark), (*dark, green)))
    assert before.max() == 0
    assert (after[..., 1] == 255).mean() == pytest.approx(0.75, abs=0.02)
    # A ground of a ground: the first one keeps its colour.
    blue = Pad((2.0, 2.0), (2.0, 2.0), colour=(0.0, 0.0, 255.0))
    images = follow(green, blue)[0]
    shares = [
        (np.abs(images - colour).max(axis=-1) < 5).mean() for colour in (green.colour, blue.colour)
    ]
    np.testing.assert_allclose(shares, [0.75 / 4, 0.75], atol=0.05)


def test_the_mean_of_a_ground_is_that_of_the_photo_that_was_put_on_it() -> None:
    """Whatever part of it a later window shows."""
    window = Crop((CropLimits(0.0, (1.0, 1.0), (0.1, 0.1), overlap=0.0),))
    images = follow(Pad((2.0, 2.0), (2.0, 2.0)), window)[0]
    mean = photos(1).mean(axis=(0, 1, 2))
    known = [*COLOURS.astype(float), GROUND.astype(float), mean]
    nearest = np.stack([np.abs(images - colour).max(axis=-1) for colour in known])
    assert (nearest.min(axis=0) < 3).mean() > 0.9
    assert (nearest[3] < 3).mean() > 0.3


def test_a_graph_shows_what_is_shown_outside_of_one() -> None:
    from boxwright.augment.pipeline import follow as follow_
    from boxwright.backend import framework
    from boxwright.training.config import Pipeline
    from boxwright.training.step_tensorflow import crop

    steps = [
        *STEPS.values(),
        Jitter(),
        SSD_CROP_PAD,
        Hue(),
        Saturation(),
        Grey(),
        Patches(),
        Noise(),
    ]
    dice = np.random.default_rng(0).random((4, Pipeline(tuple(steps)).dice), np.float32)
    batch = photos(4), *labelled(4), sizes(4, 1.5), dice

    def all_of_them(*given: Any) -> Any:
        return follow_(steps, *given, side=SIDE, read=crop)

    compiled = framework.tensorflow().function(all_of_them, autograph=False)
    for one, other in zip(all_of_them(*batch), compiled(*batch), strict=True):
        np.testing.assert_allclose(one, other, atol=0.05)


def test_pixels_are_read_once_unless_a_step_needs_them() -> None:
    from boxwright.augment.pipeline import follow as follow_
    from boxwright.training.config import Pipeline
    from boxwright.training.step_tensorflow import crop

    def reads(*steps: Step) -> list[int]:
        sides: list[int] = []

        def read(pixels: Any, windows: Any, side: int) -> Any:
            sides.append(side)
            return crop(pixels, windows, side)

        dice = np.full((2, Pipeline(steps).dice), 0.3, np.float32)
        follow_(steps, photos(2), *labelled(2), sizes(2), dice, side=SIDE, read=read)
        return sides

    assert reads(Flip(), Turn(), SSD_CROP, Scale()) == [SIDE]
    assert reads(Flip(), SSD_CROP_PAD, Hue(), Patches()) == [SIDE]
    assert reads(SelfConcat(), SSD_CROP) == [SIDE]
    assert reads(Hue(), SSD_CROP) == [SIDE]
    assert reads(Pad(), SSD_CROP, Hue()) == [100, SIDE]


def test_the_same_dice_show_the_same() -> None:
    steps = SSD_CROP, Flip(), Hue(), Noise()
    first, again, another = (follow(*steps, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != another).any()
