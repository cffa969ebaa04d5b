"""Boxes as arrays: conversions, areas, overlaps. Boxes are `(n, 4)` absolute xyxy pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float32]
N = TypeVar("N", np.float32, np.float64, np.int64)


def as_boxes(values: ArrayLike) -> Boxes:
    """`values` as an `(n, 4)` float32 array; an empty list becomes `(0, 4)`."""
    return np.asarray(values, np.float32).reshape(-1, 4)


def areas(boxes: NDArray[N]) -> NDArray[N]:
    """`(...)` areas of boxes `(..., 4)` in square pixels; zero for inverted boxes."""
    return _covered(boxes[..., :2], boxes[..., 2:])


def intersections(first: NDArray[N], second: NDArray[N]) -> NDArray[N]:
    """Intersection areas of pairs of boxes, `(...)`; `(..., 4)` and `(..., 4)` broadcast."""
    corner = np.maximum(first[..., :2], second[..., :2])
    far_corner = np.minimum(first[..., 2:], second[..., 2:])
    return _covered(corner, far_corner)


def iou(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair: `(n, 4)` and `(m, 4)` give `(n, m)`.

    Two boxes without area have an IoU of 0. The axis order does not matter, so normalized yxyx
    boxes work too if both use it.
    """
    return iou_of_pairs(first[:, None], second)


def iou_of_pairs(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Elementwise intersection over union, `(...)`; `(..., 4)` and `(..., 4)` broadcast."""
    shared = intersections(first, second)
    union = areas(first) + areas(second) - shared
    overlap: NDArray[np.float32] = np.zeros_like(shared)
    np.divide(shared, union, out=overlap, where=shared > 0)
    return overlap


def corner_and_sides(boxes: Boxes) -> NDArray[np.float64]:
    """COCO's boxes in float64: x, y, width, height; the sides of an inverted box are negative."""
    corners = boxes.astype(np.float64)
    return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])


def coco_iou(
    first: NDArray[np.float64], second: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Elementwise IoU of boxes x, y, width, height, `(n, 4)` each, rounded as in pycocotools.

    Where `crowd` `(n,)` is True it is the part of `first` inside `second`.
    """
    far_corner = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    sides = far_corner - np.maximum(first[:, :2], second[:, :2])
    shared = sides[:, 0] * sides[:, 1]
    area = first[:, 2] * first[:, 3]
    union = np.where(crowd, area, area + second[:, 2] * second[:, 3] - shared)
    overlap = np.zeros(len(first))
    np.divide(shared, union, out=overlap, where=(sides > 0).all(axis=1))
    return overlap


def parts_within(boxes: Boxes, regions: Boxes) -> NDArray[np.float32]:
    """The fraction of each box inside each region, 0 to 1: `(n, 4)` and `(m, 4)` give `(n, m)`."""
    shared = intersections(boxes[:, None], regions)
    part: NDArray[np.float32] = np.zeros_like(shared)
    np.divide(shared, areas(boxes)[:, None], out=part, where=shared > 0)
    return part


def upright(boxes: Boxes) -> Boxes:
    """Boxes with inverted corners swapped."""
    mins: Boxes = np.minimum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([mins, np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)


def clip(boxes: Boxes, width: float, height: float) -> Boxes:
    """`boxes` clipped to an image of `width` x `height` pixels."""
    far_corner: Boxes = np.asarray([width, height, width, height], np.float32)
    clipped: Boxes = boxes.clip(np.float32(0), far_corner)
    return clipped


def orient(boxes: Boxes, orientation: int, width: float, height: float) -> Boxes:
    """Convert boxes from the stored image to the image after EXIF orientation.

    `orientation` is EXIF's, 1 to 8 (Exif 2.32, tag 0x0112); `width` and `height` are pixels of
    the stored image. Orientations 5 to 8 swap width and height.
    """
    xmin, ymin, xmax, ymax = boxes.T
    if orientation in {2, 3, 7, 8}:
        xmin, xmax = width - xmax, width - xmin
    if orientation in {3, 4, 6, 7}:
        ymin, ymax = height - ymax, height - ymin
    if orientation >= 5:
        xmin, ymin, xmax, ymax = ymin, xmin, ymax, xmax
    return as_boxes(np.stack([xmin, ymin, xmax, ymax], axis=1))


def normalized_yxyx(boxes: Boxes, width: float, height: float) -> Boxes:
    """Convert pixel xyxy to the Object Detection API's `[ymin, xmin, ymax, xmax]` in [0, 1]."""
    far_corner: Boxes = np.asarray([width, height, width, height], np.float32)
    normalized: Boxes = boxes / far_corner
    return normalized[:, [1, 0, 3, 2]]


def pixel_xyxy(boxes: Boxes, width: float, height: float) -> Boxes:
    """The inverse of `normalized_yxyx`."""
    return boxes[:, [1, 0, 3, 2]] * np.asarray([width, height, width, height], np.float32)


def _covered(corner: NDArray[N], far_corner: NDArray[N]) -> NDArray[N]:
    sides: NDArray[N] = np.maximum(far_corner - corner, 0)
    covered: NDArray[N] = sides[..., 0] * sides[..., 1]
    return covered
