"""`data_augmentation_options` as the steps of the one trainer's augmentation.

Source: the Object Detection API's `preprocessor_builder`, and the defaults of its `preprocessor`
where it passes nothing on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from boxwright.augment import transforms
from boxwright.augment.transforms import CropLimits, Rgb, Step
from boxwright.tfod.config import augmentation as options
from boxwright.tfod.config.schema import ConfigMessage
from boxwright.training.config import Pipeline

# `random_distort_color` by its `color_ordering`.
_BRIGHTNESS, _SATURATION = transforms.Brightness(32 / 255), transforms.Saturation(0.5, 1.5)
_HUE, _CONTRAST = transforms.Hue(0.2), transforms.Contrast(0.5, 1.5)
DISTORTIONS = (
    (_BRIGHTNESS, _SATURATION, _HUE, _CONTRAST),
    (_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE),
)


def pipeline_of(given: Sequence[ConfigMessage]) -> Pipeline:
    """The steps of a config's options, in their order."""
    return Pipeline(tuple(step for option in given for step in _steps(option)))


def _steps(option: ConfigMessage) -> Sequence[Step]:
    match option:
        case options.RandomHorizontalFlip():
            return [transforms.Flip(option.probability)]
        case options.RandomVerticalFlip():
            return [transforms.Flip(option.probability, vertical=True)]
        case options.RandomRotation90():
            return [transforms.Turn(option.probability)]
        case options.RandomImageScale():
            return [transforms.Scale(option.min_scale_ratio, option.max_scale_ratio)]
        case options.RandomPixelValueScale():
            return [transforms.Noise(option.minval, option.maxval)]
        case options.RandomRgbToGray():
            return [transforms.Grey(option.probability)]
        case options.RandomAdjustBrightness():
            return [transforms.Brightness(option.max_delta)]
        case options.RandomAdjustContrast():
            return [transforms.Contrast(option.min_delta, option.max_delta)]
        case options.RandomAdjustHue():
            return [transforms.Hue(option.max_delta)]
        case options.RandomAdjustSaturation():
            return [transforms.Saturation(option.min_delta, option.max_delta)]
        case options.RandomDistortColor():
            return DISTORTIONS[option.color_ordering]
        case options.RandomJitterBoxes():
            return [transforms.Jitter(option.ratio)]
        case options.RandomBlackPatches():
            patches = option.max_black_patches, option.probability, option.size_to_image_ratio
            return [transforms.Patches(*patches)]
        case options.RandomSelfConcatImage():
            below, beside = option.concat_vertical_probability, option.concat_horizontal_probability
            return [transforms.SelfConcat(below, beside)]
        case _:
            return _windows(option)


def _windows(option: ConfigMessage) -> Sequence[Step]:
    """Options that crop or pad."""
    match option:
        case options.RandomCropPadImage():
            return [transforms.Crop((_padded(option, _colour(option.pad_color)),))]
        case options.RandomCropImage():
            return [transforms.Crop((_limits(option),))]
        case options.RandomCropToAspectRatio():
            crop = option.aspect_ratio, option.overlap_thresh, option.clip_boxes
            return [transforms.CropToAspect(*crop)]
        case options.RandomPadImage():
            return [_pad_in_pixels(option)]
        case options.RandomAbsolutePadImage():
            # The API draws whole numbers below the limits, of which 0 counts as 1.
            height, width = option.max_height_padding, option.max_width_padding
            most = float(max(height - 1, 0)), float(max(width - 1, 0))
            colour = _colour(option.pad_color)
            return [transforms.Pad(most=(1.0, 1.0), most_pixels=most, colour=colour)]
        case options.SsdRandomCrop(operations=()):
            return [transforms.SSD_CROP]
        case options.SsdRandomCrop():
            return [transforms.Crop(tuple(_limits(each) for each in option.operations))]
        case options.SsdRandomCropPad(operations=()):
            return [transforms.SSD_CROP_PAD]
        case options.SsdRandomCropPad():
            padded = (
                _padded(each, (each.pad_color_r, each.pad_color_g, each.pad_color_b))
                for each in option.operations
            )
            return [transforms.Crop(tuple(padded))]
        case options.SsdRandomCropFixedAspectRatio():
            ratio = option.aspect_ratio
            choices = tuple(_limits(each) for each in option.operations) or transforms.SSD_CHOICES
            shaped = (replace(each, aspect=(ratio, ratio)) for each in choices)
            return [transforms.Crop(tuple(shaped)), transforms.CropToAspect(ratio)]
        case options.SsdRandomCropPadFixedAspectRatio():
            choices = tuple(_limits(each) for each in option.operations) or transforms.SSD_CHOICES
            return [
                transforms.Crop(choices),
                transforms.PadToAspect(option.aspect_ratio, *_ratios(option)),
            ]
    raise NotImplementedError(type(option).__name__)


def _limits(window: options.Crop) -> CropLimits:
    limits = CropLimits(
        covered=window.min_object_covered,
        area=(window.min_area, window.max_area),
        overlap=window.overlap_thresh,
        clip=window.clip_boxes,
        whole=window.random_coef,
    )
    if isinstance(window, options.ShapedCrop):
        return replace(limits, aspect=(window.min_aspect_ratio, window.max_aspect_ratio))
    return limits  # for an option with an aspect of its own


def _padded(
    window: options.PaddedCrop | options.RandomCropPadImage, colour: Rgb | None
) -> CropLimits:
    least, most = _ratios(window)
    return replace(_limits(window), pad=transforms.Pad(least, most, colour=colour))


def _ratios(
    option: options.PaddedCrop
    | options.RandomCropPadImage
    | options.SsdRandomCropPadFixedAspectRatio,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Smallest and largest height and width of the ground, in those of the photo."""
    least, most = (
        (limits[0], limits[1]) if limits else default
        for limits, default in (
            (option.min_padded_size_ratio, transforms.Pad.least),
            (option.max_padded_size_ratio, transforms.Pad.most),
        )
    )
    return least, most


def _pad_in_pixels(option: options.RandomPadImage) -> transforms.Pad:
    """Its limits, where they are given, take the place of those in heights and widths."""
    pad = transforms.Pad(colour=_colour(option.pad_color))
    if option.min_image_height is not None and option.min_image_width is not None:
        least = float(option.min_image_height), float(option.min_image_width)
        pad = replace(pad, least=(0.0, 0.0), least_pixels=least)
    if option.max_image_height is not None and option.max_image_width is not None:
        most = float(option.max_image_height), float(option.max_image_width)
        pad = replace(pad, most=(0.0, 0.0), most_pixels=most)
    return pad


def _colour(values: tuple[float, ...]) -> Rgb | None:
    """Of a ground; None for the photo's mean."""
    return (values[0], values[1], values[2]) if values else None
