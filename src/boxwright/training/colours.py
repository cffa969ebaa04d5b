"""Steps of the augmentation that change pixels where they are: colours, noise, black squares.

Source: the Object Detection API's `preprocessor`, and TensorFlow's `adjust_*` that it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boxwright.models import framework
from boxwright.training import steps
from boxwright.training.dice import between, spread

ops: Any = framework.keras().ops

LUMA = (0.2989, 0.587, 0.114)


def recolour(images: Any, step: steps.Colour, dice: Any, sizes: Any) -> Any:
    """`(B, S, S, 3)` images in [0, 255] after a step with `(B, step.dice)` dice; `sizes (B, 2)` are
    their heights and widths in pixels before they were squares."""
    die = dice[:, :1, None, None]  # of all steps but one the only one
    match step:
        case steps.Brightness():
            changed = images + 255.0 * between(-step.most, step.most, die)
        case steps.Contrast():
            mean = ops.mean(images, axis=(1, 2), keepdims=True)
            changed = mean + (images - mean) * between(step.low, step.high, die)
        case steps.Grey():
            grey = ops.sum(images * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
            changed = ops.where(die < step.probability, grey, images)
        case steps.Saturation():
            times = between(step.low, step.high, die)
            changed = _in_hsv(images, 1, lambda s: ops.clip(s * times, 0, 1))
        case steps.Hue():
            turn = between(-step.most, step.most, die)
            changed = _in_hsv(images, 0, lambda h: ops.mod(h + turn, 1.0))
        case steps.Noise():
            shape = ops.shape(images)
            noise = ops.reshape(spread(dice, shape[1] * shape[2] * 3), shape)
            changed = images * between(step.low, step.high, noise)
        case steps.Patches():
            changed = images * (1.0 - _patches(step, dice, sizes, images.shape[1])[..., None])
    return ops.clip(changed, 0.0, 255.0)


def _in_hsv(images: Any, channel: int, change: Callable[[Any], Any]) -> Any:
    hsv = list(ops.split(ops.image.rgb_to_hsv(images / 255.0), 3, axis=-1))
    hsv[channel] = change(hsv[channel])
    return ops.image.hsv_to_rgb(ops.concatenate(hsv, axis=-1)) * 255.0


def _patches(step: steps.Patches, dice: Any, sizes: Any, side: int) -> Any:
    """`(B, S, S)`: 1 where a square is, else 0."""
    own = ops.reshape(dice, (dice.shape[0], step.most, 3))
    start = own[..., 1:] * (1.0 - step.side)  # (B, step.most, 2), as fractions
    end = start + (step.side * ops.min(sizes, axis=1, keepdims=True) / sizes)[:, None]
    centres = (ops.arange(side, dtype="float32") + 0.5) / side
    within = ops.logical_and(centres >= start[..., None], centres < end[..., None])
    drawn = ops.logical_and(within, own[..., :1, None] <= step.probability)
    rows, columns = (ops.cast(drawn[:, :, i], "float32") for i in range(2))
    return ops.minimum(ops.einsum("bny,bnx->byx", rows, columns), 1.0)
