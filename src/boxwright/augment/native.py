"""Augmentation of a batch in the graph: a random window of each photo, its boxes along with it.

Nothing here draws random numbers. They come in as `dice`, made on the host from the seed and the
step, so that a resumed run, and another engine, sees the same photos.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from boxwright.backend import framework
from boxwright.backend.boxes import areas
from boxwright.training.config import Augmentation

ops: Any = framework.keras().ops

# (photos (B, H, W, 3), windows (B, 4) yxyx in fractions of the photo, side) -> (B, side, side, 3)
Crop = Callable[[Any, Any, int], Any]


def augment(
    photos: Any,
    boxes: Any,
    labels: Any,
    dice: Any,
    *,
    side: int,
    crop: Crop,
    limits: Augmentation,
) -> tuple[Any, Any, Any, Any]:
    """Window, flip and colours.

    Args:
        photos: `(B, H, W, 3)` uint8.
        boxes: `(B, G, 4)` normalised yxyx, padded.
        labels: `(B, G)` int32, -1 on padding.
        dice: `(B, limits.dice)` in [0, 1).
        side: `S` of the result.
        crop: the engine's bilinear crop-and-resize.
        limits: how far to go.

    Returns:
        Images `(B, S, S, 3)` float32 in [0, 255]; boxes, labels and weights of what is left.
    """
    windows = sample_windows(boxes, labels, dice, limits)
    flipped = dice[:, 6] < limits.mirror
    ymin, xmin, ymax, xmax = (windows[:, i] for i in range(4))
    left, right = ops.where(flipped, xmax, xmin), ops.where(flipped, xmin, xmax)
    images = crop(photos, ops.stack([ymin, left, ymax, right], axis=1), side)
    images = change_colours(images, dice[:, 7:10], limits)
    boxes, labels, weights = see_boxes(boxes, labels, windows, flipped, limits)
    return images, boxes, labels, weights


def sample_windows(boxes: Any, labels: Any, dice: Any, limits: Augmentation) -> Any:
    """`(B, 4)` windows, yxyx as fractions of the photo, each around a random object's centre.

    Up to side 1 a window lies within the photo; beyond, it contains the photo.
    """
    low, high = (float(np.log(np.float32(side))) for side in limits.window)
    side = ops.exp(low + (high - low) * dice[:, 0])
    stretch = ops.exp((dice[:, 1] - 0.5) * limits.aspect)  # of each side; their ratio twice that
    size = ops.stack([side / stretch, side * stretch], axis=1)  # (B, 2) height, width
    count = ops.sum(ops.cast(labels >= 0, "float32"), axis=1)
    chosen = ops.cast(dice[:, 2] * count, "int32")  # objects come before padding
    box = ops.take_along_axis(boxes, chosen[:, None, None], axis=1)[:, 0]
    centre = ops.where(count[:, None] > 0, (box[:, :2] + box[:, 2:]) / 2, dice[:, 3:5])
    start = centre - dice[:, 3:5] * size
    start = ops.clip(start, ops.minimum(0.0, 1.0 - size), ops.maximum(0.0, 1.0 - size))
    whole = (dice[:, 5] < limits.whole)[:, None]
    start, size = ops.where(whole, 0.0, start), ops.where(whole, 1.0, size)
    return ops.concatenate([start, start + size], axis=1)


def see_boxes(
    boxes: Any, labels: Any, windows: Any, flipped: Any, limits: Augmentation
) -> tuple[Any, Any, Any]:
    """Boxes in the window's own fractions, clipped; what is out of sight loses its label."""
    start = ops.tile(windows[:, None, :2], (1, 1, 2))
    size = ops.tile(windows[:, None, 2:] - windows[:, None, :2], (1, 1, 2))
    inside = (boxes - start) / size
    ymin, xmin, ymax, xmax = (inside[..., i] for i in range(4))
    turned = flipped[:, None]
    left, right = ops.where(turned, 1.0 - xmax, xmin), ops.where(turned, 1.0 - xmin, xmax)
    seen = ops.clip(ops.stack([ymin, left, ymax, right], axis=-1), 0.0, 1.0)
    visible = areas(seen) / ops.maximum(areas(inside), 1e-9)
    labels = ops.where(visible > limits.uncertain, labels, -1)
    weights = ops.cast(visible >= limits.visible, "float32")
    return seen, labels, weights


def change_colours(images: Any, dice: Any, limits: Augmentation) -> Any:
    """Contrast, brightness and saturation of `(B, S, S, 3)` images in [0, 255]."""
    contrast, brightness, saturation = (
        (2.0 * dice[:, i] - 1.0) * limit
        for i, limit in enumerate((limits.contrast, limits.brightness, limits.saturation))
    )
    # Each pixel is a mix of its channels: one product of matrices, where pixel by pixel and
    # channel by channel would read all of them six times.
    own = (1.0 + contrast) * (1.0 + saturation)
    grey = (1.0 + contrast) * saturation / 3.0
    mix = own[:, None, None] * np.eye(3, dtype=np.float32) - grey[:, None, None]
    mean = ops.mean(images, axis=(1, 2, 3))
    shift = 255.0 * brightness - contrast * mean
    mixed = ops.matmul(ops.reshape(images, (images.shape[0], -1, 3)), mix)
    return ops.reshape(ops.clip(mixed + shift[:, None, None], 0.0, 255.0), images.shape)
