"""Boxes as arrays: conversions, areas, overlaps. Boxes are `(n, 4)` absolute xyxy pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float32]


def as_boxes(values: ArrayLike) -> Boxes:
    """`values` as an `(n, 4)` float32 array; an empty list becomes `(0, 4)`."""
    return np.asarray(values, np.float32).reshape(-1, 4)


def area(boxes: Boxes) -> NDArray[np.float32]:
    """`(n,)` areas in square pixels; zero for inverted boxes."""
    sides: Boxes = np.maximum(boxes[:, 2:] - boxes[:, :2], np.float32(0))
    areas: NDArray[np.float32] = sides[:, 0] * sides[:, 1]
    return areas


def iou(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair: `(n, 4)` and `(m, 4)` give `(n, m)`.

    Two boxes without area overlap by 0. The order of the axes does not matter, so normalised
    yxyx boxes work as well, as long as both are the same.
    """
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides: NDArray[np.float32] = np.maximum(bottom_right - top_left, np.float32(0))
    intersection: NDArray[np.float32] = sides[..., 0] * sides[..., 1]
    union: NDArray[np.float32] = area(first)[:, None] + area(second)[None, :] - intersection
    overlap: NDArray[np.float32] = np.zeros_like(intersection)
    np.divide(intersection, union, out=overlap, where=intersection > 0)
    return overlap


def upright(boxes: Boxes) -> Boxes:
    """Boxes that were drawn backwards, with their corners swapped back."""
    least: Boxes = np.minimum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([least, np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)


def clip(boxes: Boxes, width: float, height: float) -> Boxes:
    """`boxes` cut off at the edges of a photo of `width` x `height` pixels."""
    far_corner: Boxes = np.asarray([width, height, width, height], np.float32)
    clipped: Boxes = boxes.clip(np.float32(0), far_corner)
    return clipped


def orient(boxes: Boxes, orientation: int, width: float, height: float) -> Boxes:
    """Boxes drawn on a photo as it is stored, moved to where they lie once it is oriented.

    `orientation` is EXIF's, 1 to 8 (Exif 2.32, tag 0x0112); `width` and `height` are pixels of
    the photo as stored. From 5 on the oriented photo has its sides swapped.
    """
    xmin, ymin, xmax, ymax = boxes.T
    if orientation in {2, 3, 7, 8}:
        xmin, xmax = width - xmax, width - xmin
    if orientation in {3, 4, 6, 7}:
        ymin, ymax = height - ymax, height - ymin
    if orientation >= 5:
        xmin, ymin, xmax, ymax = ymin, xmin, ymax, xmax
    return as_boxes(np.stack([xmin, ymin, xmax, ymax], axis=1))


def normalised_yxyx(boxes: Boxes, width: float, height: float) -> Boxes:
    """Pixels xyxy to the Object Detection API's `[ymin, xmin, ymax, xmax]` in [0, 1]."""
    far_corner: Boxes = np.asarray([width, height, width, height], np.float32)
    normalised: Boxes = boxes / far_corner
    return normalised[:, [1, 0, 3, 2]]


def pixel_xyxy(boxes: Boxes, width: float, height: float) -> Boxes:
    """The inverse of `normalised_yxyx`."""
    return boxes[:, [1, 0, 3, 2]] * np.asarray([width, height, width, height], np.float32)
