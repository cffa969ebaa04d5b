"""`data_augmentation_options`: what each option becomes, and what is said of one that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxwright.augment.transforms import (
    SSD_CHOICES,
    SSD_CROP,
    SSD_CROP_PAD,
    BlackPatches,
    Brightness,
    Contrast,
    Crop,
    CropLimits,
    CropToAspect,
    Gamma,
    Grayscale,
    HorizontalFlip,
    Hue,
    JitterBoxes,
    Pad,
    PadToAspect,
    PixelNoise,
    Rotate90,
    Saturation,
    Scale,
    SelfConcat,
    Transform,
    VerticalFlip,
)
from boxwright.errors import TfodError
from boxwright.tfod.config import parse_config, report
from boxwright.tfod.config.augmentation import OPTIONS
from boxwright.tfod.mapping.transforms import transforms_of
from boxwright.training.config import from_config, to_config

pytestmark = pytest.mark.tiny

HELMET = (Path(__file__).parent / "configs" / "helmet.config").read_text(encoding="utf-8")
SQUARE = "min_aspect_ratio: 1 max_aspect_ratio: 1"
WINDOW = f"{SQUARE} min_area: 0.25 max_area: 0.5"
AREA = "min_area: 0.25 max_area: 0.5"
OF_WINDOW = CropLimits(0.0, (1.0, 1.0), (0.25, 0.5), min_visibility=0.0)
DISTORTED = Brightness(32 / 255), Saturation(0.5, 1.5), Hue(0.2), Contrast(0.5, 1.5)
BLACK = (0.0, 0.0, 0.0)


def shaped(choices: tuple[CropLimits, ...], aspect: float) -> Crop:
    return Crop(tuple(replace(choice, aspect=(aspect, aspect)) for choice in choices))


TABLE: list[tuple[str, tuple[Transform, ...]]] = [
    ("random_horizontal_flip { }", (HorizontalFlip(),)),
    ("random_horizontal_flip { probability: 0.25 }", (HorizontalFlip(0.25),)),
    ("random_vertical_flip { probability: 0.75 }", (VerticalFlip(0.75),)),
    ("random_rotation90 { probability: 0.25 }", (Rotate90(0.25),)),
    ("random_pixel_value_scale { minval: 0.5 }", (PixelNoise(0.5, 1.1),)),
    ("random_image_scale { max_scale_ratio: 3 }", (Scale(0.5, 3.0),)),
    ("random_rgb_to_gray { }", (Grayscale(0.1),)),
    ("random_adjust_brightness { max_delta: 0.5 }", (Brightness(0.5),)),
    ("random_adjust_contrast { min_delta: 0.5 }", (Contrast(0.5, 1.25),)),
    ("random_adjust_hue { }", (Hue(0.02),)),
    ("random_adjust_saturation { max_delta: 2 }", (Saturation(0.8, 2.0),)),
    ("adjust_gamma { gamma: 2 }", (Gamma(2.0, 1.0),)),
    ("random_distort_color { }", DISTORTED),
    ("random_distort_color { color_ordering: 1 }", tuple(DISTORTED[i] for i in (0, 3, 1, 2))),
    ("random_jitter_boxes { }", (JitterBoxes(0.05),)),
    ("random_black_patches { max_black_patches: 3 }", (BlackPatches(3, 0.5, 0.1),)),
    ("random_self_concat_image { concat_vertical_probability: 0.5 }", (SelfConcat(0.5, 0.1),)),
    ("random_crop_image { }", (Crop(),)),
    ("random_crop_image { random_coef: 0.5 clip_boxes: false }",
     (Crop((CropLimits(full_image=0.5, clip_boxes=False),)),)),
    ("random_crop_to_aspect_ratio { aspect_ratio: 2 }", (CropToAspect(2.0),)),
    ("random_crop_pad_image { }", (Crop((CropLimits(pad=Pad()),)),)),
    ("random_crop_pad_image { pad_color: [1, 2, 3] min_padded_size_ratio: [1, 1.5] }",
     (Crop((CropLimits(pad=Pad((1.0, 1.5), color=(1.0, 2.0, 3.0))),)),)),
    ("random_pad_image { }", (Pad(),)),
    ("random_pad_image { min_image_height: 5 min_image_width: 6 pad_color: [1, 2, 3] }",
     (Pad((0.0, 0.0), (2.0, 2.0), (5.0, 6.0), color=(1.0, 2.0, 3.0)),)),
    ("random_pad_image { max_image_height: 5 max_image_width: 6 }",
     (Pad((1.0, 1.0), (0.0, 0.0), max_pixels=(5.0, 6.0)),)),
    ("random_absolute_pad_image { max_height_padding: 20 }",
     (Pad(max_size=(1.0, 1.0), max_pixels=(19.0, 0.0)),)),
    ("ssd_random_crop { }", (SSD_CROP,)),
    (f"ssd_random_crop {{ operations {{ {WINDOW} }} operations {{ {WINDOW} random_coef: 0.5 }} }}",
     (Crop((OF_WINDOW, replace(OF_WINDOW, full_image=0.5))),)),
    ("ssd_random_crop_pad { }", (SSD_CROP_PAD,)),
    (f"ssd_random_crop_pad {{ operations {{ {WINDOW} pad_color_g: 9 }} }}",
     (Crop((replace(OF_WINDOW, pad=Pad(color=(0.0, 9.0, 0.0))),)),)),
    ("ssd_random_crop_fixed_aspect_ratio { aspect_ratio: 0.5 }",
     (shaped(SSD_CHOICES, 0.5), CropToAspect(0.5))),
    (f"ssd_random_crop_fixed_aspect_ratio {{ operations {{ {AREA} clip_boxes: false }} }}",
     (Crop((replace(OF_WINDOW, clip_boxes=False),)), CropToAspect(1.0))),
    ("ssd_random_crop_pad_fixed_aspect_ratio { max_padded_size_ratio: [3, 4] }",
     (SSD_CROP, PadToAspect(1.0, (1.0, 1.0), (3.0, 4.0), BLACK))),
    (f"ssd_random_crop_pad_fixed_aspect_ratio {{ aspect_ratio: 2 operations {{ {WINDOW} }} }}",
     (Crop((OF_WINDOW,)), PadToAspect(2.0))),
]  # fmt: skip


def helmet(option: str) -> str:
    """The helmet detector's config with this option in the place of its second."""
    return HELMET.replace("ssd_random_crop { }", option, 1)


@pytest.mark.parametrize(("option", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_an_option_and_its_transforms(option: str, expected: tuple[Transform, ...]) -> None:
    train = parse_config(helmet(option)).pipeline.train_config
    found = transforms_of(train.data_augmentation_options)
    assert found[0] == HorizontalFlip()
    assert [type(each) for each in found[1:]] == [type(each) for each in expected]
    for own, other in zip(found[1:], expected, strict=True):
        assert numbers(to_config(own)) == numbers(to_config(other))
    assert from_config(to_config(found)) == found  # a run's recipe keeps it


def numbers(value: object) -> object:
    """All numbers as the API has them, in float32."""
    if isinstance(value, dict):
        return {name: numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [numbers(each) for each in value]
    return float(np.float32(value)) if isinstance(value, float) else value


@pytest.mark.parametrize("option", [name for name, kind in OPTIONS.items() if type(kind) is type])
def test_every_option_has_transforms(option: str) -> None:
    train = parse_config(helmet(f"{option} {{ }}")).pipeline.train_config
    assert len(transforms_of(train.data_augmentation_options)) > 1


IMPOSSIBLE = [
    ("ssd_random_crop { operations { min_area: 0.1 max_area: 1 } }", "BW723", "no min_aspect"),
    (f"ssd_random_crop {{ operations {{ {SQUARE} }} }}", "BW723", "no min_area"),
    ("random_crop_image { min_area: 0 }", "BW722", "min_area is 0"),
    ("random_crop_to_aspect_ratio { aspect_ratio: 0 }", "BW722", "aspect_ratio is 0"),
    ("random_jitter_boxes { ratio: 0.6 }", "BW722", "ratio is 0.6"),
    ('random_jitter_boxes { jitter_mode: EXPAND }', "BW724", "box moves independently"),
    ("random_jpeg_quality { }", "BW724", "newer than the zoo's SSD models"),
    ("random_distort_color { color_ordering: 2 }", "BW724", "only the orders 0 and 1 exist"),
    ("random_pad_image { min_image_height: 9 }", "BW723", "but no min_image_width"),
    ("random_pad_image { pad_color: 9 }", "BW722", "pad_color has 1 of 3 values"),
    ("random_crop_pad_image { min_padded_size_ratio: [1, 2, 3] }", "BW722", "3 of 2 values"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "code", "said"), IMPOSSIBLE)
def test_what_cannot_be_carried_out_is_said_with_its_line(
    option: str, code: str, said: str
) -> None:
    line = HELMET[: HELMET.index("ssd_random_crop")].count("\n") + 1
    with pytest.raises(TfodError) as caught:
        assert parse_config(helmet(option)).pipeline
    assert caught.value.code == code
    assert said in caught.value.message
    assert str(caught.value.where).endswith(f":{line}")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("random_image_scale { }", "image_resizer resizes the images"),
        (f"ssd_random_crop_pad_fixed_aspect_ratio {{ operations {{ {WINDOW} "
         "min_padded_size_ratio: [1, 1] } }", "the limits of the option apply"),
    ],
)  # fmt: skip
def test_what_changes_little_is_said(option: str, said: str) -> None:
    config = parse_config(helmet(option))
    assert config.pipeline
    assert any(said in line for line in report(config))
