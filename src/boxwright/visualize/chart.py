"""Charts that compare detectors: scatter plots and stacked bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from boxwright.ops.boxes import intersections
from boxwright.visualize.draw import BLACK, CAPTION, PALETTE, WHITE, Color, color_of
from boxwright.visualize.label_layout import Font, font_of, length, line_height, shortened

WIDTH, HEIGHT = 1280, 800
LEFT, RIGHT, TOP, BOTTOM = 110, 50, 80, 90  # margins in pixels
TITLE_SIZE, TEXT_SIZE = 26, 19
GRID: Color = (226, 226, 226)
DOT = 9  # radius of a point, pixels
BAR, GAP = 44, 34
TICKS = 6


class Point(NamedTuple):
    """A named point."""

    name: str
    x: float
    y: float


class Bar(NamedTuple):
    """A named bar of stacked parts."""

    name: str
    parts: tuple[float, ...]


def scatter(points: Sequence[Point], *, title: str, x: str, y: str) -> Image.Image:
    """Draw points as colored dots with their names, on axes from 0 that `x` and `y` name."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), WHITE)
    pen, font = ImageDraw.Draw(picture), font_of(TEXT_SIZE)
    pen.text((LEFT, TOP // 2), title, fill=BLACK, font=font_of(TITLE_SIZE), anchor="lm")
    x_ticks = ticks(max(point.x for point in points))
    y_ticks = ticks(max(point.y for point in points))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    across, up = (right - LEFT) / x_ticks[-1], (bottom - TOP) / y_ticks[-1]
    for value in x_ticks:
        column = LEFT + value * across
        pen.line((column, TOP, column, bottom), fill=GRID)
        pen.text((column, bottom + 8), f"{value:g}", fill=CAPTION, font=font, anchor="ma")
    for value in y_ticks:
        row = bottom - value * up
        pen.line((LEFT, row, right, row), fill=GRID)
        pen.text((LEFT - 10, row), f"{value:g}", fill=CAPTION, font=font, anchor="rm")
    pen.text(((LEFT + right) / 2, HEIGHT - 20), x, fill=CAPTION, font=font, anchor="ms")
    pen.text((LEFT - 10, TOP - 16), y, fill=CAPTION, font=font, anchor="rs")
    positions = [(LEFT + point.x * across, bottom - point.y * up) for point in points]
    taken = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in positions]
    for number, (point, (column, row)) in enumerate(zip(points, positions, strict=True)):
        around = (column - DOT, row - DOT, column + DOT, row + DOT)
        pen.ellipse(around, fill=color_of(number), outline=BLACK)
        name = shortened(point.name, font, WIDTH // 3)
        box = _place(name, (column, row), font, taken)
        taken.append(box)
        pen.text(box[:2], name, fill=BLACK, font=font, anchor="la")
    return picture


def stacked_bars(bars: Sequence[Bar], *, title: str, parts: Sequence[str], x: str) -> Image.Image:
    """Draw horizontal bars below each other; `parts` names their colors, `x` the axis."""
    font = font_of(TEXT_SIZE)
    left = min(30 + max(length(font, bar.name) for bar in bars), WIDTH // 3)
    height = TOP + 40 + len(bars) * (BAR + GAP) + BOTTOM
    picture = Image.new("RGB", (WIDTH, height), WHITE)
    pen = ImageDraw.Draw(picture)
    pen.text((20, TOP // 2), title, fill=BLACK, font=font_of(TITLE_SIZE), anchor="lm")
    _legend(pen, parts, (left, TOP), font)
    top, bottom, right = TOP + 40, height - BOTTOM, WIDTH - RIGHT - 60
    levels = ticks(max(sum(bar.parts) for bar in bars))
    across = (right - left) / levels[-1]
    for value in levels:
        column = left + value * across
        pen.line((column, top, column, bottom), fill=GRID)
        pen.text((column, bottom + 8), f"{value:g}", fill=CAPTION, font=font, anchor="ma")
    pen.text(((left + right) / 2, height - 20), x, fill=CAPTION, font=font, anchor="ms")
    for number, bar in enumerate(bars):
        row = top + GAP // 2 + number * (BAR + GAP)
        name = shortened(bar.name, font, left - 20)
        pen.text((left - 10, row + BAR / 2), name, fill=BLACK, font=font, anchor="rm")
        start = float(left)
        for part, color in zip(bar.parts, PALETTE, strict=False):
            end = start + part * across
            if end - start >= 1:
                pen.rectangle((start, row, end - 1, row + BAR - 1), fill=color)
            start = end
        total = f"{sum(bar.parts):.1f}"
        pen.text((start + 8, row + BAR / 2), total, fill=BLACK, font=font, anchor="lm")
    return picture


def ticks(largest: float) -> list[float]:
    """About six round numbers, from 0 to at least `largest`."""
    if largest <= 0:
        return [0.0, 1.0]
    rough = largest / TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= rough)
    return [round(i * step, 10) for i in range(math.ceil(largest / step - 1e-9) + 1)]


def _legend(
    pen: ImageDraw.ImageDraw, parts: Sequence[str], place: tuple[int, int], font: Font
) -> None:
    left, top = place
    for part, color in zip(parts, PALETTE, strict=False):
        pen.rectangle((left, top, left + 18, top + 18), fill=color)
        pen.text((left + 26, top + 9), part, fill=CAPTION, font=font, anchor="lm")
        left += 26 + length(font, part) + 30


def _place(
    name: str, point: tuple[float, float], font: Font, taken: Sequence[tuple[float, ...]]
) -> tuple[float, float, float, float]:
    """The box of a point's name: beside, above or below it, where it overlaps least."""
    (column, row), width, height = point, length(font, name), line_height(font)
    beside, above = DOT + 6, height + DOT + 2
    corners = [(column + beside, row - height / 2), (column - beside - width, row - height / 2)]
    for away in range(3):
        rise = away * height
        corners += [
            (column - width / 2, row - above - rise),
            (column - width / 2, row + DOT + rise),
        ]
    boxes = [(x, y, x + width, y + height) for x, y in corners]
    inside = [box for box in boxes if box[0] >= LEFT and box[2] <= WIDTH]
    others = np.array(taken, np.float64).reshape(-1, 4)
    return min(inside or boxes, key=lambda box: intersections(np.array(box), others).sum())
