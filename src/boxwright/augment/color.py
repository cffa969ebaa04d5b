"""Transforms that change pixels in place: colors, noise, black squares.

Source: the Object Detection API's `preprocessor`, and TensorFlow's `adjust_*` that it uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from boxwright.augment import transforms
from boxwright.augment.rng import spread, uniform
from boxwright.backend import framework

ops: Any = framework.keras().ops

LUMA = (0.2989, 0.587, 0.114)


def apply_color(images: Any, transform: transforms.Color, draws: Any, sizes: Any) -> Any:
    """`(B, S, S, 3)` images in [0, 255] after a transform.

    Args:
        images: `(B, S, S, 3)` float32 in [0, 255].
        transform: which, and its limits.
        draws: `(B, transform.draws)` random numbers in [0, 1).
        sizes: `(B, 2)` heights and widths in pixels before the images were squares.
    """
    draw = draws[:, :1, None, None]  # most transforms have only this one
    match transform:
        case transforms.ColorMix():
            changed = _mixed(images, transform, draws)
        case transforms.Brightness(limit):
            changed = images + 255.0 * uniform(-limit, limit, draw)
        case transforms.Contrast(low, high):
            mean = ops.mean(images, axis=(1, 2), keepdims=True)
            changed = mean + (images - mean) * uniform(low, high, draw)
        case transforms.Gamma(gamma, gain):
            changed = 255.0 * gain * (images / 255.0) ** gamma
        case transforms.Grayscale(probability):
            gray = ops.sum(images * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
            changed = ops.where(draw < probability, gray, images)
        case transforms.Saturation(low, high):
            changed = _saturated(images, uniform(low, high, draw))
        case transforms.Hue(limit):
            changed = _hue_shifted(images, uniform(-limit, limit, draw))
        case transforms.PixelNoise(low, high):
            shape = ops.shape(images)
            noise = ops.reshape(spread(draws, shape[1] * shape[2] * 3), shape)
            changed = images * uniform(low, high, noise)
        case transforms.BlackPatches():
            patches = _patches(transform, draws, sizes, images.shape[1])
            changed = images * (1.0 - patches[..., None])
    return ops.clip(changed, 0.0, 255.0)


def _mixed(images: Any, transform: transforms.ColorMix, draws: Any) -> Any:
    """Contrast, brightness and saturation as one matrix product; channel by channel, all
    pixels would be read six times."""
    limits = transform.contrast, transform.brightness, transform.saturation
    contrast, brightness, saturation = (
        (2.0 * draws[:, i] - 1.0) * limit for i, limit in enumerate(limits)
    )
    own = (1.0 + contrast) * (1.0 + saturation)
    gray = (1.0 + contrast) * saturation / 3.0
    mix = own[:, None, None] * np.eye(3, dtype=np.float32) - gray[:, None, None]
    mean = ops.mean(images, axis=(1, 2, 3))
    shift = 255.0 * brightness - contrast * mean
    mixed = ops.matmul(ops.reshape(images, (images.shape[0], -1, 3)), mix)
    return ops.reshape(mixed + shift[:, None, None], images.shape)


def _saturated(images: Any, factor: Any) -> Any:
    """HSV's saturation, (highest - lowest) / highest of the channels, times `factor` and at most 1.
    The other channels keep their distances from the highest in proportion."""
    red, green, blue = ops.unstack(images, axis=-1)
    highest = ops.maximum(ops.maximum(red, green), blue)[..., None]
    lowest = ops.minimum(ops.minimum(red, green), blue)[..., None]
    factor = ops.minimum(factor, highest / ops.maximum(highest - lowest, 1e-6))
    return highest - (highest - images) * factor


def _hue_shifted(images: Any, shift: Any) -> Any:
    """HSV's hue, an angle, turned by a part of the circle; highest and lowest channel keep their
    values."""
    red, green, blue = ops.unstack(images, axis=-1)
    highest = ops.maximum(ops.maximum(red, green), blue)
    lowest = ops.minimum(ops.minimum(red, green), blue)
    range_ = highest - lowest
    part = 1.0 / ops.maximum(range_, 1e-6)
    hue = ops.where(
        red == highest,
        (green - blue) * part,
        ops.where(green == highest, 2.0 + (blue - red) * part, 4.0 + (red - green) * part),
    )  # in sixths of the circle, from red
    circles = hue / 6.0 + shift[..., 0]
    hue = 6.0 * (circles - ops.floor(circles))
    shares = ops.abs(hue - 3.0) - 1.0, 2.0 - ops.abs(hue - 2.0), 2.0 - ops.abs(hue - 4.0)
    return ops.stack([lowest + range_ * ops.clip(share, 0.0, 1.0) for share in shares], axis=-1)


def _patches(transform: transforms.BlackPatches, draws: Any, sizes: Any, side: int) -> Any:
    """`(B, S, S)`: 1 inside of squares, else 0."""
    own = ops.reshape(draws, (draws.shape[0], transform.max_count, 3))
    start = own[..., 1:] * (1.0 - transform.side)  # (B, max_count, 2), as fractions
    end = start + (transform.side * ops.min(sizes, axis=1, keepdims=True) / sizes)[:, None]
    centers = (ops.arange(side, dtype="float32") + 0.5) / side
    within = ops.logical_and(centers >= start[..., None], centers < end[..., None])
    drawn = ops.logical_and(within, own[..., :1, None] <= transform.probability)
    rows, columns = (ops.cast(drawn[:, :, i], "float32") for i in range(2))
    return ops.minimum(ops.einsum("bny,bnx->byx", rows, columns), 1.0)
