"""Convert boxes from the annotated image size and orientation to the oriented image.

An annotation states the size of the image that its boxes were drawn on. The image may since have
been made smaller, or the labeling tool may have ignored the EXIF orientation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


@dataclass(frozen=True)
class Frame:
    """The coordinates of an annotation's boxes, as part of those of its oriented image.

    Attributes:
        drawn: size of the image that the boxes were drawn on; with `relative`, of the oriented one.
        here: size of the oriented image.
        orientation: the EXIF orientation that turns the boxes, 1 if they were drawn upright.
        scaled: True if the boxes, turned, are scaled to the oriented image.
        relative: True if the boxes are fractions of the oriented image.
    """

    drawn: Size
    here: Size
    orientation: int = 1
    scaled: bool = False
    relative: bool = False

    @property
    def upright(self) -> Size:
        """The size of the image that the boxes were drawn on, turned as they are."""
        width, height = self.drawn
        return Size(height, width) if self.orientation >= 5 else self.drawn

    def to_image(self, drawn: Sequence[float]) -> Boxes:
        """Boxes of the annotation, flat or `(n, 4)`, in pixels `(n, 4)` of the oriented image."""
        if self.relative:
            return in_pixels(drawn, *self.here)
        boxes = as_boxes(drawn)
        if self.orientation != 1:
            boxes = orient(boxes, self.orientation, *self.drawn)
        return boxes * self._factors.astype(np.float32) if self.scaled else boxes

    def from_image(self, boxes: ArrayLike) -> NDArray[np.float64]:
        """The inverse of `to_image`."""
        pixels: NDArray[np.float64] = np.asarray(boxes, np.float64).reshape(-1, 4)
        if self.relative:
            pixels = pixels / np.array([*self.here, *self.here])
        if self.scaled:
            pixels = pixels / self._factors
        if self.orientation == 1:
            return pixels
        back = {6: 8, 8: 6}.get(self.orientation, self.orientation)
        return orient(as_boxes(pixels), back, *self.upright).astype(np.float64)

    @property
    def _factors(self) -> NDArray[np.float64]:
        across, down = (a / b for a, b in zip(self.here, self.upright, strict=True))
        return np.array([across, down, across, down])


def frame_of(drawn: Sequence[float], stated: Size | None, header: Header) -> Frame:
    """The frame of boxes drawn on an image of the stated size.

    Boxes are turned if the stated size is that of the stored image, and scaled if it has the
    aspect ratio of the image but another size.
    """
    here = Size(header.width, header.height)
    if stated is None or stated == here:
        return Frame(here, here)
    stored = Size(here.height, here.width)
    turned = header.swaps_sides and _same_shape(stated, stored)
    frame = Frame(stated, here, header.orientation if turned else 1)
    if frame.upright == here or not _same_shape(frame.upright, here):
        return frame
    return replace(frame, scaled=_fit(frame.to_image(drawn), frame.upright))


def into_image(
    drawn: Sequence[float], stated: Size | None, header: Header, where: str
) -> tuple[Boxes, list[Finding]]:
    """Convert boxes drawn on an image of the stated size to pixels of the oriented image.

    See `frame_of`; a size that fits neither way is only reported.
    """
    frame = frame_of(drawn, stated, header)
    findings: list[Finding] = []
    if frame.orientation != 1:
        message = (
            f"the boxes were drawn on the image as stored ({stated}), "
            f"but EXIF orientation {header.orientation} turns it"
        )
        findings.append(Finding("BW104", where, message, "boxes turned with the image", (where,)))
    if frame.upright != frame.here:
        message = f"the annotated image size is {frame.upright}, but the image is {frame.here}"
        repair = "boxes scaled to the image" if frame.scaled else ""
        findings.append(Finding("BW108", where, message, repair, (where,)))
    return frame.to_image(drawn), findings


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
