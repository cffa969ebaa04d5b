"""Positions of the labels with class and score: readable, and hiding little of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from boxwright.ops.boxes import areas, intersections

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Size = tuple[int, int]  # width, height
Rectangles = NDArray[np.int64]  # (n, 4) whole pixels xyxy, xmax and ymax just outside
SMALLEST_TEXT = 8  # pixels; smaller text is unreadable
MAX_HIDDEN = 0.25  # maximum fraction of another object's box that a label may cover


@dataclass(frozen=True)
class LabelBox:
    """A line of text on a rectangle.

    Attributes:
        left, top, width, height: pixels of the image.
        text: name and note; a name that is too long for the image is shortened.
        font: the font in which the text fits the rectangle.
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
    names: Sequence[str],
    notes: Sequence[str],
    frames: Rectangles,
    text_size: int,
    image: Size,
) -> list[LabelBox | None]:
    """Place a label for each detection inside the image.

    While labels cover each other or an object beside them, the text shrinks, to six tenths of
    `text_size` at most. A label that would still hide another object is left out.

    Args:
        names: of the classes; the first get the best positions. Names may be empty.
        notes: what is written after each name, such as a score, and never shortened.
        frames: `(n, 4)`, the drawn boxes.
        text_size: height of the text, pixels.
        image: its width and height.

    Returns:
        A label for each detection; None where there is no room for it.
    """
    label_boxes: list[LabelBox | None] = []
    captions = list(zip(names, notes, strict=True))
    for share in (1.0, 0.85, 0.7, 0.6):
        label_boxes, crowded = _at_size(captions, frames, round(text_size * share), image)
        if not crowded:
            break
    return label_boxes


def lay_out_legend(
    names: Sequence[str],
    frames: Rectangles,
    label_boxes: Sequence[LabelBox | None],
    text_size: int,
    image: Size,
) -> list[LabelBox | None]:
    """Stack a line for each name in the corner of the image in which they hide least; None for
    names that do not fit.

    Args:
        names: of classes.
        frames, label_boxes, text_size, image: as `lay_out` takes and returns them.
    """
    font = font_fitting(text_size, image[1])
    if font is None or not names:
        return [None] * len(names)
    padding = padding_of(text_size)
    height = line_height(font) + 2 * padding
    texts = [shortened(name, font, image[0] - 2 * padding) for name in names]
    shown = min(len(texts), image[1] // height)
    if not shown:
        return [None] * len(names)
    width = max(length(font, text) for text in texts[:shown]) + 2 * padding
    labels = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in label_boxes if b]
    taken = np.vstack([frames, np.array(labels, np.int64).reshape(-1, 4)])
    right, below = image[0] - width, image[1] - shown * height
    corners = np.array([(x, y) for y in (0, below) for x in (0, right)], np.int64)
    corners = np.hstack([corners, np.add(corners, (width, shown * height))])
    hidden = (intersections(corners[:, None], taken) / areas(taken)).sum(axis=1)
    left, top = corners[int(np.argmin(hidden)), :2].tolist()
    lines: list[LabelBox | None] = [
        LabelBox(left, top + row * height, width, height, text, font, padding)
        for row, text in enumerate(texts[:shown])
    ]
    return lines + [None] * (len(names) - shown)


def _text(name: str, note: str, font: Font, room: int) -> str:
    """Name and note as far as there is room; nothing if not even the note fits."""
    note = f" {note}" if note else ""
    text = f"{shortened(name, font, room - length(font, note))}{note}".strip()
    return text if length(font, text) <= room else ""


def _at_size(
    captions: Sequence[tuple[str, str]], frames: Rectangles, text_size: int, image: Size
) -> tuple[list[LabelBox | None], bool]:
    """Labels with text of that size; True if some cover each other or would hide an object."""
    font, padding = font_fitting(text_size, image[1]), padding_of(text_size)
    label_boxes: list[LabelBox | None] = [None] * len(captions)
    taken = np.zeros((0, 4), np.int64)
    crowded = False
    for index, (name, note) in enumerate(captions):
        text = _text(name, note, font, image[0] - 2 * padding) if font else ""
        if not (font and text):
            continue
        width, height = length(font, text) + 2 * padding, line_height(font) + 2 * padding
        candidates = _candidates(frames[index], (width, height), image)
        on_labels = intersections(candidates[:, None], taken).sum(axis=1)
        hidden = intersections(candidates[:, None], frames) / areas(frames)
        best = np.lexsort(((2 * hidden.sum(axis=1)).round(), on_labels))[0]  # the first, unless bad
        hides = np.delete(hidden[best], index).max(initial=0) > MAX_HIDDEN
        crowded |= bool(hides or on_labels[best])
        if not hides:
            left, top = candidates[best, :2].tolist()
            label_boxes[index] = LabelBox(left, top, width, height, text, font, padding)
            taken = np.vstack([taken, candidates[best]])
    return label_boxes, crowded


def _candidates(frame: NDArray[np.int64], label_box: Size, image: Size) -> Rectangles:
    """`(k, 4)` positions for a label at a box and inside the image, best first."""
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
    """The font of that size, or a smaller one for a low image; None if it would be unreadable."""
    for smaller in range(max(pixels, SMALLEST_TEXT), SMALLEST_TEXT - 1, -1):
        font = font_of(smaller)
        if line_height(font) + 2 * padding_of(pixels) <= height:
            return font
    return None


def padding_of(pixels: int) -> int:
    """Pixels between text of that size and its label's edge."""
    return max(1, round(pixels / 6))


@lru_cache(maxsize=4096)
def length(font: Font, text: str) -> int:
    """Width of `text` in pixels."""
    return math.ceil(font.getlength(text))


def line_height(font: Font) -> int:
    """Ascent and descent; Pillow's bitmap font, used where FreeType is missing, only has a box."""
    if isinstance(font, ImageFont.FreeTypeFont):
        return sum(font.getmetrics())
    return int(font.getbbox("Hg")[3])
