"""`data_augmentation_options { ... }`: the augmentation options and their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from boxwright.tfod.config.schema import (
    ConfigMessage,
    Count,
    Fraction,
    Instead,
    Positive,
    Range,
    given_with,
    only,
    several,
    supported,
    unused,
)

NO_KEYPOINTS = "keypoints are not supported"
SCALED_ALREADY = "the network scales the pixels itself, in training and in inference"
RESIZED_ALREADY = "image_resizer resizes the images"
LATER = "it is newer than the zoo's SSD models"
IN_THE_RECORDS = "a class is changed or left out where the records are written"
SCALED_CROP = "ssd_random_crop_pad_fixed_aspect_ratio { }"
OF_THE_OPTION = "the limits of the option apply, outside its operations"

# TensorFlow's sample_distorted_bounding_box rejects zeros, the defaults of an operation's limits.
Aspect = Annotated[float, Range(0.001)]
Share = Annotated[float, Range(0.000001, 1.0)]
Channel = Annotated[float, Range(0.0, 255.0)]
JitterMode = Literal[
    "DEFAULT",
    "EXPAND",
    "SHRINK",
    "EXPAND_SYMMETRIC",
    "SHRINK_SYMMETRIC",
    "EXPAND_SYMMETRIC_XY",
    "SHRINK_SYMMETRIC_XY",
]


@dataclass(frozen=True, kw_only=True)
class RandomHorizontalFlip(ConfigMessage):
    probability: Fraction = 0.5
    keypoint_flip_permutation: tuple[int, ...] = unused((), NO_KEYPOINTS)


@dataclass(frozen=True, kw_only=True)
class RandomVerticalFlip(ConfigMessage):
    probability: Fraction = 0.5
    keypoint_flip_permutation: tuple[int, ...] = unused((), NO_KEYPOINTS)


@dataclass(frozen=True, kw_only=True)
class RandomRotation90(ConfigMessage):
    """Rotate by 90 degrees counterclockwise."""

    probability: Fraction = 0.5
    keypoint_rot_permutation: tuple[int, ...] = unused((), NO_KEYPOINTS)


@dataclass(frozen=True, kw_only=True)
class RandomPixelValueScale(ConfigMessage):
    minval: Positive = 0.9
    maxval: Positive = 1.1


@dataclass(frozen=True, kw_only=True)
class RandomImageScale(ConfigMessage):
    remark: ClassVar[str] = (
        "affects only later options with limits in pixels, because image_resizer resizes the images"
    )
    min_scale_ratio: Positive = 0.5
    max_scale_ratio: Positive = 2.0


@dataclass(frozen=True, kw_only=True)
class RandomRgbToGray(ConfigMessage):
    probability: Fraction = 0.1


@dataclass(frozen=True, kw_only=True)
class RandomAdjustBrightness(ConfigMessage):
    max_delta: Positive = 0.2


@dataclass(frozen=True, kw_only=True)
class RandomAdjustContrast(ConfigMessage):
    min_delta: Positive = 0.8
    max_delta: Positive = 1.25


@dataclass(frozen=True, kw_only=True)
class RandomAdjustHue(ConfigMessage):
    max_delta: Positive = 0.02


@dataclass(frozen=True, kw_only=True)
class RandomAdjustSaturation(ConfigMessage):
    min_delta: Positive = 0.8
    max_delta: Positive = 1.25


@dataclass(frozen=True, kw_only=True)
class AdjustGamma(ConfigMessage):
    gamma: Positive = 1.0
    gain: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class RandomDistortColor(ConfigMessage):
    """Brightness, contrast, saturation and hue, in one of two orders."""

    color_ordering: Count = supported(0, 1, default=0, because="only the orders 0 and 1 exist")


@dataclass(frozen=True, kw_only=True)
class RandomJitterBoxes(ConfigMessage):
    ratio: Annotated[float, Range(0.0, 0.5)] = 0.05
    jitter_mode: JitterMode = only(
        "DEFAULT", because="each side of a box moves independently, inward or outward"
    )


@dataclass(frozen=True, kw_only=True)
class Crop(ConfigMessage):
    """A random crop that covers part of some object, with limits of its area.

    Attributes:
        min_object_covered: minimum covered fraction of an object.
        min_area, max_area: area as a fraction of the image.
        overlap_thresh: minimum visible fraction of a box; other boxes are dropped.
        clip_boxes: True to clip boxes to the crop.
        random_coef: probability of keeping the full image instead.
    """

    min_object_covered: Fraction = 0.0
    min_area: Share
    max_area: Share
    overlap_thresh: Fraction = 0.0
    clip_boxes: bool = True
    random_coef: Fraction = 0.0


@dataclass(frozen=True, kw_only=True)
class ShapedCrop(Crop):
    """A random crop with limits of its aspect ratio, too."""

    min_aspect_ratio: Aspect
    max_aspect_ratio: Aspect


@dataclass(frozen=True, kw_only=True)
class PaddedCrop(ShapedCrop):
    """A random crop, then padding.

    Attributes:
        min_padded_size_ratio, max_padded_size_ratio: limits of the padded height and width.
        pad_color_r, pad_color_g, pad_color_b: color of the padding.
    """

    min_padded_size_ratio: tuple[Positive, ...] = several(2)
    max_padded_size_ratio: tuple[Positive, ...] = several(2)
    pad_color_r: Channel = 0.0
    pad_color_g: Channel = 0.0
    pad_color_b: Channel = 0.0


@dataclass(frozen=True, kw_only=True)
class SsdRandomCrop(ConfigMessage):
    """One of several crops. Without `operations`, the seven of the SSD paper."""

    operations: tuple[ShapedCrop, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SsdRandomCropPad(ConfigMessage):
    operations: tuple[PaddedCrop, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SsdRandomCropFixedAspectRatio(ConfigMessage):
    operations: tuple[Crop, ...] = ()
    aspect_ratio: Aspect = 1.0


@dataclass(frozen=True, kw_only=True)
class CropPaddedToAspect(ShapedCrop):
    """A random crop, then padding with the limits of the option."""

    min_padded_size_ratio: tuple[Positive, ...] = unused((), OF_THE_OPTION)
    max_padded_size_ratio: tuple[Positive, ...] = unused((), OF_THE_OPTION)


@dataclass(frozen=True, kw_only=True)
class SsdRandomCropPadFixedAspectRatio(ConfigMessage):
    operations: tuple[CropPaddedToAspect, ...] = ()
    aspect_ratio: Aspect = 1.0
    min_padded_size_ratio: tuple[Positive, ...] = several(2)
    max_padded_size_ratio: tuple[Positive, ...] = several(2)


@dataclass(frozen=True, kw_only=True)
class RandomCropImage(ShapedCrop):
    min_object_covered: Fraction = 1.0
    min_aspect_ratio: Aspect = 0.75
    max_aspect_ratio: Aspect = 1.33
    min_area: Share = 0.1
    max_area: Share = 1.0
    overlap_thresh: Fraction = 0.3


@dataclass(frozen=True, kw_only=True)
class RandomCropPadImage(RandomCropImage):
    min_padded_size_ratio: tuple[Positive, ...] = several(2)
    max_padded_size_ratio: tuple[Positive, ...] = several(2)
    pad_color: tuple[Channel, ...] = several(3)


@dataclass(frozen=True, kw_only=True)
class RandomPadImage(ConfigMessage):
    """Padding. Without limits, up to twice the image's height and width."""

    min_image_height: Count | None = given_with("min_image_width")
    min_image_width: Count | None = given_with("min_image_height")
    max_image_height: Count | None = given_with("max_image_width")
    max_image_width: Count | None = given_with("max_image_height")
    pad_color: tuple[Channel, ...] = several(3)


@dataclass(frozen=True, kw_only=True)
class RandomAbsolutePadImage(ConfigMessage):
    max_height_padding: Count = 0
    max_width_padding: Count = 0
    pad_color: tuple[Channel, ...] = several(3)


@dataclass(frozen=True, kw_only=True)
class RandomCropToAspectRatio(ConfigMessage):
    aspect_ratio: Aspect = 1.0
    overlap_thresh: Fraction = 0.3
    clip_boxes: bool = True


@dataclass(frozen=True, kw_only=True)
class RandomBlackPatches(ConfigMessage):
    max_black_patches: Count = 10
    probability: Fraction = 0.5
    size_to_image_ratio: Fraction = 0.1


@dataclass(frozen=True, kw_only=True)
class RandomSelfConcatImage(ConfigMessage):
    concat_vertical_probability: Fraction = 0.1
    concat_horizontal_probability: Fraction = 0.1


OPTIONS: dict[str, Any] = {  # message class, or the reason why it is not supported
    "random_horizontal_flip": RandomHorizontalFlip,
    "random_vertical_flip": RandomVerticalFlip,
    "random_rotation90": RandomRotation90,
    "random_pixel_value_scale": RandomPixelValueScale,
    "random_image_scale": RandomImageScale,
    "random_rgb_to_gray": RandomRgbToGray,
    "random_adjust_brightness": RandomAdjustBrightness,
    "random_adjust_contrast": RandomAdjustContrast,
    "random_adjust_hue": RandomAdjustHue,
    "random_adjust_saturation": RandomAdjustSaturation,
    "adjust_gamma": AdjustGamma,
    "random_distort_color": RandomDistortColor,
    "random_jitter_boxes": RandomJitterBoxes,
    "random_crop_image": RandomCropImage,
    "random_pad_image": RandomPadImage,
    "random_absolute_pad_image": RandomAbsolutePadImage,
    "random_crop_pad_image": RandomCropPadImage,
    "random_crop_to_aspect_ratio": RandomCropToAspectRatio,
    "random_black_patches": RandomBlackPatches,
    "random_self_concat_image": RandomSelfConcatImage,
    "ssd_random_crop": SsdRandomCrop,
    "ssd_random_crop_pad": SsdRandomCropPad,
    "ssd_random_crop_fixed_aspect_ratio": SsdRandomCropFixedAspectRatio,
    "ssd_random_crop_pad_fixed_aspect_ratio": SsdRandomCropPadFixedAspectRatio,
    "normalize_image": Instead(SCALED_ALREADY),
    "subtract_channel_mean": Instead(SCALED_ALREADY),
    "resize_image": Instead(RESIZED_ALREADY),
    "random_resize_method": Instead(RESIZED_ALREADY),
    "rgb_to_gray": Instead(
        "the network has three input channels; random_rgb_to_gray keeps them",
        "random_rgb_to_gray { probability: 1.0 }",
    ),
    "scale_boxes_to_pixel_coordinates": Instead("boxes are normalized coordinates"),
    "convert_class_logits_to_softmax": Instead("labels have no confidences"),
    "autoaugment_image": Instead(LATER, "random_distort_color { }"),
    "drop_label_probabilistically": Instead(IN_THE_RECORDS),
    "remap_labels": Instead(IN_THE_RECORDS),
    "random_jpeg_quality": Instead(LATER, "random_pixel_value_scale { }"),
    "random_downscale_to_target_pixels": Instead(
        LATER, "random_image_scale { min_scale_ratio: 0.5 max_scale_ratio: 1.0 }"
    ),
    "random_patch_gaussian": Instead(LATER, "random_black_patches { }"),
    "random_square_crop_by_scale": Instead(LATER, SCALED_CROP),
    "random_scale_crop_and_pad_to_square": Instead(LATER, SCALED_CROP),
}
