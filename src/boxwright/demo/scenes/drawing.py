"""The demo's images: drawn building sites with hard hats, so that nothing has to be downloaded.

A scene is a painted backdrop with rendered solids, drawn from far to near: people in hard hats and
in other hats, hard hats on the ground, and clutter of the same colors and similar shapes. The
visible pixels of each hard hat are known, so every box is tight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.demo.scenes.backdrops import Backdrop, backdrop, grain
from boxwright.demo.scenes.clutter import IN_THE_AIR, ON_THE_GROUND, sign
from boxwright.demo.scenes.people import PAINTS, SILVER, hard_hat, person, pick
from boxwright.demo.scenes.quadrics import (
    Light,
    Part,
    frustum,
    moved,
    render,
    shift,
    to_pixels,
    turn,
)
from boxwright.ops.boxes import Boxes, as_boxes

OVERSAMPLING = 1.5  # the scene is composed this much larger and averaged down
MIN_VISIBLE = 0.8  # minimum visible fraction of a hard hat
HOW_MANY_HATS = (0.14, 0.50, 0.27, 0.09)  # probabilities of 0, 1, 2, 3
SMALLEST, LARGEST = 0.19, 0.36  # radius of a hard hat's shell, in shorter sides of the image


@dataclass
class _Thing:
    """An object in a scene: its parts in pixel space, its nearness, and its shadow."""

    parts: list[Part]
    nearness: float
    shadow: tuple[float, float, float] | None = None  # x, y, radius in pixels


@dataclass
class _Canvas:
    """The scene while it is composed. `owner` is the number of each pixel's hard hat, or -1."""

    colors: NDArray[np.uint8]
    light: Light
    owner: NDArray[np.int8] = field(init=False)
    full: list[int] = field(default_factory=list)  # pixels of each hard hat before others hide it

    def __post_init__(self) -> None:
        self.owner = np.full(self.colors.shape[:2], -1, np.int8)

    def lay(self, thing: _Thing) -> bool:
        """Draw `thing` over the scene, unless it would hide too much of a hard hat."""
        height, width = self.owner.shape
        left, top, colors, mask, target = render(thing.parts, self.light, width, height)
        window = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
        below = self.owner[window]
        if self.full:
            visible = self._visible()
            hidden = np.bincount(below[mask & (below >= 0)], minlength=len(self.full))
            if np.any(visible - hidden < MIN_VISIBLE * np.array(self.full)):
                return False
        if thing.shadow:
            self._darken(*thing.shadow)
        np.copyto(self.colors[window], colors, where=mask[..., None])
        below[mask] = -1
        if target.any():
            below[target] = len(self.full)
            self.full.append(int(target.sum()))
        return True

    def boxes(self) -> Boxes:
        """`(n, 4)` xyxy boxes of the visible part of each hard hat, canvas pixels."""
        rows, columns = np.nonzero(self.owner >= 0)
        owner = self.owner[rows, columns]
        found = []
        for hat in range(len(self.full)):
            y, x = rows[owner == hat], columns[owner == hat]
            found.append((x.min(), y.min(), x.max() + 1, y.max() + 1))
        return as_boxes(found)

    def _visible(self) -> NDArray[np.intp]:
        return np.bincount(self.owner[self.owner >= 0], minlength=len(self.full))

    def _darken(self, x: float, y: float, radius: float) -> None:
        """A soft shadow on the ground."""
        height, width = self.owner.shape
        x0, x1 = (int(np.clip(x + s * radius * 1.6, 0, width)) for s in (-1, 1))
        y0, y1 = (int(np.clip(y + s * radius * 0.6, 0, height)) for s in (-1, 1))
        across = (np.arange(x0, x1, dtype=np.float32) - x) / radius
        down = (np.arange(y0, y1, dtype=np.float32) - y) / (radius * 0.35)
        dark = 1 - 0.6 * np.exp(-((across**2)[None, :] + (down**2)[:, None]) * 1.5)
        patch = self.colors[y0:y1, x0:x1]
        patch[...] = (patch * dark[..., None]).astype(np.uint8)


def draw_scene(
    rng: np.random.Generator, width: int, height: int
) -> tuple[NDArray[np.uint8], Boxes]:
    """Draw one image, `(height, width, 3)` RGB uint8, and the boxes of its hard hats, `(n, 4)`
    xyxy pixels."""
    w, h = round(width * OVERSAMPLING), round(height * OVERSAMPLING)
    behind = backdrop(rng, w, h)
    canvas = _Canvas(behind.picture, behind.light)
    for thing in sorted(_things(rng, behind, w, h), key=lambda thing: thing.nearness):
        canvas.lay(thing)
    small = Image.fromarray(canvas.colors).resize((width, height), Image.Resampling.BOX)
    scale = np.array([width / w, height / h] * 2, np.float32)
    return _photographed(rng, np.asarray(small)), canvas.boxes() * scale


def _things(rng: np.random.Generator, behind: Backdrop, w: int, h: int) -> Iterator[_Thing]:
    side = min(w, h)
    hats = int(rng.choice(len(HOW_MANY_HATS), p=HOW_MANY_HATS))
    camera = rng.uniform(-0.05, 0.35) if behind.horizon else rng.uniform(0.5, 0.8)
    people = behind.horizon > 0
    for _ in range(hats):
        radius = _size(rng, LARGEST) * side
        if people and rng.random() < 0.55:
            yield _standing(rng, behind, w, h, radius, camera, in_hard_hat=True)
        else:
            yield _lying(rng, behind, w, h, radius, camera)
    for _ in range(rng.integers(0, 3) if people else 0):
        radius = _size(rng, LARGEST) * side
        yield _standing(rng, behind, w, h, radius, camera, in_hard_hat=False)
    for _ in range(rng.integers(3, 8)):
        radius = _size(rng, LARGEST) * side
        yield _clutter(rng, behind, w, h, radius, camera)
    if rng.random() < 0.25:
        yield _pole(rng, w, h)


def _size(rng: np.random.Generator, largest: float) -> float:
    return float(np.exp(rng.uniform(np.log(SMALLEST), np.log(largest))))


def _standing(
    rng: np.random.Generator,
    behind: Backdrop,
    w: int,
    h: int,
    radius: float,
    camera: float,
    *,
    in_hard_hat: bool,
) -> _Thing:
    x = rng.uniform(1.3 * radius, w - 1.3 * radius)
    y = np.clip(behind.horizon + rng.normal(0, 0.18) * h, 1.3 * radius, h * 0.85)
    pose = turn(pitch=camera * 0.6, roll=rng.normal(0, 0.05)) @ turn(yaw=rng.uniform(-np.pi, np.pi))
    parts = person(rng, in_hard_hat=in_hard_hat)
    matrix = to_pixels(x, y, radius) @ pose
    foot = y + 9.6 * radius * np.cos(camera * 0.6)
    shadow = (x, foot, 2.2 * radius) if foot < h + radius else None
    return _Thing(moved(parts, matrix), radius, shadow)


def _lying(
    rng: np.random.Generator, behind: Backdrop, w: int, h: int, radius: float, camera: float
) -> _Thing:
    """A hard hat on the ground, sometimes tipped over, or held up on a post."""
    x = rng.uniform(1.3 * radius, w - 1.3 * radius)
    y = rng.uniform(max(behind.horizon, 1.3 * radius), h - 0.8 * radius)
    tip = rng.normal(0, 0.2) if rng.random() < 0.93 else rng.choice([-1, 1]) * rng.uniform(0.6, 1)
    pose = turn(pitch=camera, roll=tip) @ turn(rng.uniform(-np.pi, np.pi), rng.normal(0, 0.15))
    parts = hard_hat(rng)
    if rng.random() < 0.15:
        y = rng.uniform(1.3 * radius, h * 0.7)
        parts.append(frustum(-9, 0.6, 0.12, 0.12, pick(rng, (SILVER, *PAINTS))))
        pose = turn(pitch=camera * 0.5, roll=tip * 0.4) @ turn(rng.uniform(-np.pi, np.pi))
        shadow = None
    else:
        shadow = (x, y + 0.1 * radius, 1.4 * radius)
    matrix = to_pixels(x, y, radius) @ pose
    return _Thing(moved(parts, matrix), radius, shadow)


def _clutter(
    rng: np.random.Generator, behind: Backdrop, w: int, h: int, radius: float, camera: float
) -> _Thing:
    x = rng.uniform(0, w)
    if behind.horizon and rng.random() < 0.15:
        y = rng.uniform(0.1, 0.5) * h
        prop = IN_THE_AIR[rng.integers(len(IN_THE_AIR))]
        matrix = to_pixels(x, y, radius) @ turn(pitch=-0.2)
        return _Thing(moved(prop(rng), matrix), radius)
    y = rng.uniform(behind.horizon, h + 0.5 * radius)
    prop = ON_THE_GROUND[rng.integers(len(ON_THE_GROUND))]
    limit = 0.9 if prop is sign else np.pi  # seen edge-on, a sign is only a line
    yaw = turn(rng.uniform(-limit, limit))
    lie = shift(y=0.6) @ turn(roll=1.45) if rng.random() < 0.15 else np.eye(4)
    matrix = to_pixels(x, y, radius) @ turn(pitch=camera) @ yaw @ lie
    parts = moved(prop(rng), matrix)
    return _Thing(parts, radius, (x, y, 1.3 * radius))


def _pole(rng: np.random.Generator, w: int, h: int) -> _Thing:
    """A scaffold tube right in front of the camera."""
    tube = frustum(-2, 2, 0.012, 0.012, pick(rng, (SILVER, *PAINTS)), gloss=0.8)
    lean = rng.normal(0, 0.1) + rng.choice([0, np.pi / 2])
    matrix = to_pixels(rng.uniform(0, w), rng.uniform(0, h), max(w, h)) @ turn(roll=lean)
    return _Thing(moved([tube], matrix), np.inf)


def _photographed(rng: np.random.Generator, scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Apply the effects of a camera: exposure, tint, vignette, sensor noise."""
    height, width = scene.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    down = np.linspace(-1, 1, height, dtype=np.float32) ** 2
    vignette = 1 - np.float32(rng.uniform(0, 0.22)) * (across[None, :] + down[:, None])
    gain = rng.uniform(0.85, 1.12) * rng.uniform(0.95, 1.05, 3)
    pixels = scene * (vignette[..., None] * gain.astype(np.float32))
    y, x = rng.integers(0, 512 - height), rng.integers(0, 512 - width)
    noise = grain()[y : y + height, x : x + width] * np.float32(rng.uniform(1, 5))
    pixels += noise[..., None]
    return np.clip(pixels, 0, 255).astype(np.uint8)
