"""The Object Detection API's augmentation of a batch in the graph, step by step.

Geometric steps change what is seen (`view`); the photo's pixels are read when a step needs them,
and at the end. So a flip and a crop read them once, at the size of the network's input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from boxwright.augment import transforms
from boxwright.augment.color import recolour
from boxwright.augment.geometry import TURNED, WHOLE, Ground, View, move
from boxwright.augment.transforms import Step
from boxwright.backend import framework

ops: Any = framework.keras().ops

Reader = Callable[[Any, Any, int], Any]  # see `augment.transforms.Crop`


def follow(
    how: Sequence[Step],
    photos: Any,
    boxes: Any,
    labels: Any,
    sizes: Any,
    dice: Any,
    *,
    side: int,
    read: Reader,
) -> tuple[Any, Any, Any, Any]:
    """Images `(B, S, S, 3)` float32 in [0, 255]; boxes, labels and weights of what is left.

    Args:
        how: the steps.
        photos: `(B, H, W, 3)` uint8, squares.
        boxes: `(B, G, 4)` normalised yxyx; labels `(B, G)` int32, -1 on padding.
        sizes: `(B, 2)` height and width in pixels of the photos before they were squares.
        dice: `(B, n)` in [0, 1), as many as the steps take.
        side: `S`.
        read: the engine's bilinear crop-and-resize.
    """
    pixels, view, first = photos, View(sizes, boxes, labels), 0
    for number, step in enumerate(how):
        own, first = dice[:, first : first + step.dice], first + step.dice
        if view.ground or isinstance(step, transforms.Colour | transforms.SelfConcat):
            # As large as they are while a later step may enlarge a part of them.
            later = any(isinstance(other, transforms.Geometry) for other in how[number:])
            pixels, view = develop(pixels, view, photos.shape[1] if later else side, read)
        if isinstance(step, transforms.Colour):
            pixels = recolour(ops.cast(pixels, "float32"), step, own, view.sizes)
        else:
            view = move(view, step, own)
        if isinstance(step, transforms.SelfConcat):
            pixels = ops.tile(pixels, (1, 2, 2, 1))  # of which the view is a part
    pixels, view = develop(pixels, view, side, read)
    weights = ops.cast(view.labels >= 0, "float32")
    return ops.cast(pixels, "float32"), view.boxes, view.labels, weights


def develop(pixels: Any, view: View, side: int, read: Reader) -> tuple[Any, View]:
    """The pixels that are seen, `(B, side, side, 3)`, and the view that is all of them."""
    window = view.window
    if window is None:
        if pixels.shape[1] == side:
            return pixels, view
        window = ops.broadcast_to(WHOLE, (pixels.shape[0], 4))
    if view.turned is not None:
        turned = view.turned[:, None]
        window = ops.where(turned, ops.take(window, TURNED, axis=1), window)
    images = read(pixels, window, side)
    if view.turned is not None:
        images = ops.where(turned[..., None, None], ops.transpose(images, (0, 2, 1, 3)), images)
    if view.ground:
        images = fill(images, view.ground)
    return images, View(view.sizes, view.boxes, view.labels)


def fill(images: Any, ground: Ground) -> Any:
    """`(B, S, S, 3)` images with the ground around their content."""
    centres = (ops.arange(images.shape[1], dtype="float32") + 0.5) / images.shape[1]
    start, end = ground.content[:, :2, None], ground.content[:, 2:, None]
    inside = ops.cast(ops.logical_and(centres >= start, centres <= end), "float32")  # (B, 2, S)
    shown = (inside[:, 0, :, None] * inside[:, 1, None])[..., None]
    count = ops.maximum(ops.sum(shown, axis=(1, 2)), 1.0)
    mean = ops.sum(images * shown, axis=(1, 2)) / count
    colour = ops.where(ground.colour < 0, mean, ground.colour)[:, None, None]
    return images * shown + colour * (1.0 - shown)
