"""The state of a batch between transforms: the part of each image that is shown, and its boxes.

Crops are composed and boxes follow them. No pixel is read here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from boxwright.backend import framework
from boxwright.backend.boxes import areas

ops: Any = framework.keras().ops

FULL_IMAGE = np.array([0.0, 0.0, 1.0, 1.0], np.float32)
FLIPPED = [2, 1, 0, 3], [0, 3, 2, 1]  # exchange start and end of y, or of x
TRANSPOSED = [1, 0, 3, 2]  # yxyx becomes xyxy


class Padding(NamedTuple):
    """The border around an image.

    `content (B, 4)`: where the image is, yxyx as fractions of the result.
    `color (B, 3)`: of the border; negative for the image's mean.
    """

    content: Any
    color: Any


class State(NamedTuple):
    """A batch of images between transforms.

    `sizes (B, 2)`: height and width in pixels.
    `boxes (B, G, 4)`, `labels (B, G)`: the objects, yxyx as fractions; the label is
    negative for padding, see `Truth`.
    `weights (B, G)`: weight of each object.
    `crop (B, 4)`: the part of the images that is shown, start y, x and end y, x as fractions; a
    flip exchanges start and end. None for all of them.
    `transposed (B,)`: True if x and y of the image are exchanged first. None if no image is.
    `padding`: the border; None without.
    """

    sizes: Any
    boxes: Any
    labels: Any
    weights: Any
    crop: Any = None
    transposed: Any = None
    padding: Padding | None = None

    @property
    def aspects(self) -> Any:
        """Width over height, `(B,)`."""
        return self.sizes[:, 1] / self.sizes[:, 0]


def initial_state(sizes: Any, boxes: Any, labels: Any) -> State:
    """The state before the first transform: full images, every object with weight 1."""
    return State(sizes, boxes, labels, ops.ones_like(boxes[..., 0]))


def compose(state: State, crop: Any) -> State:
    """Show only a `crop (B, 4)` of a state: start y, x and end y, x as fractions of it."""
    start, size = crop[:, :2], crop[:, 2:] - crop[:, :2]
    boxes = (state.boxes - ops.tile(start, (1, 2))[:, None]) / ops.tile(size, (1, 2))[:, None]
    if state.crop is not None:
        before, scale = state.crop[:, :2], state.crop[:, 2:] - state.crop[:, :2]
        crop = ops.tile(before, (1, 2)) + crop * ops.tile(scale, (1, 2))
    return state._replace(crop=crop, sizes=state.sizes * size, boxes=boxes)


def crop_boxes(
    state: State,
    crop: Any,
    min_visibility: Any,
    *,
    ignore_below: float = 0.0,
    clip_boxes: Any = True,
) -> State:
    """Like `compose`, but boxes outside of the crop lose their labels or weights.

    Args:
        state: before the crop.
        crop: `(B, 4)`, as in `compose`.
        min_visibility: `(B, 1)`, or one for all: part of a box that is visible, below which it
            loses its label.
        ignore_below: part of a box that is visible, below which it has no weight.
        clip_boxes: `(B,)`, or one for all: True to clip boxes to the crop.
    """
    cropped = compose(state, crop)
    clipped = ops.clip(cropped.boxes, 0.0, 1.0)
    visible, area = areas(clipped), areas(cropped.boxes)
    stays = ops.logical_and(visible > 0, visible >= min_visibility * area)
    counts = ops.cast(visible >= ignore_below * area, "float32")
    clip_boxes = ops.reshape(ops.convert_to_tensor(clip_boxes, dtype="bool"), (-1, 1, 1))
    return cropped._replace(
        boxes=ops.where(clip_boxes, clipped, cropped.boxes),
        labels=ops.where(stays, cropped.labels, -1),
        weights=cropped.weights * counts,
    )


def flip(state: State, chosen: Any, axis: int) -> State:
    """Exchange start and end of an axis, 0 for y and 1 for x, where `chosen (B, 1)` is true."""
    order, sides = FLIPPED[axis], np.arange(4) % 2 == axis
    crop = state.crop
    if crop is None:
        crop = ops.broadcast_to(FULL_IMAGE, (chosen.shape[0], 4))
    boxes = ops.take(state.boxes, order, axis=-1)
    boxes = ops.where(sides, 1.0 - boxes, boxes)
    return state._replace(
        crop=ops.where(chosen, ops.take(crop, order, axis=1), crop),
        boxes=ops.where(chosen[..., None], boxes, state.boxes),
    )


def transpose(state: State, chosen: Any) -> State:
    """Exchange x and y where `chosen (B, 1)` is true."""

    def swapped(yx: Any, order: list[int]) -> Any:
        where = ops.reshape(chosen, (-1,) + (1,) * (len(yx.shape) - 1))
        return ops.where(where, ops.take(yx, order, axis=-1), yx)

    before = ops.zeros_like(chosen[:, 0]) if state.transposed is None else state.transposed
    return state._replace(
        sizes=swapped(state.sizes, TRANSPOSED[:2]),
        boxes=swapped(state.boxes, TRANSPOSED),
        crop=None if state.crop is None else swapped(state.crop, TRANSPOSED),
        transposed=ops.logical_xor(before, chosen[:, 0]),
    )


def padding_around(crop: Any, color: Any) -> Padding:
    """The border around a state in a `crop (B, 4)` that reaches beyond it."""
    start, size = crop[:, :2], crop[:, 2:] - crop[:, :2]
    return Padding(ops.concatenate([-start / size, (1.0 - start) / size], axis=1), color)
