"""The Object Detection API's augmentation of a batch in the graph, step by step.

Every geometric step is a choice of a window of what is seen so far, above all of it or flipped
too; the windows are multiplied, and the photo's pixels are read once. Colours change afterwards,
whatever place they have among the steps.

Source: the API's `preprocessor`; for random windows TensorFlow's `sample_distorted_bounding_box`,
here with fractions of a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from boxwright.models import framework
from boxwright.training import steps
from boxwright.training.steps import ATTEMPTS, Step

ops: Any = framework.keras().ops

Reader = Callable[[Any, Any, int], Any]  # see `augment.Crop`
WHOLE = [0.0, 0.0, 1.0, 1.0]
LUMA = (0.2989, 0.587, 0.114)


class View(NamedTuple):
    """What is seen of each photo.

    `window (B, 4)`: start y, x and end y, x as fractions of the photo; a flip exchanges them.
    `content (B, 4)`: where the photo is in the view, yxyx; around it is the ground.
    `ground (B, 3)`: its colour; negative for the mean of the content.
    `aspect (B,)`: width over height in pixels.
    `boxes (B, G, 4)`, `labels (B, G)`: what is labelled, yxyx as fractions of the view.
    """

    window: Any
    content: Any
    ground: Any
    aspect: Any
    boxes: Any
    labels: Any


def follow(
    how: Sequence[Step],
    photos: Any,
    boxes: Any,
    labels: Any,
    aspects: Any,
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
        aspects: `(B,)` width over height of the photos before they were squares.
        dice: `(B, n)` in [0, 1), as many as the steps take.
        side: `S`.
        read: the engine's bilinear crop-and-resize.
    """
    batch = photos.shape[0]
    whole = ops.tile([WHOLE], (batch, 1))
    view = View(whole, whole, ops.full((batch, 3), -1.0), aspects, boxes, labels)
    colours, first = [], 0
    for step in how:
        own, first = dice[:, first : first + step.dice], first + step.dice
        if isinstance(step, steps.Geometry):
            view = move(view, step, own)
        else:
            colours.append((step, own[:, 0, None, None, None]))
    if photos.shape[1] == side and all(isinstance(step, steps.Colour) for step in how):
        images = ops.cast(photos, "float32")
    else:
        images = read(photos, view.window, side)
    if any(isinstance(step, steps.Pad) or getattr(step, "pad", None) for step in how):
        images = fill(images, view)
    for step, die in colours:
        images = ops.clip(recolour(images, step, die), 0.0, 255.0)
    return images, view.boxes, view.labels, ops.cast(view.labels >= 0, "float32")


# ---- Geometry ----------------------------------------------------------------------------------


def move(view: View, step: steps.Geometry, dice: Any) -> View:
    """The view after a step with `(B, step.dice)` dice."""
    match step:
        case steps.Flip():
            turned = [1.0, 0.0, 0.0, 1.0] if step.vertical else [0.0, 1.0, 1.0, 0.0]
            return look(view, ops.where(dice < step.probability, [turned], [WHOLE]))
        case steps.Crop():
            return _crop(view, step, dice)
        case steps.CropToAspect():
            height = ops.minimum(view.aspect / step.aspect, 1.0)
            width = ops.minimum(step.aspect / view.aspect, 1.0)
            size = ops.stack([height, width], axis=1)
            start = dice * (1.0 - size)
            window = ops.concatenate([start, start + size], axis=1)
            return cut(view, window, ops.full_like(height, step.overlap), step.clip)
        case steps.Pad():
            return _pad(view, step, dice, ops.ones_like(view.window[:, :2]))


def look(view: View, part: Any) -> View:
    """Only `part (B, 4)` of a view: start y, x and end y, x as fractions of it."""
    start, size = part[:, :2], part[:, 2:] - part[:, :2]
    twice = (ops.tile(start, (1, 2)), ops.tile(size, (1, 2)))
    old = ops.tile(view.window[:, :2], (1, 2))
    scale = ops.tile(view.window[:, 2:] - view.window[:, :2], (1, 2))
    return view._replace(
        window=old + part * scale,
        content=_upright((view.content - twice[0]) / twice[1]),
        aspect=view.aspect * ops.abs(size[:, 1] / size[:, 0]),
        boxes=_upright((view.boxes - twice[0][:, None]) / twice[1][:, None]),
    )


def cut(view: View, window: Any, overlap: Any, clip: Any) -> View:
    """`look`, and nothing is left of what lies outside; a box needs `overlap (B,)` of its area
    within, and ends where the window does if `clip` (`(B,)` or one for all)."""
    inside = look(view, window)
    clipped = ops.clip(inside.boxes, 0.0, 1.0)
    shared, area = _area(clipped), _area(inside.boxes)
    stays = ops.logical_and(shared > 0, shared >= overlap[:, None] * area)
    clip = ops.reshape(ops.convert_to_tensor(clip, dtype="bool"), (-1, 1, 1))
    return inside._replace(
        content=ops.clip(inside.content, 0.0, 1.0),
        boxes=ops.where(clip, clipped, inside.boxes),
        labels=ops.where(stays, inside.labels, -1),
    )


def _crop(view: View, step: steps.Crop, dice: Any) -> View:
    count = len(step.choices)
    chosen = ops.cast(dice[:, 0] * count, "int32")

    def limit(*values: float) -> Any:
        return ops.take(ops.convert_to_tensor(values, dtype="float32"), chosen, axis=0)

    covered = limit(*(choice.covered for choice in step.choices))
    tries = ops.reshape(dice[:, 2 : 2 + 4 * ATTEMPTS], (-1, ATTEMPTS, 4))
    aspect = _between(
        limit(*(choice.aspect[0] for choice in step.choices))[:, None],
        limit(*(choice.aspect[1] for choice in step.choices))[:, None],
        tries[..., 0],
    )
    # Sides are in heights of the photo until they are fractions of it.
    photo_area, photo_width = view.aspect[:, None], view.aspect[:, None]
    least = limit(*(choice.area[0] for choice in step.choices))[:, None] * photo_area
    most = limit(*(choice.area[1] for choice in step.choices))[:, None] * photo_area
    tallest = ops.minimum(ops.sqrt(most / aspect), ops.minimum(photo_width / aspect, 1.0))
    lowest = ops.minimum(ops.sqrt(least / aspect), tallest)
    height = _between(lowest, tallest, tries[..., 1])
    size = ops.stack([height, height * aspect / photo_width], axis=-1)
    start = tries[..., 2:] * (1.0 - size)
    windows = ops.concatenate([start, start + size], axis=-1)  # (B, ATTEMPTS, 4)
    large_enough = height * height * aspect >= least * (1 - 1e-6)
    allowed = ops.logical_and(large_enough, _holds(view, windows, covered))
    window = ops.take_along_axis(
        windows, ops.argmax(ops.cast(allowed, "int32"), axis=1)[:, None, None], axis=1
    )[:, 0]
    whole = dice[:, 1] < limit(*(choice.whole for choice in step.choices))
    kept = ops.logical_or(whole, ops.logical_not(ops.any(allowed, axis=1)))
    overlap = limit(*(choice.overlap for choice in step.choices))
    clip = limit(*(float(choice.clip) for choice in step.choices)) > 0
    result = cut(
        view,
        ops.where(kept[:, None], [WHOLE], window),
        ops.where(whole, 0.0, overlap),
        clip,
    )
    if step.pad is None:
        return result
    size = ops.where(kept[:, None], 1.0, window[:, 2:] - window[:, :2])
    return _pad(result, step.pad, dice[:, -steps.Pad.dice :], 1.0 / size)


def _holds(view: View, windows: Any, covered: Any) -> Any:
    """`(B, ATTEMPTS)` bool: which windows cover enough of some object, or of the photo if there
    is none."""
    present = view.labels >= 0
    none = ops.logical_not(ops.any(present, axis=1))
    first = ops.arange(view.labels.shape[1]) == 0
    everything = ops.logical_and(none[:, None], first)
    boxes = ops.where(everything[..., None], WHOLE, view.boxes)
    boxes = ops.clip(boxes, 0.0, 1.0)[:, None]  # (B, 1, G, 4)
    windows = windows[:, :, None]
    corner = ops.maximum(boxes[..., :2], windows[..., :2])
    far = ops.minimum(boxes[..., 2:], windows[..., 2:])
    sides = ops.maximum(far - corner, 0.0)
    area = _area(boxes)
    enough = sides[..., 0] * sides[..., 1] >= covered[:, None, None] * area
    counts = ops.logical_and(ops.logical_or(present, everything)[:, None], area > 0)
    return ops.any(ops.logical_and(enough, counts), axis=-1)


def _pad(view: View, pad: steps.Pad, dice: Any, unit: Any) -> View:
    """A ground of `pad.least` to `pad.most` times `unit (B, 2)`, a height and a width in those of
    the view, and never smaller than the view."""
    least, most = (ops.maximum(unit * [size], 1.0) for size in (pad.least, pad.most))
    ground = _between(least, most, dice[:, :2])
    start = -dice[:, 2:] * (ground - 1.0)
    colour = [-1.0] * 3 if pad.colour is None else list(pad.colour)
    wider = look(view, ops.concatenate([start, start + ground], axis=1))
    return wider._replace(ground=ops.zeros_like(view.ground) + ops.convert_to_tensor([colour]))


def fill(images: Any, view: View) -> Any:
    """The ground around the content of `(B, S, S, 3)` images."""
    centres = (ops.arange(images.shape[1], dtype="float32") + 0.5) / images.shape[1]
    inside = [
        ops.logical_and(
            centres >= view.content[:, i, None], centres <= view.content[:, i + 2, None]
        )
        for i in range(2)
    ]
    shown = ops.cast(ops.logical_and(inside[0][:, :, None], inside[1][:, None]), "float32")[
        ..., None
    ]
    count = ops.maximum(ops.sum(shown, axis=(1, 2)), 1.0)
    mean = ops.sum(images * shown, axis=(1, 2)) / count
    ground = ops.where(view.ground < 0, mean, view.ground)[:, None, None]
    return images * shown + ground * (1.0 - shown)


# ---- Colours -----------------------------------------------------------------------------------


def recolour(images: Any, step: steps.Colour, die: Any) -> Any:
    """`(B, S, S, 3)` images in [0, 255] after a step with one die `(B, 1, 1, 1)` each."""
    match step:
        case steps.Brightness():
            return images + 255.0 * _between(-step.most, step.most, die)
        case steps.Contrast():
            mean = ops.mean(images, axis=(1, 2), keepdims=True)
            return mean + (images - mean) * _between(step.low, step.high, die)
        case steps.Grey():
            grey = ops.sum(images * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
            return ops.where(die < step.probability, grey, images)
        case steps.Saturation():
            return _in_hsv(
                images, 1, lambda s: ops.clip(s * _between(step.low, step.high, die), 0, 1)
            )
        case steps.Hue():
            return _in_hsv(
                images, 0, lambda h: ops.mod(h + _between(-step.most, step.most, die), 1.0)
            )


def _in_hsv(images: Any, channel: int, change: Callable[[Any], Any]) -> Any:
    hsv = list(ops.split(ops.image.rgb_to_hsv(images / 255.0), 3, axis=-1))
    hsv[channel] = change(hsv[channel])
    return ops.image.hsv_to_rgb(ops.concatenate(hsv, axis=-1)) * 255.0


def _between(low: Any, high: Any, die: Any) -> Any:
    return low + (high - low) * die


def _upright(boxes: Any) -> Any:
    """Boxes whose start comes before their end again, after a flip."""
    start, end = boxes[..., :2], boxes[..., 2:]
    return ops.concatenate([ops.minimum(start, end), ops.maximum(start, end)], axis=-1)


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
