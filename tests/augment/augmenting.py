"""Images whose objects are told by their colors, and the augmentation of a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.augment.transforms import (
    SSD_CROP,
    SSD_CROP_PAD,
    BlackPatches,
    Brightness,
    ColorMix,
    Contrast,
    Crop,
    CropAroundObject,
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
    count_draws,
)

SIDE = 64
BOXES = np.float32([[0.1, 0.2, 0.5, 0.6], [0.55, 0.5, 0.95, 0.9], [0.0, 0.0, 0.0, 0.0]])
LABELS = np.int32([0, 1, -1])
COLORS = np.uint8([[200, 40, 60], [30, 90, 220]])
PADDING = np.uint8([90, 100, 110])
HEIGHT = 100.0  # of an image, pixels
BLACK = (0.0, 0.0, 0.0)

# Crops that leave a label to whatever is visible.
LOOSE = CropLimits(0.1, (0.5, 2.0), (0.3, 0.9), min_visibility=0.0)
LOOSE_PADDED = CropLimits(0.0, min_visibility=0.0, pad=Pad(color=(1.0, 2.0, 3.0)))
# Of each kind some that keep the colors of objects, and their boxes on them.
CONSISTENT: dict[str, Transform] = {
    "crop around an object": CropAroundObject(min_visibility=0.0, ignore_below=0.0),
    "flip": HorizontalFlip(),
    "flip upside down": VerticalFlip(),
    "rotate": Rotate90(),
    "scale": Scale(),
    "crop": Crop((LOOSE,)),
    "crop and pad": Crop((LOOSE, LOOSE_PADDED)),
    "crop to an aspect": CropToAspect(0.8, min_visibility=0.0),
    "pad": Pad(color=BLACK),
    "pad by pixels": Pad(max_size=(1.0, 1.0), max_pixels=(30.0, 90.0), color=BLACK),
    "pad to an aspect": PadToAspect(1.3),
    "concat": SelfConcat(0.5, 0.5),
    "contrast": Contrast(0.95, 1.05),  # of which four still leave a color what it is
    "mix": ColorMix(0.01, 0.005, 0.02),
}
EVERY_KIND: dict[str, Transform] = {
    **CONSISTENT,
    "default crop": CropAroundObject(),
    "ssd crop": SSD_CROP,
    "ssd crop and pad": SSD_CROP_PAD,
    "jitter": JitterBoxes(),
    "brightness": Brightness(),
    "saturation": Saturation(),
    "hue": Hue(0.2),
    "gamma": Gamma(1.5),
    "gray": Grayscale(0.5),
    "noise": PixelNoise(),
    "patches": BlackPatches(),
}


def colored_images(count: int) -> NDArray[np.uint8]:
    """Grounds with a rectangle of its own color in each box."""
    pixels = np.full((count, 100, 100, 3), PADDING)
    for box, color in zip(np.round(BOXES[:2] * 100).astype(int), COLORS, strict=True):
        pixels[:, box[0] : box[2], box[1] : box[3]] = color
    return pixels


def augmented(
    *transforms: Transform,
    count: int = 24,
    aspect: float = 1.0,
    seed: int = 0,
    side: int = SIDE,
    pixels: Any = None,
) -> tuple[Any, ...]:
    """Images, boxes, labels and weights of `count` copies of one image."""
    from boxwright.augment import pipeline
    from boxwright.training.step_tensorflow import crop

    found = pipeline.apply(
        transforms, colored_images(count) if pixels is None else pixels, *objects(count),
        sizes(count, aspect), random_draws(transforms, count, seed), side=side,
        crop_and_resize=crop,
    )  # fmt: skip
    return tuple(np.asarray(part) for part in found)


def random_draws(transforms: Sequence[Transform], count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((count, count_draws(transforms)), np.float32)


def objects(count: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    return np.stack([BOXES] * count), np.stack([LABELS] * count)


def sizes(count: int, aspect: float = 1.0) -> NDArray[np.float32]:
    return np.float32([[HEIGHT, HEIGHT * aspect]] * count)
