"""Steps of the augmentation that change pixels where they are: colours, noise, black squares.

Source: the Object Detection API's `preprocessor`, and TensorFlow's `adjust_*` that it uses.
"""

from __future__ import annotations

from typing import Any

from boxwright.augment import transforms
from boxwright.augment.rng import between, spread
from boxwright.backend import framework

ops: Any = framework.keras().ops

LUMA = (0.2989, 0.587, 0.114)


def recolour(images: Any, step: transforms.Colour, dice: Any, sizes: Any) -> Any:
    """`(B, S, S, 3)` images in [0, 255] after a step with `(B, step.dice)` dice; `sizes (B, 2)` are
    their heights and widths in pixels before they were squares."""
    die = dice[:, :1, None, None]  # of all steps but one the only one
    match step:
        case transforms.Brightness():
            changed = images + 255.0 * between(-step.most, step.most, die)
        case transforms.Contrast():
            mean = ops.mean(images, axis=(1, 2), keepdims=True)
            changed = mean + (images - mean) * between(step.low, step.high, die)
        case transforms.Grey():
            grey = ops.sum(images * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
            changed = ops.where(die < step.probability, grey, images)
        case transforms.Saturation():
            changed = _saturated(images, between(step.low, step.high, die))
        case transforms.Hue():
            changed = _turned(images, between(-step.most, step.most, die))
        case transforms.Noise():
            shape = ops.shape(images)
            noise = ops.reshape(spread(dice, shape[1] * shape[2] * 3), shape)
            changed = images * between(step.low, step.high, noise)
        case transforms.Patches():
            changed = images * (1.0 - _patches(step, dice, sizes, images.shape[1])[..., None])
    return ops.clip(changed, 0.0, 255.0)


def _saturated(images: Any, times: Any) -> Any:
    """HSV's saturation, (most - least) / most of the channels, `times` as high and at most 1. The
    others keep their distances from the highest in proportion."""
    red, green, blue = ops.unstack(images, axis=-1)
    most = ops.maximum(ops.maximum(red, green), blue)[..., None]
    least = ops.minimum(ops.minimum(red, green), blue)[..., None]
    times = ops.minimum(times, most / ops.maximum(most - least, 1e-6))
    return most - (most - images) * times


def _turned(images: Any, turn: Any) -> Any:
    """HSV's hue, an angle, turned by a part of the circle; most and least stay as they are."""
    red, green, blue = ops.unstack(images, axis=-1)
    most = ops.maximum(ops.maximum(red, green), blue)
    least = ops.minimum(ops.minimum(red, green), blue)
    span = most - least
    part = 1.0 / ops.maximum(span, 1e-6)
    hue = ops.where(
        red == most,
        (green - blue) * part,
        ops.where(green == most, 2.0 + (blue - red) * part, 4.0 + (red - green) * part),
    )  # in sixths of the circle, from red
    circles = hue / 6.0 + turn[..., 0]
    hue = 6.0 * (circles - ops.floor(circles))
    shares = ops.abs(hue - 3.0) - 1.0, 2.0 - ops.abs(hue - 2.0), 2.0 - ops.abs(hue - 4.0)
    return ops.stack([least + span * ops.clip(share, 0.0, 1.0) for share in shares], axis=-1)


def _patches(step: transforms.Patches, dice: Any, sizes: Any, side: int) -> Any:
    """`(B, S, S)`: 1 where a square is, else 0."""
    own = ops.reshape(dice, (dice.shape[0], step.most, 3))
    start = own[..., 1:] * (1.0 - step.side)  # (B, step.most, 2), as fractions
    end = start + (step.side * ops.min(sizes, axis=1, keepdims=True) / sizes)[:, None]
    centres = (ops.arange(side, dtype="float32") + 0.5) / side
    within = ops.logical_and(centres >= start[..., None], centres < end[..., None])
    drawn = ops.logical_and(within, own[..., :1, None] <= step.probability)
    rows, columns = (ops.cast(drawn[:, :, i], "float32") for i in range(2))
    return ops.minimum(ops.einsum("bny,bnx->byx", rows, columns), 1.0)
