"""Augmentation of a batch in the graph: the one function that applies transforms.

Geometric transforms change a `state.State`. Pixels are read when a color transform needs them, and
at the end. A crop and a flip therefore read them once, at the network's input size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from boxwright.augment.color import apply_color
from boxwright.augment.geometry import apply_geometry
from boxwright.augment.state import FULL_IMAGE, TRANSPOSED, Padding, State, initial_state
from boxwright.augment.transforms import Color, Geometry, SelfConcat, Transform
from boxwright.backend import framework

ops: Any = framework.keras().ops

# From `(B, H, H, 3)` images, crops `(B, 4)` yxyx as fractions of them, and a side S to
# `(B, S, S, 3)`: bilinear, with half-pixel centers; gray outside of the images.
CropAndResize = Callable[[Any, Any, int], Any]


def apply(
    transforms: Sequence[Transform],
    images: Any,
    boxes: Any,
    labels: Any,
    sizes: Any,
    draws: Any,
    *,
    side: int,
    crop_and_resize: CropAndResize,
) -> tuple[Any, Any, Any, Any]:
    """Apply transforms to a batch, one after the other; without any, images are only resized.

    Args:
        transforms: the transforms.
        images: `(B, H, H, 3)` uint8.
        boxes: `(B, G, 4)` normalized yxyx.
        labels: `(B, G)` int32, negative for padding, see `Truth`.
        sizes: `(B, 2)` height and width in pixels before the images were squares.
        draws: `(B, n)` random numbers in [0, 1), `n` at least `count_draws(transforms)`.
        side: `S` of the result.
        crop_and_resize: the engine's implementation.

    Returns:
        Images `(B, S, S, 3)` float32 in [0, 255]; boxes, labels and weights of their objects, see
        `Truth`. A box of weight 0 with a label is neither an object nor background.
    """
    pixels, state, used = images, initial_state(sizes, boxes, labels), 0
    for number, transform in enumerate(transforms):
        own, used = draws[:, used : used + transform.draws], used + transform.draws
        if state.padding or isinstance(transform, Color | SelfConcat):
            # At the size of the images while a later transform may enlarge a part of them.
            later = any(isinstance(other, Geometry) for other in transforms[number:])
            size = images.shape[1] if later else side
            pixels, state = render(pixels, state, size, crop_and_resize)
        if isinstance(transform, Color):
            pixels = apply_color(ops.cast(pixels, "float32"), transform, own, state.sizes)
        else:
            state = apply_geometry(state, transform, own)
        if isinstance(transform, SelfConcat):
            pixels = ops.tile(pixels, (1, 2, 2, 1))  # the state shows a part of them
    pixels, state = render(pixels, state, side, crop_and_resize)
    weights = ops.where(state.labels >= 0, state.weights, 0.0)
    return ops.cast(pixels, "float32"), state.boxes, state.labels, weights


def render(
    pixels: Any, state: State, side: int, crop_and_resize: CropAndResize
) -> tuple[Any, State]:
    """The pixels that a state shows, `(B, side, side, 3)`, and the state that shows them all."""
    crop = state.crop
    if crop is None:
        if pixels.shape[1] == side:
            return pixels, state
        crop = ops.broadcast_to(FULL_IMAGE, (pixels.shape[0], 4))
    if state.transposed is not None:
        transposed = state.transposed[:, None]
        crop = ops.where(transposed, ops.take(crop, TRANSPOSED, axis=1), crop)
    images = crop_and_resize(pixels, crop, side)
    if state.transposed is not None:
        swapped = ops.transpose(images, (0, 2, 1, 3))
        images = ops.where(transposed[..., None, None], swapped, images)
    if state.padding:
        images = fill(images, state.padding)
    return images, state._replace(crop=None, transposed=None, padding=None)


def fill(images: Any, padding: Padding) -> Any:
    """`(B, S, S, 3)` images with the color of the padding around their content."""
    centers = (ops.arange(images.shape[1], dtype="float32") + 0.5) / images.shape[1]
    start, end = padding.content[:, :2, None], padding.content[:, 2:, None]
    within = ops.logical_and(centers >= start, centers <= end)
    inside = ops.cast(within, "float32")  # (B, 2, S)
    shown = (inside[:, 0, :, None] * inside[:, 1, None])[..., None]
    count = ops.maximum(ops.sum(shown, axis=(1, 2)), 1.0)
    mean = ops.sum(images * shown, axis=(1, 2)) / count
    color = ops.where(padding.color < 0, mean, padding.color)[:, None, None]
    return images * shown + color * (1.0 - shown)
