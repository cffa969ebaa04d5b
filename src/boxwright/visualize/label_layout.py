"""Where the plates with class and score go, so that they can be read and hide little."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from boxwright.ops.boxes import areas, intersections

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Size = tuple[int, int]  # width, height
Rectangles = NDArray[np.int64]  # (n, 4) whole pixels xyxy, xmax and ymax just outside
SMALLEST_TEXT = 8  # pixels; nobody can read less


class Labeled(Protocol):
    """The name of a class, and a score in [0, 1]."""

    @property
    def name(self) -> str: ...

    @property
    def score(self) -> float: ...


@dataclass(frozen=True)
class LabelBox:
    """A line of text on a rectangle.

    Attributes:
        left, top, width, height: pixels of the photo.
        text: class and score; a name too long for the photo is shortened.
        font: in which the text fits the rectangle.
        padding: pixels between the rectangle's edge and the text.
    """

    left: int
    top: int
    width: int
    height: int
    text: str
    font: Font
    padding: int


def lay_out(
    found: Sequence[Labeled],
    frames: Rectangles,
    text_size: int,
    image: Size,
    *,
    scores: bool = True,
) -> list[LabelBox | None]:
    """A plate for each detection, all inside the photo; None where the photo has no room for it.

    `frames` are the drawn boxes, `(n, 4)`; the first detections get the best places. As long as
    plates cover each other the text shrinks, to six tenths of `text_size` at most. `scores` says
    whether these stand behind the classes.
    """
    label_boxes: list[LabelBox | None] = []
    for share in (1.0, 0.85, 0.7, 0.6):
        label_boxes, covered = _at_size(found, frames, round(text_size * share), image, scores)
        if not covered:
            break
    return label_boxes


def _at_size(
    found: Sequence[Labeled], frames: Rectangles, text_size: int, image: Size, scores: bool
) -> tuple[list[LabelBox | None], bool]:
    """Plates with text of that size, and whether some cover each other."""
    font = font_fitting(text_size, image[1])
    if font is None:
        return [None] * len(found), False
    padding = max(1, round(text_size / 6))
    height = line_height(font) + 2 * padding
    label_boxes: list[LabelBox | None] = []
    taken = np.zeros((0, 4), np.int64)
    covered = False
    for detection, frame in zip(found, frames, strict=True):
        text = _caption(detection, font, image[0] - 2 * padding, scores)
        if not text:
            label_boxes.append(None)
            continue
        width = length(font, text) + 2 * padding
        candidates = _candidates(frame, (width, height), image)
        on_labels = intersections(candidates[:, None], taken).sum(axis=1)
        hidden = (intersections(candidates[:, None], frames) / areas(frames)).sum(axis=1)
        best = np.lexsort(((2 * hidden).round(), on_labels))[0]  # the usual place, unless bad
        covered |= bool(on_labels[best])
        taken = np.vstack([taken, candidates[best]])
        left, top = candidates[best, :2].tolist()
        label_boxes.append(LabelBox(left, top, width, height, text, font, padding))
    return label_boxes, covered


def _candidates(frame: NDArray[np.int64], label_box: Size, image: Size) -> Rectangles:
    """`(k, 4)` places for a plate at a box and inside the photo, best first."""
    (left, top, right, bottom), (width, height) = frame.tolist(), label_box
    max_left, max_top = image[0] - width, image[1] - height
    rows = (top - height, top, bottom - height, bottom)  # above, inside twice, below
    stacked = [(x, y) for y in rows for x in (left, right - width) if 0 <= y <= max_top]
    columns = [x for x in (right, left - width) if 0 <= x <= max_left]
    beside = [(x, y) for y in (top, top - height, bottom) for x in columns]
    inside = [
        (max(0, min(x, max_left)), max(0, min(y, max_top)))
        for x, y in [*stacked, *beside] or [(left, top)]
    ]
    return np.array([(x, y, x + width, y + height) for x, y in inside], np.int64)


def _caption(detection: Labeled, font: Font, room: int, scores: bool) -> str:
    """Class and score in at most `room` pixels; nothing if not even the score fits."""
    percent = f" {detection.score:.0%}" if scores else ""
    name = shortened(detection.name, font, room - length(font, percent))
    text = f"{name}{percent}".strip()
    return text if length(font, text) <= room else ""


def shortened(text: str, font: Font, room: int) -> str:
    """`text`, its end replaced by an ellipsis if it is wider than `room` pixels."""
    if length(font, text) <= room:
        return text
    for end in range(len(text) - 1, 0, -1):
        if length(font, text[:end] + "…") <= room:
            return text[:end] + "…"
    return ""


@lru_cache(maxsize=64)
def font_of(pixels: int) -> Font:
    """Pillow's own scalable font."""
    return ImageFont.load_default(pixels)


def font_fitting(pixels: int, height: int) -> Font | None:
    """The font of that size, or a smaller one for a photo of few rows; None if none can be read."""
    for smaller in range(max(pixels, SMALLEST_TEXT), SMALLEST_TEXT - 1, -1):
        font = font_of(smaller)
        if line_height(font) + 2 * max(1, round(pixels / 6)) <= height:
            return font
    return None


@lru_cache(maxsize=4096)
def length(font: Font, text: str) -> int:
    """Width of `text` in pixels."""
    return math.ceil(font.getlength(text))


def line_height(font: Font) -> int:
    """Ascent and descent; Pillow's bitmap font, used where FreeType is missing, only has a box."""
    if isinstance(font, ImageFont.FreeTypeFont):
        return sum(font.getmetrics())
    return int(font.getbbox("Hg")[3])
