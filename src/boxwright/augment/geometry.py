"""Geometric transforms: each one chooses a crop of the part of the image that is shown so far.

The crop may be all of it, flipped, rotated or larger; see `state`.

Sources: the Object Detection API's `preprocessor`, and for its random crops TensorFlow's
`sample_distorted_bounding_box`, here with fractions of a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from boxwright.augment import transforms
from boxwright.augment.rng import spread, uniform
from boxwright.augment.state import (
    FULL_IMAGE,
    State,
    compose,
    crop_boxes,
    flip,
    padding_around,
    transpose,
)
from boxwright.augment.transforms import ATTEMPTS
from boxwright.backend import framework
from boxwright.backend.boxes import areas, intersections

ops: Any = framework.keras().ops

MEAN_COLOR = (-1.0, -1.0, -1.0)  # see `state.Padding`
GRAY = 127.0  # the color of crop-and-resize outside of an image
NO_PAD = transforms.Pad((0.0, 0.0), (0.0, 0.0))


def apply_geometry(state: State, transform: transforms.Geometry, draws: Any) -> State:
    """The state after a transform with `(B, transform.draws)` random numbers in [0, 1).

    A state with padding must be rendered first.
    """
    return _GEOMETRY[type(transform)](state, transform, draws)


# ---- Flips, rotation, scale ----------------------------------------------------------------------


def _horizontal_flip(state: State, transform: transforms.HorizontalFlip, draws: Any) -> State:
    return flip(state, draws < transform.probability, axis=1)


def _vertical_flip(state: State, transform: transforms.VerticalFlip, draws: Any) -> State:
    return flip(state, draws < transform.probability, axis=0)


def _rotate90(state: State, transform: transforms.Rotate90, draws: Any) -> State:
    """To the left: exchange x and y, then top and bottom."""
    rotated = draws < transform.probability
    return flip(transpose(state, rotated), rotated, axis=0)


def _scale(state: State, transform: transforms.Scale, draws: Any) -> State:
    return state._replace(sizes=state.sizes * uniform(transform.low, transform.high, draws))


# ---- Crops ---------------------------------------------------------------------------------------


def _crop_around_object(state: State, transform: transforms.CropAroundObject, draws: Any) -> State:
    """Up to side 1 the crop is inside the image; above 1 it contains the image.

    The draws are for the side, the aspect ratio, the object, the position y and x, and the choice
    of the full image.
    """
    low, high = (float(np.log(np.float32(side))) for side in transform.side)
    side = ops.exp(uniform(low, high, draws[:, 0]))
    # Applied to each side; the aspect ratio changes by its square.
    stretch = ops.exp((draws[:, 1] - 0.5) * transform.max_log_aspect)
    size = ops.stack([side / stretch, side * stretch], axis=1)  # (B, 2) height, width
    center = _center_of_an_object(state, draws[:, 2], default=draws[:, 3:5])
    start = center - draws[:, 3:5] * size
    start = ops.clip(start, ops.minimum(0.0, 1.0 - size), ops.maximum(0.0, 1.0 - size))
    full = draws[:, 5:6] < transform.full_image
    crop = ops.where(full, FULL_IMAGE, ops.concatenate([start, start + size], axis=1))
    cropped = crop_boxes(state, crop, transform.min_visibility, ignore_below=transform.ignore_below)
    if state.crop is None:  # beyond the image it is gray already
        return cropped
    return cropped._replace(padding=padding_around(crop, ops.full((crop.shape[0], 3), GRAY)))


def _center_of_an_object(state: State, draw: Any, default: Any) -> Any:
    """`(B, 2)` centers y, x of the objects that `draw (B,)` chooses; `default` without
    objects."""
    so_far = ops.cumsum(ops.cast(state.labels >= 0, "int32"), axis=1)
    count = so_far[:, -1]
    number = ops.cast(draw * ops.cast(count, "float32"), "int32")
    chosen = ops.argmax(ops.cast(so_far > number[:, None], "int32"), axis=1)
    box = ops.take_along_axis(state.boxes, chosen[:, None, None], axis=1)[:, 0]
    return ops.where(count[:, None] > 0, (box[:, :2] + box[:, 2:]) / 2, default)


def _crop_to_aspect(state: State, transform: transforms.CropToAspect, draws: Any) -> State:
    height = ops.minimum(state.aspects / transform.aspect, 1.0)
    width = ops.minimum(transform.aspect / state.aspects, 1.0)
    size = ops.stack([height, width], axis=1)
    start = draws * (1.0 - size)
    crop = ops.concatenate([start, start + size], axis=1)
    return crop_boxes(state, crop, transform.min_visibility, clip_boxes=transform.clip_boxes)


def _crop(state: State, transform: transforms.Crop, draws: Any) -> State:
    """The first of `ATTEMPTS` random crops that is within the limits, or the full image."""
    choices = transform.choices
    chosen = ops.cast(draws[:, 0] * len(choices), "int32")
    covered, min_visibility, full_image, clip_boxes, *ranges = (
        _chosen_values(chosen, values)[:, None]
        for values in zip(
            *(
                (
                    c.min_object_covered,
                    c.min_visibility,
                    c.full_image,
                    c.clip_boxes,
                    *c.aspect,
                    *c.area,
                )
                for c in choices
            ),
            strict=True,
        )
    )
    attempts = ops.reshape(draws[:, 2 : 2 + 4 * ATTEMPTS], (-1, ATTEMPTS, 4))
    crops, allowed = _random_crops(state.aspects[:, None], attempts, *ranges)
    allowed = ops.logical_and(allowed, _covers_an_object(state, crops, covered))
    first = ops.argmax(ops.cast(allowed, "int32"), axis=1)
    crop = ops.take_along_axis(crops, first[:, None, None], axis=1)[:, 0]
    full = draws[:, 1:2] < full_image
    none = ops.logical_not(ops.any(allowed, axis=1, keepdims=True))
    crop = ops.where(ops.logical_or(full, none), FULL_IMAGE, crop)
    min_visibility = ops.where(full, 0.0, min_visibility)
    cropped = crop_boxes(state, crop, min_visibility, clip_boxes=clip_boxes > 0)
    if not any(choice.pad for choice in choices):
        return cropped
    pads = [choice.pad or NO_PAD for choice in choices]
    return _pad_by_one_of(cropped, pads, chosen, state.sizes, draws[:, -transforms.Pad.draws :])


def _random_crops(
    image: Any, draws: Any, min_aspect: Any, max_aspect: Any, min_area: Any, max_area: Any
) -> tuple[Any, Any]:
    """`(B, ATTEMPTS, 4)` crops from `(B, ATTEMPTS, 4)` draws; True for those large enough.

    All others are `(B, 1)`: the image's width over height, and the limits.
    """
    aspect = uniform(min_aspect, max_aspect, draws[..., 0])
    # Sides are in heights of the image until they are fractions of it.
    min_area, max_area = min_area * image, max_area * image
    max_height = ops.minimum(ops.sqrt(max_area / aspect), ops.minimum(image / aspect, 1.0))
    min_height = ops.minimum(ops.sqrt(min_area / aspect), max_height)
    height = uniform(min_height, max_height, draws[..., 1])
    size = ops.stack([height, height * aspect / image], axis=-1)
    start = draws[..., 2:] * (1.0 - size)
    large_enough = height * height * aspect >= min_area * (1 - 1e-6)
    return ops.concatenate([start, start + size], axis=-1), large_enough


def _covers_an_object(state: State, crops: Any, min_object_covered: Any) -> Any:
    """`(B, ATTEMPTS)`, True for crops that cover enough of some object, or of the image if there is
    none. `min_object_covered` is `(B, 1)`."""
    present = state.labels >= 0
    empty = ops.logical_not(ops.any(present, axis=1, keepdims=True))
    instead = ops.logical_and(empty, ops.arange(state.labels.shape[1]) == 0)
    boxes = ops.where(instead[..., None], FULL_IMAGE, state.boxes)
    boxes = ops.clip(boxes, 0.0, 1.0)[:, None]  # (B, 1, G, 4)
    area = areas(boxes)
    enough = intersections(boxes, crops[:, :, None]) >= min_object_covered[..., None] * area
    counts = ops.logical_and(ops.logical_or(present, instead)[:, None], area > 0)
    return ops.any(ops.logical_and(enough, counts), axis=-1)


# ---- Padding -------------------------------------------------------------------------------------


def _pad(state: State, transform: transforms.Pad, draws: Any) -> State:
    only = ops.zeros_like(draws[:, 0], dtype="int32")
    return _pad_by_one_of(state, [transform], only, state.sizes, draws)


def _pad_by_one_of(
    state: State, pads: Sequence[transforms.Pad], chosen: Any, measure: Any, draws: Any
) -> State:
    """A border within the limits of one of `pads`, `chosen (B,)`, which are in the heights and
    widths `measure (B, 2)`."""
    min_size, max_size, min_pixels, max_pixels = (
        _chosen_values(chosen, values)
        for values in zip(
            *((each.min_size, each.max_size, each.min_pixels, each.max_pixels) for each in pads),
            strict=True,
        )
    )
    largest = ops.maximum(measure * max_size + max_pixels, state.sizes)
    smallest = ops.clip(measure * min_size + min_pixels, state.sizes, largest)
    size = uniform(smallest, largest, draws[:, :2]) / state.sizes
    color = _chosen_values(chosen, [each.color or MEAN_COLOR for each in pads])
    return _padded(state, size, draws[:, 2:] * (size - 1.0), color)


def _pad_to_aspect(state: State, transform: transforms.PadToAspect, draws: Any) -> State:
    ratio = state.aspects / transform.aspect
    needed = ops.stack([ops.maximum(ratio, 1.0), ops.maximum(1.0 / ratio, 1.0)], axis=1)
    smallest, largest = (
        ops.maximum(limit, needed) / needed for limit in (transform.min_size, transform.max_size)
    )
    largest = ops.min(largest, axis=1, keepdims=True)
    smallest = ops.minimum(ops.max(smallest, axis=1, keepdims=True), largest)
    size = needed * uniform(smallest, largest, draws)
    color = ops.broadcast_to(ops.convert_to_tensor(transform.color), (size.shape[0], 3))
    return _padded(state, size, ops.zeros_like(size), color)


def _padded(state: State, size: Any, start: Any, color: Any) -> State:
    """The state with a border: the result has a `size (B, 2)` in heights and widths of the state,
    and the state is at `start (B, 2)` in it, in the same unit."""
    crop = ops.concatenate([-start, size - start], axis=1)
    return compose(state, crop)._replace(padding=padding_around(crop, color))


# ---- Boxes ---------------------------------------------------------------------------------------


def _jitter_boxes(state: State, transform: transforms.JitterBoxes, draws: Any) -> State:
    sides = ops.tile(state.boxes[..., 2:] - state.boxes[..., :2], (1, 1, 2))
    moves = ops.reshape(spread(draws, sides.shape[1] * 4), ops.shape(sides))
    boxes = state.boxes + sides * uniform(-transform.ratio, transform.ratio, moves)
    return state._replace(boxes=ops.clip(boxes, 0.0, 1.0))


def _self_concat(state: State, transform: transforms.SelfConcat, draws: Any) -> State:
    """The part that is shown of a square of four copies of the image, each with its boxes."""
    twice = ops.stack([draws[:, 0] < transform.below, draws[:, 1] < transform.beside], axis=1)
    number = ops.where(twice, 2.0, 1.0)  # (B, 2) copies one below the other, and beside it
    labels, boxes = [], []
    for offset in np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32):
        there = ops.all(number > offset, axis=1)
        labels.append(ops.where(there[:, None], state.labels, -1))
        boxes.append(state.boxes + np.tile(offset, 2))
    four = State(
        2.0 * state.sizes,
        ops.concatenate(boxes, axis=1) / 2.0,
        ops.concatenate(labels, axis=1),
        ops.tile(state.weights, (1, 4)),
    )
    return compose(four, ops.concatenate([ops.zeros_like(number), number / 2.0], axis=1))


_GEOMETRY: Mapping[type, Callable[[State, Any, Any], State]] = {
    transforms.Crop: _crop,
    transforms.CropAroundObject: _crop_around_object,
    transforms.CropToAspect: _crop_to_aspect,
    transforms.HorizontalFlip: _horizontal_flip,
    transforms.JitterBoxes: _jitter_boxes,
    transforms.Pad: _pad,
    transforms.PadToAspect: _pad_to_aspect,
    transforms.Rotate90: _rotate90,
    transforms.Scale: _scale,
    transforms.SelfConcat: _self_concat,
    transforms.VerticalFlip: _vertical_flip,
}


def _chosen_values(chosen: Any, values: Sequence[Any]) -> Any:
    """`(B, ...)`: for each image one of the values, which are numbers or tuples of numbers."""
    return ops.take(ops.convert_to_tensor(values, dtype="float32"), chosen, axis=0)
