"""Backgrounds of the demo's scenes: building sites, halls and floors, painted with Pillow."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxwright.demo.scenes import structures as build
from boxwright.demo.scenes.people import WOOD, pick, shade
from boxwright.demo.scenes.quadrics import Array, Color, Light
from boxwright.demo.scenes.structures import WALLS, ink


class Mood(NamedTuple):
    """Time of day and weather: colors of the sky's top and bottom, the sun and the sky's light."""

    top: Color
    bottom: Color
    sun: Color
    sky: Color


MOODS = (
    Mood((0.30, 0.55, 0.90), (0.80, 0.90, 0.98), (0.66, 0.62, 0.54), (0.52, 0.55, 0.62)),
    Mood((0.45, 0.66, 0.92), (0.93, 0.93, 0.90), (0.60, 0.57, 0.50), (0.55, 0.57, 0.60)),
    Mood((0.66, 0.70, 0.74), (0.86, 0.88, 0.88), (0.24, 0.24, 0.24), (0.78, 0.79, 0.82)),
    Mood((0.35, 0.38, 0.62), (0.99, 0.70, 0.42), (0.80, 0.54, 0.32), (0.48, 0.46, 0.56)),
    Mood((0.10, 0.13, 0.28), (0.42, 0.38, 0.52), (0.52, 0.44, 0.34), (0.34, 0.38, 0.54)),
    Mood((0.82, 0.86, 0.80), (0.96, 0.95, 0.88), (0.50, 0.50, 0.44), (0.60, 0.62, 0.58)),
)
EARTHS: tuple[Color, ...] = (
    (0.62, 0.52, 0.38),
    (0.55, 0.54, 0.52),
    (0.74, 0.66, 0.50),
    (0.42, 0.40, 0.36),
    (0.40, 0.50, 0.28),
    (0.66, 0.42, 0.30),
)


class Backdrop(NamedTuple):
    """A painted background, `(height, width, 3)` uint8; the row of its horizon; its light."""

    picture: NDArray[np.uint8]
    horizon: float
    light: Light


def backdrop(rng: np.random.Generator, width: int, height: int) -> Backdrop:
    """Paint a backdrop, slightly out of focus."""
    focus = rng.uniform(0.4, 1.0)
    w, h = int(width * focus), int(height * focus)
    mood = MOODS[rng.integers(len(MOODS))]
    kind = rng.random()
    if kind < 0.68:
        horizon = int(h * rng.uniform(0.3, 0.62))
        picture = _building_site(rng, w, h, horizon, mood)
    elif kind < 0.84:
        horizon = int(h * rng.uniform(0.45, 0.7))
        picture = _hall(rng, w, h, horizon)
    else:
        horizon = 0
        picture = _floor(rng, w, h)
    pixels = picture.resize((width, height), Image.Resampling.BILINEAR)
    towards = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.9, -0.35), rng.uniform(0.3, 0.9)])
    towards /= np.linalg.norm(towards)
    light = Light(towards.astype(np.float32), mood.sun, mood.sky)
    return Backdrop(np.array(pixels), horizon / focus, light)


@functools.cache
def grain() -> Array:
    """Standard normal noise, `(512, 512)`."""
    return np.random.default_rng(7).standard_normal((512, 512), np.float32)


def rough(rng: np.random.Generator, width: int, height: int, cell: int) -> Array:
    """Noise `(height, width)` with spots about `cell` pixels wide, from about -2 to 2."""
    rows, columns = height // cell + 2, width // cell + 2
    y, x = rng.integers(0, 512 - rows), rng.integers(0, 512 - columns)
    spots = Image.fromarray(grain()[y : y + rows, x : x + columns])
    size = (columns * cell, rows * cell)
    return np.asarray(spots.resize(size, Image.Resampling.BILINEAR))[:height, :width]


def _gradient(top: Color, bottom: Color, width: int, height: int) -> Array:
    ramp = np.linspace(0, 1, max(height, 1), dtype=np.float32)[:, None]
    column = np.array(top, np.float32) * (1 - ramp) + np.array(bottom, np.float32) * ramp
    return np.repeat(column[:, None], width, 1)


def _textured(rng: np.random.Generator, base: Array, strength: float) -> Array:
    """`base`, `(h, w, 3)` in [0, 1], with coarse and fine noise."""
    height, width = base.shape[:2]
    noise = rough(rng, width, height, max(2, width // 12))
    noise = noise + rough(rng, width, height, 2) * rng.uniform(0.3, 1.2)
    textured: Array = base * (1 + np.float32(strength) * noise)[..., None]
    return textured


def _to_image(pixels: Array) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _building_site(
    rng: np.random.Generator, width: int, height: int, horizon: int, mood: Mood
) -> Image.Image:
    sky = _gradient(mood.top, mood.bottom, width, horizon)
    if rng.random() < 0.6:
        clouds = np.clip(rough(rng, width, horizon, max(6, width // 7)), 0, 1.2)
        sky += clouds[..., None] * np.float32(0.16)
    near = pick(rng, EARTHS)
    far = shade(near, 0.8)
    ground = _textured(rng, _gradient(far, near, width, height - horizon), rng.uniform(0.04, 0.13))
    picture = _to_image(np.concatenate([sky, ground]))
    pen = ImageDraw.Draw(picture)
    haze = np.array(mood.bottom)
    for _ in range(rng.integers(1, 4)):
        build.skyline(rng, pen, width, horizon, haze)
    for _ in range(rng.integers(0, 3)):
        build.crane(rng, pen, width, horizon)
    things = (build.wall, build.scaffold, build.containers, build.fence, build.heap)
    for _ in range(rng.integers(1, 4)):
        things[rng.integers(len(things))](rng, pen, width, horizon)
    for _ in range(rng.integers(0, 4)):
        build.planks(rng, pen, width, height, horizon)
    if rng.random() < 0.25:
        build.tape(rng, pen, width, height)
    return picture


def _hall(rng: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    wall, floor = pick(rng, WALLS), pick(rng, EARTHS)
    upper = _textured(rng, _gradient(shade(wall, 0.75), wall, width, horizon), 0.03)
    lower = _textured(
        rng, _gradient(shade(floor, 0.8), floor, width, height - horizon), rng.uniform(0.02, 0.08)
    )
    picture = _to_image(np.concatenate([upper, lower]))
    pen = ImageDraw.Draw(picture)
    for x in np.arange(rng.uniform(0, 0.2), 1, rng.uniform(0.2, 0.4)) * width:  # windows
        top, low = horizon * 0.12, horizon * rng.uniform(0.4, 0.6)
        pen.rectangle((x, top, x + width * 0.12, low), fill=ink((0.86, 0.93, 0.97)))
        pen.line((x + width * 0.06, top, x + width * 0.06, low), fill=ink(shade(wall, 0.6)))
    for _ in range(rng.integers(1, 4)):
        (build.shelf, build.containers, build.scaffold, build.wall)[rng.integers(4)](
            rng, pen, width, horizon
        )
    for _ in range(rng.integers(0, 3)):
        build.planks(rng, pen, width, height, horizon)
    return picture


def _floor(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Ground seen from above: gravel, concrete slabs or boards."""
    base = pick(rng, (*EARTHS, WOOD))
    pixels = _textured(
        rng, _gradient(shade(base, 0.9), base, width, height), rng.uniform(0.05, 0.2)
    )
    picture = _to_image(pixels)
    pen = ImageDraw.Draw(picture)
    kind = rng.integers(3)
    if kind == 0:
        for x, y, r in rng.uniform(0, 1, (140, 3)):
            radius = (0.006 + 0.014 * r) * width
            x, y = x * width, y * height
            pen.ellipse(
                (x - radius, y - 0.7 * radius, x + radius, y + 0.7 * radius),
                fill=ink(shade(base, 0.65 + 0.6 * rng.random())),
            )
    else:
        step = rng.uniform(0.12, 0.3) * width
        for x in np.arange(rng.uniform(0, step), width, step):
            pen.line((x, 0, x + rng.uniform(-3, 3), height), fill=ink(shade(base, 0.55)), width=2)
        if kind == 2:
            for y in np.arange(rng.uniform(0, step), height, step):
                pen.line((0, y, width, y), fill=ink(shade(base, 0.55)), width=2)
    for _ in range(rng.integers(0, 4)):
        build.planks(rng, pen, width, height, 0)
    return picture
