"""Steps of the Object Detection API's augmentation, as descriptions; `pipeline` carries them out.

Each takes its `dice`, random numbers in [0, 1), per photo. Sizes and ratios of photos are those of
their pixels, before they were stretched to a square.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

ATTEMPTS = 100  # to find a window within its limits, or the photo stays whole


@dataclass(frozen=True)
class Flip:
    """Left and right change places, or top and bottom (`random_*_flip`)."""

    dice: ClassVar[int] = 1
    probability: float = 0.5
    vertical: bool = False


@dataclass(frozen=True)
class CropLimits:
    """What a random window has to be like.

    Attributes:
        covered: it holds at least this part of some object.
        aspect: smallest and largest width over height.
        area: smallest and largest part of the photo.
        overlap: a box stays if at least this part of it lies within.
        clip: whether boxes end where the window does.
        whole: probability of the whole photo instead.
    """

    covered: float = 1.0
    aspect: tuple[float, float] = (0.75, 1.33)
    area: tuple[float, float] = (0.1, 1.0)
    overlap: float = 0.3
    clip: bool = True
    whole: float = 0.0


@dataclass(frozen=True)
class Pad:
    """The photo on a larger ground, at a random place (`random_pad_image`).

    Attributes:
        least, most: height and width of the ground, in those of the photo.
        colour: of the ground, 0 to 255; None for the photo's mean.
    """

    dice: ClassVar[int] = 4
    least: tuple[float, float] = (1.0, 1.0)
    most: tuple[float, float] = (2.0, 2.0)
    colour: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Crop:
    """A window within the limits of one of several choices (`random_crop_image`,
    `ssd_random_crop`); with `pad`, then on a ground measured in the photo before it was cropped
    (`random_crop_pad_image`, `ssd_random_crop_pad`)."""

    dice: ClassVar[int] = 2 + 4 * ATTEMPTS + Pad.dice
    choices: tuple[CropLimits, ...] = field(default=(CropLimits(),))
    pad: Pad | None = None


@dataclass(frozen=True)
class CropToAspect:
    """The largest window of this width over height (`random_crop_to_aspect_ratio`)."""

    dice: ClassVar[int] = 1
    aspect: float = 1.0
    overlap: float = 0.3
    clip: bool = True


@dataclass(frozen=True)
class Brightness:
    """A shift by at most `most` of the range (`random_adjust_brightness`)."""

    dice: ClassVar[int] = 1
    most: float = 0.2


@dataclass(frozen=True)
class Contrast:
    """Distances from each channel's mean times `low` to `high` (`random_adjust_contrast`)."""

    dice: ClassVar[int] = 1
    low: float = 0.8
    high: float = 1.25


@dataclass(frozen=True)
class Saturation:
    """HSV's saturation times `low` to `high` (`random_adjust_saturation`)."""

    dice: ClassVar[int] = 1
    low: float = 0.8
    high: float = 1.25


@dataclass(frozen=True)
class Hue:
    """A turn of HSV's hue by at most `most` of the circle (`random_adjust_hue`)."""

    dice: ClassVar[int] = 1
    most: float = 0.02


@dataclass(frozen=True)
class Grey:
    """No colours (`random_rgb_to_gray`)."""

    dice: ClassVar[int] = 1
    probability: float = 0.1


Geometry = Flip | Crop | CropToAspect | Pad
Colour = Brightness | Contrast | Saturation | Hue | Grey
Step = Geometry | Colour

# The seven choices of `ssd_random_crop` and the six of `ssd_random_crop_pad`, after Liu et al.
# 2016, "SSD: Single Shot MultiBox Detector", section 2.2.
SSD_CHOICES = tuple(
    CropLimits(covered, (0.5, 2.0), (0.1, 1.0), overlap=covered, whole=0.15)
    for covered in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
)
SSD_CROP = Crop(SSD_CHOICES)
SSD_CROP_PAD = Crop(SSD_CHOICES[1:], Pad())
