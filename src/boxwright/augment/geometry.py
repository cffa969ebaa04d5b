"""What is seen of photos, and how the geometric steps of the augmentation change it.

Every one of them is a choice of a window of what is seen so far, above all of it, flipped or turned
too. The windows are multiplied and boxes follow; no pixel is read here.

Source: the Object Detection API's `preprocessor`; for random windows TensorFlow's
`sample_distorted_bounding_box`, here with fractions of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from boxwright.augment import transforms
from boxwright.augment.rng import between, spread
from boxwright.augment.transforms import ATTEMPTS
from boxwright.backend import framework
from boxwright.backend.boxes import areas, intersections

ops: Any = framework.keras().ops

WHOLE = np.array([0.0, 0.0, 1.0, 1.0], np.float32)
UPSIDE_DOWN = np.array([1.0, 0.0, 0.0, 1.0], np.float32)
MIRRORED = np.array([0.0, 1.0, 1.0, 0.0], np.float32)
TURNED = [1, 0, 3, 2]  # yxyx becomes xyxy
MEAN = (-1.0, -1.0, -1.0)
NO_PAD = transforms.Pad((0.0, 0.0), (0.0, 0.0))


class Ground(NamedTuple):
    """What is around the photo in a view: `content (B, 4)` is where the photo is, yxyx as fractions
    of the view, `colour (B, 3)` that of the rest; negative for the photo's mean."""

    content: Any
    colour: Any


class View(NamedTuple):
    """What is seen of each photo.

    `sizes (B, 2)`: height and width in pixels.
    `boxes (B, G, 4)`, `labels (B, G)`: what is labelled, yxyx as fractions of the view; -1 where
    nothing is.
    `window (B, 4)`: start y, x and end y, x as fractions of the photo; a flip exchanges them. None
    for all of it.
    `turned (B,)`: whether the axes of the photo change places first. None for none.
    `ground`: around the photo, if there is any.
    """

    sizes: Any
    boxes: Any
    labels: Any
    window: Any = None
    turned: Any = None
    ground: Ground | None = None

    @property
    def aspects(self) -> Any:
        """Width over height, `(B,)`."""
        return self.sizes[:, 1] / self.sizes[:, 0]


def move(view: View, step: transforms.Geometry, dice: Any) -> View:
    """The view after a step with `(B, step.dice)` dice; without a ground before it."""
    match step:
        case transforms.Flip():
            flipped = UPSIDE_DOWN if step.vertical else MIRRORED
            return look(view, ops.where(dice < step.probability, flipped, WHOLE))
        case transforms.Turn():
            turned = dice < step.probability
            return look(_transposed(view, turned), ops.where(turned, UPSIDE_DOWN, WHOLE))
        case transforms.Scale():
            return view._replace(sizes=view.sizes * between(step.low, step.high, dice))
        case transforms.Crop():
            return _crop(view, step, dice)
        case transforms.CropToAspect():
            height = ops.minimum(view.aspects / step.aspect, 1.0)
            width = ops.minimum(step.aspect / view.aspects, 1.0)
            size = ops.stack([height, width], axis=1)
            start = dice * (1.0 - size)
            window = ops.concatenate([start, start + size], axis=1)
            return cut(view, window, ops.full_like(height, step.overlap), step.clip)
        case transforms.Pad():
            only = ops.zeros_like(dice[:, 0], dtype="int32")
            return _pad(view, [step], only, view.sizes, dice)
        case transforms.PadToAspect():
            return _pad_to_aspect(view, step, dice)
        case transforms.Jitter():
            sides = ops.tile(view.boxes[..., 2:] - view.boxes[..., :2], (1, 1, 2))
            moves = ops.reshape(spread(dice, sides.shape[1] * 4), ops.shape(sides))
            boxes = view.boxes + sides * between(-step.ratio, step.ratio, moves)
            return view._replace(boxes=ops.clip(boxes, 0.0, 1.0))
        case transforms.SelfConcat():
            return _concat(view, step, dice)


def look(view: View, part: Any) -> View:
    """Only `part (B, 4)` of a view: start y, x and end y, x as fractions of it."""
    start, size = part[:, :2], part[:, 2:] - part[:, :2]
    window = part
    if view.window is not None:
        old, scale = view.window[:, :2], view.window[:, 2:] - view.window[:, :2]
        window = ops.tile(old, (1, 2)) + part * ops.tile(scale, (1, 2))
    boxes = (view.boxes - ops.tile(start, (1, 2))[:, None]) / ops.tile(size, (1, 2))[:, None]
    return view._replace(window=window, sizes=view.sizes * ops.abs(size), boxes=_upright(boxes))


def cut(view: View, window: Any, overlap: Any, clip: Any) -> View:
    """`look`, and nothing is left of what lies outside; a box needs `overlap (B,)` of its area
    within, and ends where the window does if `clip` (`(B,)` or one for all)."""
    inside = look(view, window)
    clipped = ops.clip(inside.boxes, 0.0, 1.0)
    shared, area = areas(clipped), areas(inside.boxes)
    stays = ops.logical_and(shared > 0, shared >= overlap[:, None] * area)
    clip = ops.reshape(ops.convert_to_tensor(clip, dtype="bool"), (-1, 1, 1))
    return inside._replace(
        boxes=ops.where(clip, clipped, inside.boxes),
        labels=ops.where(stays, inside.labels, -1),
    )


def _transposed(view: View, turned: Any) -> View:
    """Where `turned (B, 1)`, x and y change places."""

    def swapped(yx: Any, order: list[int]) -> Any:
        where = ops.reshape(turned, (-1,) + (1,) * (len(yx.shape) - 1))
        return ops.where(where, ops.take(yx, order, axis=-1), yx)

    before = ops.zeros_like(turned[:, 0]) if view.turned is None else view.turned
    return view._replace(
        sizes=swapped(view.sizes, TURNED[:2]),
        boxes=swapped(view.boxes, TURNED),
        window=None if view.window is None else swapped(view.window, TURNED),
        turned=ops.logical_xor(before, turned[:, 0]),
    )


def _concat(view: View, step: transforms.SelfConcat, dice: Any) -> View:
    """The part that is seen of a square of four photos, each with its boxes."""
    twice = ops.stack([dice[:, 0] < step.below, dice[:, 1] < step.beside], axis=1)
    number = ops.where(twice, 2.0, 1.0)  # (B, 2) photos one below the other, and beside it
    labels, boxes = [], []
    for place in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]):
        there = ops.all(number > place, axis=1)
        labels.append(ops.where(there[:, None], view.labels, -1))
        boxes.append(view.boxes + ops.convert_to_tensor(2 * place))
    four = View(
        2.0 * view.sizes, ops.concatenate(boxes, axis=1) / 2.0, ops.concatenate(labels, axis=1)
    )
    return look(four, ops.concatenate([ops.zeros_like(number), number / 2.0], axis=1))


# ---- Random windows ----------------------------------------------------------------------------


def _crop(view: View, step: transforms.Crop, dice: Any) -> View:
    choices = step.choices
    chosen = ops.cast(dice[:, 0] * len(choices), "int32")
    covered, overlap, whole, clip, *ranges = (
        _of(chosen, values)
        for values in zip(
            *((c.covered, c.overlap, c.whole, c.clip, *c.aspect, *c.area) for c in choices),
            strict=True,
        )
    )
    tries = ops.reshape(dice[:, 2 : 2 + 4 * ATTEMPTS], (-1, ATTEMPTS, 4))
    windows, allowed = _windows(view.aspects[:, None], tries, *(each[:, None] for each in ranges))
    allowed = ops.logical_and(allowed, _holds(view, windows, covered))
    window = ops.take_along_axis(
        windows, ops.argmax(ops.cast(allowed, "int32"), axis=1)[:, None, None], axis=1
    )[:, 0]
    uncut = dice[:, 1] < whole
    kept = ops.logical_or(uncut, ops.logical_not(ops.any(allowed, axis=1)))
    result = cut(
        view,
        ops.where(kept[:, None], WHOLE, window),
        ops.where(uncut, 0.0, overlap),
        clip > 0,
    )
    if not any(choice.pad for choice in choices):
        return result
    pads = [choice.pad or NO_PAD for choice in choices]
    return _pad(result, pads, chosen, view.sizes, dice[:, -transforms.Pad.dice :])


def _windows(
    photo: Any, tries: Any, narrowest: Any, widest: Any, least: Any, most: Any
) -> tuple[Any, Any]:
    """`(B, ATTEMPTS, 4)` windows from as many dice, and whether each is large enough. All others
    are `(B, 1)`: the photo's width over height; limits of the window's, and of its area."""
    aspect = between(narrowest, widest, tries[..., 0])
    # Sides are in heights of the photo until they are fractions of it.
    least, most = least * photo, most * photo
    tallest = ops.minimum(ops.sqrt(most / aspect), ops.minimum(photo / aspect, 1.0))
    lowest = ops.minimum(ops.sqrt(least / aspect), tallest)
    height = between(lowest, tallest, tries[..., 1])
    size = ops.stack([height, height * aspect / photo], axis=-1)
    start = tries[..., 2:] * (1.0 - size)
    large_enough = height * height * aspect >= least * (1 - 1e-6)
    return ops.concatenate([start, start + size], axis=-1), large_enough


def _holds(view: View, windows: Any, covered: Any) -> Any:
    """`(B, ATTEMPTS)` bool: which windows cover enough of some object, or of the photo if there
    is none."""
    present = view.labels >= 0
    none = ops.logical_not(ops.any(present, axis=1))
    first = ops.arange(view.labels.shape[1]) == 0
    everything = ops.logical_and(none[:, None], first)
    boxes = ops.where(everything[..., None], WHOLE, view.boxes)
    boxes = ops.clip(boxes, 0.0, 1.0)[:, None]  # (B, 1, G, 4)
    area = areas(boxes)
    enough = intersections(boxes, windows[:, :, None]) >= covered[:, None, None] * area
    counts = ops.logical_and(ops.logical_or(present, everything)[:, None], area > 0)
    return ops.any(ops.logical_and(enough, counts), axis=-1)


# ---- Grounds -----------------------------------------------------------------------------------


def _pad(view: View, pads: Sequence[transforms.Pad], chosen: Any, measure: Any, dice: Any) -> View:
    """A ground within the limits of one of `pads`, `chosen (B,)`, which are in heights and widths
    `measure (B, 2)`."""
    least, most, more_least, more_most = (
        _of(chosen, values)
        for values in zip(
            *((each.least, each.most, each.least_pixels, each.most_pixels) for each in pads),
            strict=True,
        )
    )
    most = ops.maximum(measure * most + more_most, view.sizes)
    least = ops.clip(measure * least + more_least, view.sizes, most)
    size = between(least, most, dice[:, :2]) / view.sizes
    colour = _of(chosen, [each.colour or MEAN for each in pads])
    return _on_ground(view, size, dice[:, 2:] * (size - 1.0), colour)


def _pad_to_aspect(view: View, step: transforms.PadToAspect, dice: Any) -> View:
    ratio = view.aspects / step.aspect
    smallest = ops.stack([ops.maximum(ratio, 1.0), ops.maximum(1.0 / ratio, 1.0)], axis=1)
    least, most = (ops.maximum(limit, smallest) / smallest for limit in (step.least, step.most))
    most = ops.min(most, axis=1, keepdims=True)
    least = ops.minimum(ops.max(least, axis=1, keepdims=True), most)
    size = smallest * between(least, most, dice)
    colour = ops.broadcast_to(ops.convert_to_tensor(step.colour), (size.shape[0], 3))
    return _on_ground(view, size, ops.zeros_like(size), colour)


def _on_ground(view: View, size: Any, start: Any, colour: Any) -> View:
    """A ground of `size (B, 2)` in heights and widths of the view, which is at `start` in it."""
    wider = look(view, ops.concatenate([-start, size - start], axis=1))
    content = ops.concatenate([start / size, (start + 1.0) / size], axis=1)
    return wider._replace(ground=Ground(content, colour))


def _of(chosen: Any, values: Sequence[Any]) -> Any:
    """`(B, ...)`: for each photo one of the values, which are numbers or tuples of them."""
    return ops.take(ops.convert_to_tensor(values, dtype="float32"), chosen, axis=0)


def _upright(boxes: Any) -> Any:
    """Boxes whose start comes before their end again, after a flip."""
    start, end = boxes[..., :2], boxes[..., 2:]
    return ops.concatenate([ops.minimum(start, end), ops.maximum(start, end)], axis=-1)
