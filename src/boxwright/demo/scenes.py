"""The demo's photos: drawn building sites with hard hats in them, and nothing to download.

A scene is a painted backdrop on which solids are laid from far to near: people in hard hats and
in other hats, hard hats lying about, and clutter in the same colours and of similar shapes. What
stays visible of each hard hat is known to the pixel, so every box is tight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.data.geometry import Boxes, as_boxes
from boxwright.demo.backdrops import backdrop, grain
from boxwright.demo.clutter import IN_THE_AIR, ON_THE_GROUND, sign
from boxwright.demo.people import PAINTS, SILVER, Paints, hard_hat, person, pick
from boxwright.demo.quadrics import Light, Part, frustum, moved, render, shift, to_pixels, turn

OVERSAMPLING = 1.5  # the scene is composed this much larger and averaged down
LEAST_VISIBLE = 0.8  # nothing may hide more of a hard hat than the rest of this
HOW_MANY_HATS = (0.14, 0.50, 0.27, 0.09)  # probabilities of 0, 1, 2, 3
HOW_MANY_PAINTS = 3  # in one scene
SMALLEST, LARGEST = 0.19, 0.36  # radius of a hard hat's shell, in shorter sides of the photo


@dataclass
class _Thing:
    """Something to put into a scene: its parts in pixel space, and what it stands on."""

    parts: list[Part]
    nearness: float
    shadow: tuple[float, float, float] | None = None  # x, y, radius in pixels


@dataclass
class _Canvas:
    """The scene while it is composed. `owner` says which hard hat a pixel shows, or -1."""

    colours: NDArray[np.uint8]
    light: Light
    owner: NDArray[np.int8] = field(init=False)
    full: list[int] = field(default_factory=list)  # pixels of each hard hat when it was laid down

    def __post_init__(self) -> None:
        self.owner = np.full(self.colours.shape[:2], -1, np.int8)

    def lay(self, thing: _Thing) -> bool:
        """Draw `thing` over what is there, unless it would hide too much of a hard hat."""
        height, width = self.owner.shape
        left, top, colours, mask, target = render(thing.parts, self.light, width, height)
        window = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
        below = self.owner[window]
        if self.full:
            visible = self._visible()
            hidden = np.bincount(below[mask & (below >= 0)], minlength=len(self.full))
            if np.any(visible - hidden < LEAST_VISIBLE * np.array(self.full)):
                return False
        if thing.shadow:
            self._darken(*thing.shadow)
        np.copyto(self.colours[window], colours, where=mask[..., None])
        below[mask] = -1
        if target.any():
            below[target] = len(self.full)
            self.full.append(int(target.sum()))
        return True

    def boxes(self) -> Boxes:
        """`(n, 4)` xyxy of what is visible of each hard hat, canvas pixels."""
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
        patch = self.colours[y0:y1, x0:x1]
        patch[...] = (patch * dark[..., None]).astype(np.uint8)


@dataclass(frozen=True)
class _Site:
    """Where a scene plays: makes the things that stand there.

    Attributes:
        rng: decides everything.
        width, height: of the canvas, pixels.
        horizon: the row of the horizon; 0 where the camera looks down on the floor.
        camera: how far the camera looks down, radians.
        paints: the few that everything here is painted with, so that a hard hat's colour is
            also that of other things.
    """

    rng: np.random.Generator
    width: int
    height: int
    horizon: float
    camera: float
    paints: Paints

    def things(self) -> Iterator[_Thing]:
        """Everything in the scene, in any order."""
        rng, has_people = self.rng, self.horizon > 0
        for _ in range(rng.choice(len(HOW_MANY_HATS), p=HOW_MANY_HATS)):
            worn = has_people and rng.random() < 0.55
            yield self._standing(in_hard_hat=True) if worn else self._lying()
        for _ in range(rng.integers(0, 3) if has_people else 0):
            yield self._standing(in_hard_hat=False)
        for _ in range(rng.integers(3, 8)):
            yield self._hanging() if has_people and rng.random() < 0.15 else self._clutter()
        if rng.random() < 0.25:
            yield self._pole()

    def _radius(self) -> float:
        size = np.exp(self.rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
        return float(size) * min(self.width, self.height)

    def _standing(self, *, in_hard_hat: bool) -> _Thing:
        rng, radius, pitch = self.rng, self._radius(), self.camera * 0.6
        x = rng.uniform(1.3 * radius, self.width - 1.3 * radius)
        y = self.horizon + rng.normal(0, 0.18) * self.height
        y = np.clip(y, 1.3 * radius, self.height * 0.85)
        pose = turn(pitch=pitch, roll=rng.normal(0, 0.05)) @ turn(self._any_yaw())
        parts = person(rng, self.paints, in_hard_hat=in_hard_hat)
        foot = y + 9.6 * radius * np.cos(pitch)
        shadow = (x, foot, 2.2 * radius) if foot < self.height + radius else None
        return _Thing(moved(parts, to_pixels(x, y, radius) @ pose), radius, shadow)

    def _lying(self) -> _Thing:
        """A hard hat on the ground, sometimes tipped over, or held up on a post."""
        rng, radius = self.rng, self._radius()
        x = rng.uniform(1.3 * radius, self.width - 1.3 * radius)
        y = rng.uniform(max(self.horizon, 1.3 * radius), self.height - 0.8 * radius)
        tipped = rng.random() < 0.07
        tip = rng.choice([-1, 1]) * rng.uniform(0.6, 1) if tipped else rng.normal(0, 0.2)
        pose = turn(pitch=self.camera, roll=tip) @ turn(self._any_yaw(), rng.normal(0, 0.15))
        parts = hard_hat(rng, self.paints)
        shadow = (x, y + 0.1 * radius, 1.4 * radius)
        if rng.random() < 0.15:
            y = rng.uniform(1.3 * radius, self.height * 0.7)
            parts.append(frustum(-9, 0.6, 0.12, 0.12, pick(rng, (SILVER, *self.paints))))
            pose = turn(pitch=self.camera * 0.5, roll=tip * 0.4) @ turn(self._any_yaw())
            shadow = None
        return _Thing(moved(parts, to_pixels(x, y, radius) @ pose), radius, shadow)

    def _hanging(self) -> _Thing:
        rng, radius = self.rng, self._radius()
        x, y = rng.uniform(0, self.width), rng.uniform(0.1, 0.5) * self.height
        parts = IN_THE_AIR[rng.integers(len(IN_THE_AIR))](rng, self.paints)
        return _Thing(moved(parts, to_pixels(x, y, radius) @ turn(pitch=-0.2)), radius)

    def _clutter(self) -> _Thing:
        rng, radius = self.rng, self._radius()
        x = rng.uniform(0, self.width)
        y = rng.uniform(self.horizon, self.height + 0.5 * radius)
        prop = ON_THE_GROUND[rng.integers(len(ON_THE_GROUND))]
        yaw = rng.uniform(-0.9, 0.9) if prop is sign else self._any_yaw()  # seen from its face
        lie = shift(y=0.6) @ turn(roll=1.45) if rng.random() < 0.15 else np.eye(4)
        pose = turn(pitch=self.camera) @ turn(yaw) @ lie
        parts = moved(prop(rng, self.paints), to_pixels(x, y, radius) @ pose)
        return _Thing(parts, radius, (x, y, 1.3 * radius))

    def _pole(self) -> _Thing:
        """A scaffold tube right in front of the camera."""
        rng = self.rng
        tube = frustum(-2, 2, 0.012, 0.012, pick(rng, (SILVER, *self.paints)), gloss=0.8)
        lean = rng.normal(0, 0.1) + rng.choice([0, np.pi / 2])
        x, y = rng.uniform(0, self.width), rng.uniform(0, self.height)
        matrix = to_pixels(x, y, max(self.width, self.height)) @ turn(roll=lean)
        return _Thing(moved([tube], matrix), np.inf)

    def _any_yaw(self) -> float:
        return float(self.rng.uniform(-np.pi, np.pi))


def draw_scene(
    rng: np.random.Generator, width: int, height: int
) -> tuple[NDArray[np.uint8], Boxes]:
    """Draw one photo, `(height, width, 3)` RGB uint8, and the boxes of its hard hats, `(n, 4)`
    xyxy pixels."""
    w, h = round(width * OVERSAMPLING), round(height * OVERSAMPLING)
    behind = backdrop(rng, w, h)
    canvas = _Canvas(behind.picture, behind.light)
    camera = rng.uniform(-0.05, 0.35) if behind.horizon else rng.uniform(0.5, 0.8)
    chosen = rng.choice(len(PAINTS), HOW_MANY_PAINTS, replace=False)
    site = _Site(rng, w, h, behind.horizon, camera, tuple(PAINTS[i] for i in chosen))
    for thing in sorted(site.things(), key=lambda thing: thing.nearness):
        canvas.lay(thing)
    small = Image.fromarray(canvas.colours).resize((width, height), Image.Resampling.BOX)
    scale = np.array([width / w, height / h] * 2, np.float32)
    return _photographed(rng, np.asarray(small)), canvas.boxes() * scale


def _photographed(rng: np.random.Generator, scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a camera makes of it: exposure, tint, vignette, sensor noise."""
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
