"""Draw boxes that are readable on any image, and contact sheets of several images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxwright.ops.boxes import Boxes
from boxwright.visualize.label_layout import (
    SMALLEST_TEXT,
    LabelBox,
    Rectangles,
    Size,
    font_of,
    lay_out,
    lay_out_legend,
    length,
    line_height,
    padding_of,
    shortened,
)

Color = tuple[int, int, int]
Point = tuple[float, float]

# Okabe & Ito's colors, distinguishable with any color vision: jfly.uni-koeln.de/color
PALETTE: tuple[Color, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
)
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
CAPTION: Color = (60, 60, 60)
WIDEST_PAIR = 960  # pixels; maximum width of detections and truth side by side
RIM = (0, 0, 0, 110)  # of every line, so that bright lines are visible on bright images


def color_of(label: int) -> Color:
    """The color of a class id; from the eighth class on in lighter, then darker shades."""
    base = PALETTE[label % len(PALETTE)]
    towards, share = ((BLACK, 0.0), (WHITE, 0.55), (BLACK, 0.45))[label // len(PALETTE) % 3]
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(base, towards, strict=True))
    return red, green, blue


class Named(Protocol):
    """A box's class."""

    @property
    def name(self) -> str: ...


class Drawable(Protocol):
    """Boxes to draw with their classes, scores and identities, such as `structures.detections`."""

    @property
    def boxes(self) -> Boxes: ...

    @property
    def scores(self) -> NDArray[np.float32]: ...

    @property
    def labels(self) -> NDArray[np.int32]: ...

    @property
    def track_ids(self) -> NDArray[np.int64] | None: ...

    def __iter__(self) -> Iterator[Named]: ...

    def __getitem__(self: _Drawable, which: NDArray[np.int64]) -> _Drawable: ...


_Drawable = TypeVar("_Drawable", bound=Drawable)


def draw(
    image: NDArray[np.uint8] | Image.Image,
    detections: Drawable,
    *,
    truth: Boxes | None = None,
    line: int | None = None,
    scores: bool = True,
) -> Image.Image:
    """Draw a box and a label for each detection on a copy of the image: its class and score, or its
    identity in place of the score.

    Args:
        image: RGB, `(H, W, 3)` uint8 if an array.
        detections: the detections in the image.
        truth: `(m, 4)` xyxy pixels, drawn below in dashed white.
        line: line width in pixels; None uses a width that, like the text, grows with the image.
        scores: True if labels include the score.
    """
    picture = image.copy() if isinstance(image, Image.Image) else Image.fromarray(image)
    draw_on(picture, detections, truth=truth, line=line, scores=scores)
    return picture


def draw_on(
    picture: Image.Image,
    detections: Drawable,
    *,
    truth: Boxes | None = None,
    line: int | None = None,
    scores: bool = True,
    legend: Mapping[str, Color] | None = None,
) -> None:
    """Draw as `draw`, but on the RGB picture itself. `legend` is written in a corner; None for the
    classes that no label names."""
    pen = ImageDraw.Draw(picture, "RGBA")
    side = math.sqrt(picture.width * picture.height)
    line = line or max(1, round(side / 170))
    if truth is not None:
        frames, widths = _frames(truth, line, picture.size)
        for frame, width in zip(frames, widths, strict=True):
            _draw_dashed(pen, frame, width)
    best_first = detections[np.argsort(-detections.scores, kind="stable")]
    frames, widths = _frames(best_first.boxes, line, picture.size)
    colors = [color_of(label) for label in best_first.labels.tolist()]
    for frame, width, color in reversed(list(zip(frames, widths, colors, strict=True))):
        _draw_solid(pen, frame, width, color)
    text_size = _text_size(picture)
    labels = [each.name for each in best_first]
    named = len(labels) == 1 or len(set(labels)) > 1  # a single class is named only in the legend
    label_boxes = lay_out(
        labels if named else [""] * len(labels),
        _notes(best_first, scores=scores),
        frames,
        text_size,
        picture.size,
    )
    if legend is None:
        shown = {name for name, label in zip(labels, label_boxes, strict=True) if named and label}
        pairs = zip(labels, colors, strict=True)
        legend = {name: color for name, color in pairs if name not in shown}
    lines = lay_out_legend(list(legend), frames, label_boxes, text_size, picture.size)
    drawn = [*zip(lines, legend.values(), strict=True), *zip(label_boxes, colors, strict=True)]
    for label_box, color in reversed(drawn):
        if label_box is not None:
            _draw_label(pen, label_box, color)


def draw_path(picture: Image.Image, points: Sequence[Point], *, closed: bool = False) -> None:
    """Draw a white line through points, in pixels, on the RGB picture; `closed` joins the last one
    with the first."""
    pen = ImageDraw.Draw(picture, "RGBA")
    width = _path_width(picture)
    path = [*points, points[0]] if closed else list(points)
    pen.line(path, fill=RIM, width=3 * width, joint="curve")
    pen.line(path, fill=WHITE, width=width, joint="curve")


def draw_text(picture: Image.Image, text: str, point: Point, direction: Point) -> None:
    """Write a text beside a point of a path on the RGB picture, moved into the picture.

    Args:
        picture: the picture.
        text: the text, shortened if it is wider than the picture.
        point: x and y, pixels.
        direction: from the point to the text, of length 1.
    """
    text_size = max(SMALLEST_TEXT, _text_size(picture))
    font, padding = font_of(text_size), padding_of(text_size)
    shown = shortened(text, font, picture.width - 2 * padding)
    size = (length(font, shown) + 2 * padding, line_height(font) + 2 * padding)
    reach = sum(abs(part) * side / 2 for part, side in zip(direction, size, strict=True))
    away = 2 * _path_width(picture) + reach
    corner = np.add(point, np.multiply(direction, away)) - np.divide(size, 2)
    left, top = np.clip(corner, 0, np.maximum(0, np.subtract(picture.size, size))).tolist()
    label_box = LabelBox(round(left), round(top), *size, shown, font, padding)
    _draw_label(ImageDraw.Draw(picture, "RGBA"), label_box, WHITE)


def contact_sheet(
    pictures: Sequence[Image.Image],
    *,
    columns: int,
    captions: Sequence[str] | None = None,
    width: int = 1600,
) -> Image.Image:
    """Arrange pictures in rows on a white sheet of `width` pixels, with captions below them.

    Large pictures are reduced to fit; small ones are not enlarged. Every row is as high as its
    highest picture.
    """
    gap = max(4, width // 100)
    cell = (width - gap) // columns - gap
    small = [picture.copy() for picture in pictures]
    for picture in small:
        picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
    font = font_of(max(SMALLEST_TEXT, min(18, cell // 16)))
    text_height = line_height(font) + gap // 2 if captions else 0
    rows = [small[i : i + columns] for i in range(0, len(small), columns)]
    heights = [max(picture.height for picture in row) + text_height for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) + 1)), WHITE)
    pen = ImageDraw.Draw(sheet)
    top = gap
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        for column, picture in enumerate(row):
            left = gap + column * (cell + gap)
            middle = (height - text_height - picture.height) // 2
            sheet.paste(picture, (left + (cell - picture.width) // 2, top + middle))
            if captions:
                text = shortened(captions[number * columns + column], font, cell)
                place = (left + cell // 2, top + height - text_height + gap // 2)
                pen.text(place, text, fill=CAPTION, font=font, anchor="ma")
        top += height + gap
    return sheet


def beside_truth(
    image: NDArray[np.uint8], detections: Drawable, truth: Drawable, *, name: str
) -> Image.Image:
    """Detections on the left and the truth on the right, with the name of the image.

    Args:
        image: RGB `(H, W, 3)` uint8; large images are reduced.
        detections: the detections in the image.
        truth: the true objects; their scores are ignored.
        name: the name of the image.
    """
    pair = [draw(image, detections), draw(image, truth, scores=False)]
    width = min(WIDEST_PAIR, 2 * image.shape[1] + 3 * WIDEST_PAIR // 100)
    return contact_sheet(pair, columns=2, captions=[name, "truth"], width=width)


def _text_size(picture: Image.Image) -> int:
    return round(6 + math.sqrt(picture.width * picture.height) / 45)


def _path_width(picture: Image.Image) -> int:
    return max(1, round(math.sqrt(picture.width * picture.height) / 250))


def _notes(detections: Drawable, *, scores: bool) -> list[str]:
    """What labels say beside the class: the identity, or the score."""
    percents = [f"{score:.0%}" if scores else "" for score in detections.scores.tolist()]
    if detections.track_ids is None:
        return percents
    identities = detections.track_ids.tolist()
    return [
        f"#{identity}" if identity >= 0 else percent
        for identity, percent in zip(identities, percents, strict=True)
    ]


def _frames(boxes: Boxes, line: int, image: Size) -> tuple[Rectangles, list[int]]:
    """The outer edges of the boxes' lines, `(n, 4)`, inside the image; and the line widths.

    A line is centered on the edge of its box, and thinner around a small object.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    widths = np.clip(np.round(sides / 8), 1, line).astype(np.int64)
    half = (widths // 2)[:, None]
    first = np.clip(np.floor(boxes[:, :2]).astype(np.int64) - half, 0, np.subtract(image, 1))
    last = np.clip(np.ceil(boxes[:, 2:]).astype(np.int64) + half, first + 1, image)
    return np.hstack([first, last]), widths.tolist()


def _draw_solid(
    pen: ImageDraw.ImageDraw, frame: NDArray[np.int64], width: int, color: Color
) -> None:
    left, top, right, bottom = frame.tolist()
    _draw_rim(pen, frame, width)
    pen.rectangle((left, top, right - 1, bottom - 1), outline=color, width=width)


def _draw_dashed(pen: ImageDraw.ImageDraw, frame: NDArray[np.int64], width: int) -> None:
    left, top, right, bottom = frame.tolist()
    _draw_rim(pen, frame, width)
    dash = 4 * width + 4
    for x in range(left, right, 2 * dash):
        end = min(x + dash, right) - 1
        pen.rectangle((x, top, end, top + width - 1), fill=WHITE)
        pen.rectangle((x, bottom - width, end, bottom - 1), fill=WHITE)
    for y in range(top, bottom, 2 * dash):
        end = min(y + dash, bottom) - 1
        pen.rectangle((left, y, left + width - 1, end), fill=WHITE)
        pen.rectangle((right - width, y, right - 1, end), fill=WHITE)


def _draw_rim(pen: ImageDraw.ImageDraw, frame: NDArray[np.int64], width: int) -> None:
    rim = max(1, width // 3)
    left, top, right, bottom = frame.tolist()
    around = (left - rim, top - rim, right - 1 + rim, bottom - 1 + rim)
    pen.rectangle(around, outline=RIM, width=width + 2 * rim)


def _draw_label(pen: ImageDraw.ImageDraw, label_box: LabelBox, color: Color) -> None:
    right, bottom = label_box.left + label_box.width - 1, label_box.top + label_box.height - 1
    pen.rectangle((label_box.left, label_box.top, right, bottom), fill=color)
    corner = (label_box.left + label_box.padding, label_box.top + label_box.padding)
    pen.text(corner, label_box.text, fill=_readable_on(color), font=label_box.font, anchor="la")


def _readable_on(color: Color) -> Color:
    """Black or white, whichever contrasts more (WCAG 2.2, relative luminance)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in color)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return BLACK if luminance > 0.179 else WHITE
