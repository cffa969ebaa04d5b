"""Convert boxes from the annotated image size and orientation to the oriented image.

An annotation states the size of the image that its boxes were drawn on. The image may since have
been made smaller, or the labeling tool may have ignored the EXIF orientation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from boxwright.images.decoding import Header
from boxwright.ops.boxes import Boxes, as_boxes, orient
from boxwright.structures.findings import Finding


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


def in_pixels(fractions: Sequence[float], width: int, height: int) -> Boxes:
    """Convert fractions of the image's sides, xyxy, flat or `(n, 4)`, to `(n, 4)` pixels.

    Six decimals or float32 cannot represent all whole pixels exactly, so a coordinate within a
    millionth of the side of a whole pixel is rounded to it.
    """
    far_corner = np.array([width, height, width, height], np.float64)
    pixels = np.asarray(fractions, np.float64).reshape(-1, 4) * far_corner
    whole = np.rint(pixels)
    return as_boxes(np.where(np.abs(pixels - whole) <= 1e-6 * far_corner, whole, pixels))


def from_stored(fractions: Sequence[float], stated: Size | None, header: Header) -> Boxes:
    """Convert fractions of the stored image to `(n, 4)` pixels of the oriented image.

    If the stated size fits only the oriented image, they are fractions of the oriented image.
    """
    upright = Size(header.width, header.height)
    stored = Size(header.height, header.width) if header.swaps_sides else upright
    if stated and _same_shape(stated, upright) and not _same_shape(stated, stored):
        return in_pixels(fractions, *upright)
    return orient(in_pixels(fractions, *stored), header.orientation, *stored)


def into_image(
    drawn: Sequence[float], stated: Size | None, header: Header, where: str
) -> tuple[Boxes, list[Finding]]:
    """Convert boxes drawn on an image of the stated size to pixels of the oriented image.

    Boxes are rotated if the stated size is that of the stored image, and scaled if it has the
    aspect ratio of the image but another size. Any other size is only reported.
    """
    boxes, here = as_boxes(drawn), Size(header.width, header.height)
    findings: list[Finding] = []
    if stated is None or stated == here:
        return boxes, findings
    if header.swaps_sides and _same_shape(stated, Size(here.height, here.width)):
        message = (
            f"the boxes were drawn on the image as stored ({stated}), "
            f"but EXIF orientation {header.orientation} turns it"
        )
        boxes = orient(boxes, header.orientation, *stated)
        stated = Size(stated.height, stated.width)
        findings.append(Finding("BW104", where, message, "boxes turned with the image", (where,)))
    if stated != here:
        message = f"the annotated image size is {stated}, but the image is {here}"
        scalable = _same_shape(stated, here) and _fit(boxes, stated)
        if scalable:
            boxes = boxes * np.array([here[0] / stated[0], here[1] / stated[1]] * 2, np.float32)
        repair = "boxes scaled to the image" if scalable else ""
        findings.append(Finding("BW108", where, message, repair, (where,)))
    return boxes, findings


def orientation_is_unclear(stated: Size | None, header: Header) -> bool:
    """True if the stated size cannot tell if boxes were drawn before or after orienting."""
    turned = header.orientation != 1
    return turned and (not header.swaps_sides or header.width == header.height or stated is None)


def _same_shape(first: Size, second: Size) -> bool:
    """True if both have the same aspect ratio, up to a rounded pixel."""
    difference = abs(first.width * second.height - first.height * second.width)
    return difference <= max(*first, *second)


def _fit(boxes: Boxes, size: Size) -> bool:
    """True if all boxes are inside an image of this size, with a tolerance of one pixel."""
    return not len(boxes) or bool((boxes[:, 2:].max(axis=0) <= np.array(size) + 1).all())
