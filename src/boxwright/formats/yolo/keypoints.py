"""Keypoints behind the box of a YOLO label line, or the corners of a shape in its place.

Keypoints have a visibility of 0, 1 or 2 each or, where a detector wrote them, a confidence, or
neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

VISIBILITIES = frozenset({0, 1, 2})  # of keypoints: not labeled, hidden, visible
CORNER = 2  # coordinates of a shape that are 0 or 1 in a corner of the image
MAX_KEYPOINTS = 200  # of an object; a shape may have thousands of corners
BEYOND = 0.01  # of the image that a box may be outside of it, by rounding
MIN_PAIRS = 3  # keypoints of two numbers; two look like any four corners
NEAR = 0.75  # distance from the center of a box, in its sides, that a detected keypoint may have

Keypoint = tuple[float, float, float]


def has_visibilities(values: Sequence[float]) -> bool:
    """True if the numbers after the class are a box and keypoints with their visibilities.

    No shape has a coordinate of 2. Where keypoints have visibilities, two coordinates of a shape in
    a corner of the image may be 0 or 1. If more are, then others are not those of points in the
    box, or of points at 0, 0 that are not labeled.
    """
    x, y, width, height, *points = values
    visibilities = points[2::3]
    if len(points) % 3 or not VISIBILITIES.issuperset(visibilities):
        return False
    return max(visibilities) > 1 or (
        len(visibilities) != CORNER
        and all(
            (abs(across - x) <= width / 2 and abs(down - y) <= height / 2)
            if visibility
            else across == down == 0
            for across, down, visibility in _keypoints(values)
        )
    )


def has_keypoints(values: Sequence[float]) -> bool:
    """True if numbers that are a shape's are probably a box and keypoints.

    All keypoints are near the box, and a shape with these corners would cross itself, which hand
    drawn ones do now and then, but seldom all of a data set.
    """
    may_have_some = _may_have_confidences(values) or _may_have_pairs(values)
    return may_have_some and _crosses_itself(values)


def is_unclear(values: Sequence[float]) -> bool:
    """True if numbers that are a shape's may as well be a box and keypoints with confidences.

    One keypoint looks like a triangle and its confidence. The shape of several ones usually leaves
    the box, because confidences are its coordinates.
    """
    if not _may_have_confidences(values):
        return False
    x, y, width, height, *_ = values
    keypoints = list(_keypoints(values))
    return len(keypoints) == 1 or any(
        not _is_near(confidence, x, width) or not _is_near(confidence, y, height)
        for _, _, confidence in keypoints
    )


def _may_have_confidences(values: Sequence[float]) -> bool:
    """True if keypoints near the box may follow it, each with a confidence.

    A confidence of the box may follow several keypoints.
    """
    x, y, width, height, *points = values
    count, rest = divmod(len(points), 3)
    if rest > 1 or (rest and count == 1) or count > MAX_KEYPOINTS or not _is_inside(values):
        return False
    if VISIBILITIES.issuperset(points[2::3]):
        return False
    return all(
        0 <= confidence <= 1
        and ((_is_near(across, x, width) and _is_near(down, y, height)) or across == down == 0)
        for across, down, confidence in _keypoints(values)
    )


def _may_have_pairs(values: Sequence[float]) -> bool:
    """True if several keypoints in the box may follow it, without anything else."""
    x, y, width, height, *points = values
    if len(points) % 2 or not MIN_PAIRS <= len(points) // 2 <= MAX_KEYPOINTS:
        return False
    return _is_inside(values) and all(
        (abs(across - x) <= width / 2 and abs(down - y) <= height / 2) or across == down == 0
        for across, down in zip(points[::2], points[1::2], strict=True)
    )


def _keypoints(values: Sequence[float]) -> Iterator[Keypoint]:
    return zip(values[4::3], values[5::3], values[6::3], strict=False)


def _is_inside(values: Sequence[float]) -> bool:
    """True if a box, which is cut off at the image's border, may begin these numbers.

    Two corners of a shape that is right of the center or below it are none.
    """
    return all(
        side / 2 - BEYOND <= center <= 1 - side / 2 + BEYOND
        for center, side in zip(values[:2], values[2:4], strict=True)
    )


def _is_near(value: float, center: float, side: float) -> bool:
    return abs(value - center) <= NEAR * side


def _crosses_itself(values: Sequence[float]) -> bool:
    """True if two sides of the shape with these corners cross."""
    first = np.array(values[: len(values) // 2 * 2]).reshape(-1, 2)
    second = np.roll(first, -1, axis=0)
    (x, y), (dx, dy) = first.T[:, :, None], (second - first).T[:, :, None]
    starts, ends = (
        dx * (corners[:, 1] - y) - dy * (corners[:, 0] - x) for corners in (first, second)
    )
    apart = starts * ends < 0  # the ends of a side are on both sides of another one
    return bool((apart & apart.T).any())
