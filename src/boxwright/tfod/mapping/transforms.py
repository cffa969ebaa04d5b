"""Convert `data_augmentation_options` to transforms.

Source: the Object Detection API's `preprocessor_builder`, and the defaults of its `preprocessor`
for arguments that the builder does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from boxwright.augment import transforms
from boxwright.augment.transforms import CropLimits, Rgb, Transform
from boxwright.tfod.config import augmentation as options
from boxwright.tfod.config.schema import ConfigMessage

# Transforms of `random_distort_color`, indexed by `color_ordering`.
_BRIGHTNESS, _SATURATION = transforms.Brightness(32 / 255), transforms.Saturation(0.5, 1.5)
_HUE, _CONTRAST = transforms.Hue(0.2), transforms.Contrast(0.5, 1.5)
DISTORTIONS = (
    (_BRIGHTNESS, _SATURATION, _HUE, _CONTRAST),
    (_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE),
)


def transforms_of(given: Sequence[ConfigMessage]) -> tuple[Transform, ...]:
    """Return the transforms of a config's options, in order."""
    return tuple(each for option in given for each in _TRANSFORMS[type(option)](option))


# ---- Crops ---------------------------------------------------------------------------------------


def _ssd_random_crop(option: options.SsdRandomCrop) -> Sequence[Transform]:
    if not option.operations:
        return [transforms.SSD_CROP]
    return [transforms.Crop(tuple(_limits(each) for each in option.operations))]


def _ssd_random_crop_pad(option: options.SsdRandomCropPad) -> Sequence[Transform]:
    if not option.operations:
        return [transforms.SSD_CROP_PAD]
    padded = (
        _padded(each, (each.pad_color_r, each.pad_color_g, each.pad_color_b))
        for each in option.operations
    )
    return [transforms.Crop(tuple(padded))]


def _ssd_random_crop_fixed_aspect_ratio(
    option: options.SsdRandomCropFixedAspectRatio,
) -> Sequence[Transform]:
    aspect = option.aspect_ratio
    choices = tuple(_limits(each) for each in option.operations) or transforms.SSD_CHOICES
    shaped = (replace(each, aspect=(aspect, aspect)) for each in choices)
    return [transforms.Crop(tuple(shaped)), transforms.CropToAspect(aspect)]


def _ssd_random_crop_pad_fixed_aspect_ratio(
    option: options.SsdRandomCropPadFixedAspectRatio,
) -> Sequence[Transform]:
    choices = tuple(_limits(each) for each in option.operations) or transforms.SSD_CHOICES
    pad = transforms.PadToAspect(option.aspect_ratio, *_sizes(option))
    return [transforms.Crop(choices), pad]


def _limits(crop: options.Crop) -> CropLimits:
    limits = CropLimits(
        min_object_covered=crop.min_object_covered,
        area=(crop.min_area, crop.max_area),
        min_visibility=crop.overlap_thresh,
        clip_boxes=crop.clip_boxes,
        full_image=crop.random_coef,
    )
    if isinstance(crop, options.ShapedCrop):
        return replace(limits, aspect=(crop.min_aspect_ratio, crop.max_aspect_ratio))
    return limits  # the option has one aspect ratio for all crops


# ---- Padding -------------------------------------------------------------------------------------


def _random_pad_image(option: options.RandomPadImage) -> Sequence[Transform]:
    """Convert the option. Limits in pixels, if given, replace relative ones."""
    pad = transforms.Pad(color=_color(option.pad_color))
    if option.min_image_height is not None and option.min_image_width is not None:
        smallest = float(option.min_image_height), float(option.min_image_width)
        pad = replace(pad, min_size=(0.0, 0.0), min_pixels=smallest)
    if option.max_image_height is not None and option.max_image_width is not None:
        largest = float(option.max_image_height), float(option.max_image_width)
        pad = replace(pad, max_size=(0.0, 0.0), max_pixels=largest)
    return [pad]


def _random_absolute_pad_image(option: options.RandomAbsolutePadImage) -> Sequence[Transform]:
    """Convert the option. The API draws integers below the limits and treats 0 as 1."""
    height, width = option.max_height_padding, option.max_width_padding
    largest = float(max(height - 1, 0)), float(max(width - 1, 0))
    color = _color(option.pad_color)
    return [transforms.Pad(max_size=(1.0, 1.0), max_pixels=largest, color=color)]


def _padded(crop: options.PaddedCrop | options.RandomCropPadImage, color: Rgb | None) -> CropLimits:
    smallest, largest = _sizes(crop)
    return replace(_limits(crop), pad=transforms.Pad(smallest, largest, color=color))


def _sizes(
    option: options.PaddedCrop
    | options.RandomCropPadImage
    | options.SsdRandomCropPadFixedAspectRatio,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return minimum and maximum padded (height, width) relative to the image."""
    smallest, largest = (
        (limits[0], limits[1]) if limits else default
        for limits, default in (
            (option.min_padded_size_ratio, transforms.Pad.min_size),
            (option.max_padded_size_ratio, transforms.Pad.max_size),
        )
    )
    return smallest, largest


def _color(values: tuple[float, ...]) -> Rgb | None:
    """Return the padding color; None for the image's mean."""
    return (values[0], values[1], values[2]) if values else None


_TRANSFORMS: Mapping[type, Callable[[Any], Sequence[Transform]]] = {
    options.RandomHorizontalFlip: lambda o: [transforms.HorizontalFlip(o.probability)],
    options.RandomVerticalFlip: lambda o: [transforms.VerticalFlip(o.probability)],
    options.RandomRotation90: lambda o: [transforms.Rotate90(o.probability)],
    options.RandomImageScale: lambda o: [transforms.Scale(o.min_scale_ratio, o.max_scale_ratio)],
    options.RandomPixelValueScale: lambda o: [transforms.PixelNoise(o.minval, o.maxval)],
    options.RandomRgbToGray: lambda o: [transforms.Grayscale(o.probability)],
    options.RandomAdjustBrightness: lambda o: [transforms.Brightness(o.max_delta)],
    options.RandomAdjustContrast: lambda o: [transforms.Contrast(o.min_delta, o.max_delta)],
    options.RandomAdjustHue: lambda o: [transforms.Hue(o.max_delta)],
    options.RandomAdjustSaturation: lambda o: [transforms.Saturation(o.min_delta, o.max_delta)],
    options.AdjustGamma: lambda o: [transforms.Gamma(o.gamma, o.gain)],
    options.RandomDistortColor: lambda o: DISTORTIONS[o.color_ordering],
    options.RandomJitterBoxes: lambda o: [transforms.JitterBoxes(o.ratio)],
    options.RandomBlackPatches: lambda o: [
        transforms.BlackPatches(o.max_black_patches, o.probability, o.size_to_image_ratio)
    ],
    options.RandomSelfConcatImage: lambda o: [
        transforms.SelfConcat(o.concat_vertical_probability, o.concat_horizontal_probability)
    ],
    options.RandomCropImage: lambda o: [transforms.Crop((_limits(o),))],
    options.RandomCropPadImage: lambda o: [transforms.Crop((_padded(o, _color(o.pad_color)),))],
    options.RandomCropToAspectRatio: lambda o: [
        transforms.CropToAspect(o.aspect_ratio, o.overlap_thresh, o.clip_boxes)
    ],
    options.RandomPadImage: _random_pad_image,
    options.RandomAbsolutePadImage: _random_absolute_pad_image,
    options.SsdRandomCrop: _ssd_random_crop,
    options.SsdRandomCropPad: _ssd_random_crop_pad,
    options.SsdRandomCropFixedAspectRatio: _ssd_random_crop_fixed_aspect_ratio,
    options.SsdRandomCropPadFixedAspectRatio: _ssd_random_crop_pad_fixed_aspect_ratio,
}
