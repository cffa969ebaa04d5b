"""Augmentation transforms as data; `pipeline.apply` applies them.

An augmentation is a tuple of transforms. The default is `default_transforms()`. The options of the
Object Detection API, whose names are in parentheses below, map to the same transforms.

Each transform takes `draws` random numbers in [0, 1) per image. Sizes and aspect ratios are those
of the image in pixels, before it was stretched to a square. Sizes are height and width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

ATTEMPTS = 100  # to find a crop within its limits; if all fail, the image is unchanged

Rgb = tuple[float, float, float]  # 0 to 255


# ---- Geometry ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CropAroundObject:
    """A crop that holds the center of a random object, or a smaller image on gray.

    A box may be only partly inside the crop. Below `ignore_below` it keeps its label but has no
    weight: it is neither an object nor background. Below `min_visibility` it loses its label.

    Attributes:
        side: smallest and largest side of the crop, as a fraction of the image's; above 1 the crop
            reaches beyond the image.
        max_log_aspect: largest change of the aspect ratio, as a logarithm.
        full_image: probability of the full image instead.
        min_visibility: part of a box that is visible, below which it loses its label.
        ignore_below: part of a box that is visible, below which it has no weight.
    """

    draws: ClassVar[int] = 6
    side: tuple[float, float] = (0.4, 1.3)
    max_log_aspect: float = 0.25
    full_image: float = 0.15
    min_visibility: float = 0.1
    ignore_below: float = 0.4


@dataclass(frozen=True)
class HorizontalFlip:
    """Exchange left and right (`random_horizontal_flip`)."""

    draws: ClassVar[int] = 1
    probability: float = 0.5


@dataclass(frozen=True)
class VerticalFlip:
    """Exchange top and bottom (`random_vertical_flip`)."""

    draws: ClassVar[int] = 1
    probability: float = 0.5


@dataclass(frozen=True)
class Rotate90:
    """A quarter turn to the left (`random_rotation90`)."""

    draws: ClassVar[int] = 1
    probability: float = 0.5


@dataclass(frozen=True)
class Scale:
    """Height and width in pixels times `low` to `high` (`random_image_scale`).

    Every image is resized to the network's input in the end, so this changes only what later
    transforms measure in pixels.
    """

    draws: ClassVar[int] = 1
    low: float = 0.5
    high: float = 2.0


@dataclass(frozen=True)
class Pad:
    """A border around the image, which is at a random position within it (`random_pad_image` and,
    in pixels, `random_absolute_pad_image`). The result is never smaller than the image.

    Attributes:
        min_size, max_size: height and width of the result, in those of the image.
        min_pixels, max_pixels: pixels that are added to these limits.
        color: of the border; None for the image's mean.
    """

    draws: ClassVar[int] = 4
    min_size: tuple[float, float] = (1.0, 1.0)
    max_size: tuple[float, float] = (2.0, 2.0)
    min_pixels: tuple[float, float] = (0.0, 0.0)
    max_pixels: tuple[float, float] = (0.0, 0.0)
    color: Rgb | None = None


@dataclass(frozen=True)
class PadToAspect:
    """A border to the right of the image or below it that gives the result this aspect ratio
    (`ssd_random_crop_pad_fixed_aspect_ratio`).

    Attributes:
        aspect: width over height of the result.
        min_size, max_size: height and width of the result, in those of the image, where `aspect`
            allows them.
        color: of the border.
    """

    draws: ClassVar[int] = 1
    aspect: float = 1.0
    min_size: tuple[float, float] = (1.0, 1.0)
    max_size: tuple[float, float] = (2.0, 2.0)
    color: Rgb = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class CropLimits:
    """Limits of a random crop.

    Attributes:
        min_object_covered: the crop holds at least this part of some object.
        aspect: smallest and largest width over height of the crop.
        area: smallest and largest area of the crop, as a fraction of the image's.
        min_visibility: part of a box that is visible, below which it loses its label.
        clip_boxes: True to clip boxes to the crop.
        full_image: probability of the full image instead.
        pad: border around the crop, measured in the image before it was cropped.
    """

    min_object_covered: float = 1.0
    aspect: tuple[float, float] = (0.75, 1.33)
    area: tuple[float, float] = (0.1, 1.0)
    min_visibility: float = 0.3
    clip_boxes: bool = True
    full_image: float = 0.0
    pad: Pad | None = None


@dataclass(frozen=True)
class Crop:
    """A random crop within one of several limits, each as likely as the others
    (`random_crop_image`, `ssd_random_crop`). Either all have a `pad`, or none
    (`random_crop_pad_image`, `ssd_random_crop_pad`)."""

    draws: ClassVar[int] = 2 + 4 * ATTEMPTS + Pad.draws
    choices: tuple[CropLimits, ...] = field(default=(CropLimits(),))


@dataclass(frozen=True)
class CropToAspect:
    """The largest crop of this width over height, at a random position
    (`random_crop_to_aspect_ratio`). The other attributes are those of `CropLimits`."""

    draws: ClassVar[int] = 1
    aspect: float = 1.0
    min_visibility: float = 0.3
    clip_boxes: bool = True


@dataclass(frozen=True)
class JitterBoxes:
    """Each side of a box moves by at most `ratio` of the box's height or width
    (`random_jitter_boxes`)."""

    draws: ClassVar[int] = 1
    ratio: float = 0.05


@dataclass(frozen=True)
class SelfConcat:
    """The image twice, one below the other, beside the other, or both
    (`random_self_concat_image`). `below` and `beside` are probabilities."""

    draws: ClassVar[int] = 2
    below: float = 0.1
    beside: float = 0.1


# ---- Color ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ColorMix:
    """Contrast, brightness and saturation at once, as one linear map of the three channels.

    Attributes:
        contrast: largest relative change of the distances from the image's mean.
        brightness: largest shift, as a fraction of the range.
        saturation: largest relative change of the distances from gray.
    """

    draws: ClassVar[int] = 3
    contrast: float = 0.25
    brightness: float = 0.15
    saturation: float = 0.3


@dataclass(frozen=True)
class Brightness:
    """A shift by at most `max_shift` of the range (`random_adjust_brightness`)."""

    draws: ClassVar[int] = 1
    max_shift: float = 0.2


@dataclass(frozen=True)
class Contrast:
    """Distances from each channel's mean times `low` to `high` (`random_adjust_contrast`)."""

    draws: ClassVar[int] = 1
    low: float = 0.8
    high: float = 1.25


@dataclass(frozen=True)
class Saturation:
    """HSV's saturation times `low` to `high` (`random_adjust_saturation`)."""

    draws: ClassVar[int] = 1
    low: float = 0.8
    high: float = 1.25


@dataclass(frozen=True)
class Hue:
    """HSV's hue turned by at most `max_shift` of the circle (`random_adjust_hue`)."""

    draws: ClassVar[int] = 1
    max_shift: float = 0.02


@dataclass(frozen=True)
class Gamma:
    """`gain * value ** gamma` of values from 0 to 1 (`adjust_gamma`)."""

    draws: ClassVar[int] = 0
    gamma: float = 1.0
    gain: float = 1.0


@dataclass(frozen=True)
class Grayscale:
    """Gray instead of colors (`random_rgb_to_gray`)."""

    draws: ClassVar[int] = 1
    probability: float = 0.1


@dataclass(frozen=True)
class PixelNoise:
    """Every value of every pixel times its own number from `low` to `high`
    (`random_pixel_value_scale`)."""

    draws: ClassVar[int] = 1
    low: float = 0.9
    high: float = 1.1


@dataclass(frozen=True)
class BlackPatches:
    """Black squares at random positions (`random_black_patches`).

    Attributes:
        max_count: largest number of squares.
        probability: of each square.
        side: of a square, as a fraction of the image's shorter side.
    """

    max_count: int = 10
    probability: float = 0.5
    side: float = 0.1

    @property
    def draws(self) -> int:
        """Presence and position of each square."""
        return 3 * self.max_count


Geometry = (
    CropAroundObject
    | HorizontalFlip
    | VerticalFlip
    | Rotate90
    | Scale
    | Pad
    | PadToAspect
    | Crop
    | CropToAspect
    | JitterBoxes
    | SelfConcat
)
Color = (
    ColorMix
    | Brightness
    | Contrast
    | Saturation
    | Hue
    | Gamma
    | Grayscale
    | PixelNoise
    | BlackPatches
)
Transform = Geometry | Color


def count_draws(transforms: Iterable[Transform]) -> int:
    """Number of random draws of these transforms per image."""
    return sum(transform.draws for transform in transforms)


def default_transforms(
    crop: CropAroundObject = CropAroundObject(),
    *,
    flip: float = HorizontalFlip.probability,
    color: ColorMix = ColorMix(),
) -> tuple[Transform, ...]:
    """Boxwright's own augmentation: a crop, a horizontal flip with a probability, and colors.

    The pixels are sampled once, at the network's input size.
    """
    return crop, HorizontalFlip(flip), color


# The seven choices of `ssd_random_crop` and the six of `ssd_random_crop_pad`, after Liu et al.
# 2016, "SSD: Single Shot MultiBox Detector", section 2.2.
SSD_CHOICES = tuple(
    CropLimits(covered, (0.5, 2.0), (0.1, 1.0), min_visibility=covered, full_image=0.15)
    for covered in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
)
SSD_CROP = Crop(SSD_CHOICES)
SSD_CROP_PAD = Crop(tuple(replace(choice, pad=Pad()) for choice in SSD_CHOICES[1:]))
