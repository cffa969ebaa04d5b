"""Structures in the background of the demo's scenes, painted with Pillow.

Every function takes the random generator, the pen, the picture's width and the row of the horizon,
which is the base of the structure.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import ImageDraw

from boxwright.demo.scenes.people import PAINTS, SILVER, WOOD, pick, shade
from boxwright.demo.scenes.quadrics import Array, Color

Paint = tuple[int, int, int]
Pen = ImageDraw.ImageDraw

WALLS: tuple[Color, ...] = (
    (0.66, 0.36, 0.28),
    (0.72, 0.70, 0.66),
    (0.80, 0.74, 0.60),
    (0.50, 0.54, 0.58),
)


def ink(color: Color) -> Paint:
    """The color as Pillow expects it."""
    red, green, blue = (int(255 * min(1.0, max(0.0, c))) for c in color)
    return red, green, blue


def skyline(rng: Generator, pen: Pen, width: int, horizon: int, haze: Array) -> None:
    """A house, paler with distance."""
    distance = rng.uniform(0.3, 0.85)
    red, green, blue = np.array(pick(rng, WALLS)) * (1 - distance) + haze * distance
    x, w = rng.uniform(-0.1, 0.9) * width, rng.uniform(0.12, 0.35) * width
    top = horizon * rng.uniform(0.25, 0.85)
    color = (float(red), float(green), float(blue))
    pen.rectangle((x, top, x + w, horizon), fill=ink(color))
    step = max(5.0, width * 0.03)
    pane = ink(shade(color, rng.choice([0.8, 1.15])))
    for row in np.arange(top + step / 2, horizon - step, step * 1.3):
        for column in np.arange(x + step / 2, x + w - step / 2, step * 1.2):
            pen.rectangle((column, row, column + step * 0.55, row + step * 0.7), fill=pane)


def crane(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """A tower crane: lattice mast, jib, counterweight, hook."""
    color = ink(shade(pick(rng, PAINTS), 0.85))
    x, top = rng.uniform(0.1, 0.9) * width, horizon * rng.uniform(0.05, 0.35)
    side, thick = (-1) ** int(rng.integers(2)), max(3.0, width * 0.014)
    for y in np.arange(top, horizon, thick * 1.6):
        pen.line((x - thick / 2, y, x + thick / 2, y + thick * 1.6), fill=color)
        pen.line((x + thick / 2, y, x - thick / 2, y + thick * 1.6), fill=color)
    for edge in (-thick / 2, thick / 2):
        pen.line((x + edge, top - thick * 2, x + edge, horizon), fill=color)
    reach = side * width * rng.uniform(0.25, 0.6)
    pen.line((x - reach * 0.3, top, x + reach, top), fill=color, width=2)
    pen.line((x - reach * 0.3, top, x, top - thick * 2.4, x + reach, top), fill=color)
    pen.rectangle(_sorted(x - reach * 0.3, top, x - reach * 0.2, top + thick * 1.6), fill=color)
    hook = x + reach * rng.uniform(0.4, 0.9)
    pen.line((hook, top, hook, top + (horizon - top) * rng.uniform(0.2, 0.7)), fill=(60, 60, 62))


def _sorted(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def wall(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """Bricks or blocks, unfinished at the top."""
    stone = pick(rng, WALLS)
    x, w = rng.uniform(-0.1, 0.7) * width, rng.uniform(0.25, 0.6) * width
    course = max(4, round(width * rng.uniform(0.015, 0.035)))
    foot = horizon + rng.uniform(0, 0.08) * width
    top = horizon * rng.uniform(0.3, 0.8)
    pen.rectangle((x, top + course, x + w, foot), fill=ink(shade(stone, 0.7)))
    for row, y in enumerate(np.arange(foot - course, top, -course)):
        start = x - (row % 2) * course
        for left in np.arange(start, x + w, course * 2):
            tone = shade(stone, 0.9 + 0.2 * rng.random())
            box = (max(left, x), y, min(left + course * 2 - 1, x + w), y + course - 2)
            if box[2] > box[0] and (y > top + 2 * course or rng.random() < 0.7):
                pen.rectangle(box, fill=ink(tone))


def scaffold(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """Standards, ledgers, braces and boards, sometimes with a net behind."""
    x, w = rng.uniform(-0.1, 0.6) * width, rng.uniform(0.3, 0.6) * width
    foot, top = horizon + rng.uniform(0, 0.1) * width, horizon * rng.uniform(0.02, 0.4)
    bay, lift = w / rng.integers(2, 5), (foot - top) / rng.integers(2, 5)
    if rng.random() < 0.5:
        pen.rectangle((x, top, x + w, foot), fill=ink(shade(pick(rng, PAINTS), 0.65)))
    steel = ink(shade(SILVER, rng.uniform(0.5, 1)))
    thick = max(1, width // 110)
    for y in np.arange(top, foot - lift / 2, lift):
        pen.line((x, y, x + w, y), fill=steel, width=thick)
        pen.rectangle((x, y + lift * 0.45, x + w, y + lift * 0.52), fill=ink(WOOD))
        for column in np.arange(x, x + w - bay / 2, bay * 2):
            pen.line((column, y + lift, column + bay, y), fill=steel, width=thick)
    for column in np.arange(x, x + w + 1, bay):
        pen.line((column, top, column, foot), fill=steel, width=thick + 1)


def containers(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """Corrugated containers, one or two high."""
    high = width * rng.uniform(0.12, 0.2)
    x = rng.uniform(-0.1, 0.7) * width
    foot = horizon + rng.uniform(0, 0.06) * width
    for level in range(rng.integers(1, 3)):
        color = shade(pick(rng, PAINTS), 0.85)
        left, low = x + rng.uniform(0, 0.08) * width, foot - level * high
        right = left + high * 2.3
        pen.rectangle((left, low - high, right, low), fill=ink(color))
        for column in np.arange(left, right, high / 9):
            pen.line((column, low - high, column, low), fill=ink(shade(color, 0.78)))
        pen.rectangle((left, low - high, right, low), outline=ink(shade(color, 0.6)))


def fence(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """A mesh fence or a red and white barrier along the horizon."""
    foot = horizon + rng.uniform(0.02, 0.1) * width
    high = width * rng.uniform(0.08, 0.16)
    if rng.random() < 0.5:
        step = max(4.0, width * 0.02)
        for x in np.arange(0, width, step):
            pen.line((x, foot - high, x, foot), fill=(150, 152, 154))
        for y in np.arange(foot - high, foot, step):
            pen.line((0, y, width, y), fill=(150, 152, 154))
    else:
        color, band = ink(pick(rng, PAINTS)), high * 0.3
        pen.rectangle((0, foot - high, width, foot - high + band), fill=(240, 240, 238))
        for x in np.arange(0, width, band * 3):
            y = foot - high
            pen.polygon(
                [(x, y), (x + band, y), (x + band * 2, y + band), (x + band, y + band)], fill=color
            )
        for x in np.arange(band, width, band * 8):
            pen.line((x, foot - high, x, foot), fill=(90, 90, 92), width=2)


def heap(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """Sand or rubble."""
    earth = pick(rng, ((0.78, 0.66, 0.42), (0.52, 0.47, 0.42), (0.66, 0.64, 0.60)))
    x, half = rng.uniform(0, 1) * width, rng.uniform(0.12, 0.3) * width
    foot, high = horizon + rng.uniform(0, 0.08) * width, half * rng.uniform(0.4, 0.8)
    for i in range(4):
        grow = 1 - i * 0.16
        tone = ink(shade(earth, 0.82 + 0.07 * i))
        lean = i * half * 0.1
        outline = [(x - half * grow - lean, foot), (x - lean, foot - high * grow)]
        pen.polygon([*outline, (x + half * grow - lean, foot)], fill=tone)


def shelf(rng: Generator, pen: Pen, width: int, horizon: int) -> None:
    """A rack with boxes and tins in all colors."""
    x, w = rng.uniform(-0.1, 0.6) * width, rng.uniform(0.3, 0.6) * width
    foot, top = horizon + rng.uniform(0, 0.06) * width, horizon * rng.uniform(0.2, 0.5)
    board = (foot - top) / rng.integers(2, 5)
    pen.rectangle((x, top, x + w, foot), fill=ink((0.25, 0.26, 0.28)))
    for y in np.arange(top + board, foot + 1, board):
        left = x
        while left < x + w:
            wide, high = board * rng.uniform(0.3, 0.7), board * rng.uniform(0.3, 0.85)
            color = pick(rng, (*PAINTS, WOOD, SILVER))
            right = min(left + wide, x + w)
            pen.rectangle((left, y - high, right, y), fill=ink(shade(color, 0.8)))
            left += wide * rng.uniform(1.0, 1.5)
        pen.line((x, y, x + w, y), fill=ink((0.75, 0.40, 0.12)), width=2)


def planks(rng: Generator, pen: Pen, width: int, height: int, horizon: int) -> None:
    """A board lying on the ground between the horizon and the bottom of the picture."""
    y = rng.uniform(horizon + 0.1 * (height - horizon), height)
    x, long = rng.uniform(-0.2, 0.9) * width, rng.uniform(0.2, 0.6) * width
    rise, thick = rng.normal(0, 0.12) * long, width * rng.uniform(0.008, 0.02)
    color = shade(pick(rng, (WOOD, SILVER, WOOD)), rng.uniform(0.7, 1.1))
    for offset, tone in ((thick, 0.6), (0.0, 1.0)):
        y0, y1 = y + offset, y + offset - rise
        outline = [(x, y0), (x + long, y1), (x + long, y1 + thick), (x, y0 + thick)]
        pen.polygon(outline, fill=ink(shade(color, tone)))


def tape(rng: Generator, pen: Pen, width: int, height: int) -> None:
    """Barrier tape across the picture."""
    y0, y1 = rng.uniform(0.3, 0.95, 2) * height
    thick, steps = width * rng.uniform(0.012, 0.025), 24
    colors = ink(pick(rng, (PAINTS[4], PAINTS[0], PAINTS[2]))), (245, 245, 242)
    sag = rng.uniform(0, 0.08) * height
    t = np.linspace(0, 1, steps + 1)
    line = y0 + (y1 - y0) * t + sag * np.sin(np.pi * t)
    for i in range(steps):
        x0, x1 = t[i] * width, t[i + 1] * width
        top = [(x0, line[i]), (x1, line[i + 1])]
        pen.polygon([*top, (x1, line[i + 1] + thick), (x0, line[i] + thick)], fill=colors[i % 2])
