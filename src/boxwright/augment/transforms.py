"""Steps of the Object Detection API's augmentation, as descriptions; `pipeline` carries them out.

Each takes its `dice`, random numbers in [0, 1), per photo. Sizes and ratios of photos are those of
their pixels, before they were stretched to a square. Sizes come as height and width.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

ATTEMPTS = 100  # to find a window within its limits, or the photo stays whole

Rgb = tuple[float, float, float]  # 0 to 255


@dataclass(frozen=True)
class Flip:
    """Left and right change places, or top and bottom (`random_*_flip`)."""

    dice: ClassVar[int] = 1
    probability: float = 0.5
    vertical: bool = False


@dataclass(frozen=True)
class Turn:
    """A quarter turn to the left (`random_rotation90`)."""

    dice: ClassVar[int] = 1
    probability: float = 0.5


@dataclass(frozen=True)
class Scale:
    """Height and width in pixels times `low` to `high` (`random_image_scale`): only steps that are
    measured in pixels notice, for every photo gets the network's size in the end."""

    dice: ClassVar[int] = 1
    low: float = 0.5
    high: float = 2.0


@dataclass(frozen=True)
class Pad:
    """The photo on a larger ground, at a random place (`random_pad_image` and, in pixels,
    `random_absolute_pad_image`).

    Attributes:
        least, most: height and width of the ground, in those of the photo.
        least_pixels, most_pixels: more of them; the ground is never smaller than the photo.
        colour: of the ground; None for the photo's mean.
    """

    dice: ClassVar[int] = 4
    least: tuple[float, float] = (1.0, 1.0)
    most: tuple[float, float] = (2.0, 2.0)
    least_pixels: tuple[float, float] = (0.0, 0.0)
    most_pixels: tuple[float, float] = (0.0, 0.0)
    colour: Rgb | None = None


@dataclass(frozen=True)
class PadToAspect:
    """A ground of this width over height, right of the photo or below it, that is `least` to
    `most` times as high and wide as the photo where the aspect allows
    (`ssd_random_crop_pad_fixed_aspect_ratio`)."""

    dice: ClassVar[int] = 1
    aspect: float = 1.0
    least: tuple[float, float] = (1.0, 1.0)
    most: tuple[float, float] = (2.0, 2.0)
    colour: Rgb = (0.0, 0.0, 0.0)


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
        pad: the ground it comes on afterwards, measured in the photo before it was cropped.
    """

    covered: float = 1.0
    aspect: tuple[float, float] = (0.75, 1.33)
    area: tuple[float, float] = (0.1, 1.0)
    overlap: float = 0.3
    clip: bool = True
    whole: float = 0.0
    pad: Pad | None = None


@dataclass(frozen=True)
class Crop:
    """A window within the limits of one of several choices (`random_crop_image`,
    `ssd_random_crop`); all of them have a `pad` or none (`random_crop_pad_image`,
    `ssd_random_crop_pad`)."""

    dice: ClassVar[int] = 2 + 4 * ATTEMPTS + Pad.dice
    choices: tuple[CropLimits, ...] = field(default=(CropLimits(),))


@dataclass(frozen=True)
class CropToAspect:
    """The largest window of this width over height (`random_crop_to_aspect_ratio`)."""

    dice: ClassVar[int] = 1
    aspect: float = 1.0
    overlap: float = 0.3
    clip: bool = True


@dataclass(frozen=True)
class Jitter:
    """Each side of a box moves by at most `ratio` of its height or width
    (`random_jitter_boxes`)."""

    dice: ClassVar[int] = 1
    ratio: float = 0.05


@dataclass(frozen=True)
class SelfConcat:
    """The photo twice, one below the other, beside the other, or both
    (`random_self_concat_image`)."""

    dice: ClassVar[int] = 2
    below: float = 0.1
    beside: float = 0.1


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


@dataclass(frozen=True)
class Noise:
    """Every value of every pixel times `low` to `high`, each on its own
    (`random_pixel_value_scale`)."""

    dice: ClassVar[int] = 1
    low: float = 0.9
    high: float = 1.1


@dataclass(frozen=True)
class Patches:
    """`most` times perhaps a black square (`random_black_patches`).

    Attributes:
        most: how many squares there are at most.
        probability: of each.
        side: of each, in the shorter one of the photo.
    """

    most: int = 10
    probability: float = 0.5
    side: float = 0.1

    @property
    def dice(self) -> int:
        """For each whether it is there, and its place."""
        return 3 * self.most


Geometry = Flip | Turn | Scale | Pad | PadToAspect | Crop | CropToAspect | Jitter | SelfConcat
Colour = Brightness | Contrast | Saturation | Hue | Grey | Noise | Patches
Step = Geometry | Colour

# The seven choices of `ssd_random_crop` and the six of `ssd_random_crop_pad`, after Liu et al.
# 2016, "SSD: Single Shot MultiBox Detector", section 2.2.
SSD_CHOICES = tuple(
    CropLimits(covered, (0.5, 2.0), (0.1, 1.0), overlap=covered, whole=0.15)
    for covered in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
)
SSD_CROP = Crop(SSD_CHOICES)
SSD_CROP_PAD = Crop(tuple(replace(choice, pad=Pad()) for choice in SSD_CHOICES[1:]))
