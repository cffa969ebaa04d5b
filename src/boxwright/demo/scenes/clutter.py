"""Clutter on the demo's building sites: objects with the color or shape of a hard hat.

Every function returns the parts of one object in object space, about as large as a hard hat
(radius 1), standing on y = 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from boxwright.demo.scenes.people import DARK, FAR, PAINTS, SILVER, WOOD, pick, shade
from boxwright.demo.scenes.quadrics import Part, ellipsoid, frustum, moved, shift, turn

WHITE = (0.96, 0.96, 0.95)


def ball(rng: np.random.Generator) -> list[Part]:
    """A ball: plain, ringed, or with the sectors of a beach ball."""
    color, other = pick(rng, PAINTS), pick(rng, (*PAINTS, WHITE))
    part = ellipsoid((0, 0.9, 0), (0.9, 0.9, 0.9), color, gloss=rng.uniform(0, 0.8))
    for axis in range(int(rng.integers(4))):
        part = part.striped((1, 0, 2)[axis], 0.78 * (axis == 0), 0.9 * (axis == 0) + 0.12, other)
    return moved([part], shift(y=0.9) @ turn(roll=rng.uniform(-1.5, 1.5)) @ shift(y=-0.9))


def cone(rng: np.random.Generator) -> list[Part]:
    """A traffic cone on its plate."""
    color = pick(rng, (PAINTS[2], PAINTS[2], *PAINTS))
    side = frustum(0.1, 2.4, 0.72, 0.12, color, gloss=0.3)
    side = side.striped(1, 0.75, 1.15, WHITE).striped(1, 1.5, 1.8, WHITE)
    return [ellipsoid((0, 0.08, 0), (1.05, 0.1, 1.05), shade(color, 0.8)), side]


def bucket(rng: np.random.Generator) -> list[Part]:
    """An open bucket with its bail up or down."""
    color = pick(rng, PAINTS)
    bail = ellipsoid(
        (0, 0, 0), (0.98, 1.1, 1), DARK, above=(-FAR, 0, -0.05), below=(FAR, FAR, 0.05)
    )
    return [
        frustum(0, 1.6, 0.72, 0.98, color, gloss=0.5, hollow=True).striped(
            1, 1.42, 1.6, shade(color, 0.85)
        ),
        *moved([bail], shift(y=1.55) @ turn(pitch=rng.choice([0.15, 1.5]))),
    ]


def barrel(rng: np.random.Generator) -> list[Part]:
    color, other = pick(rng, PAINTS), pick(rng, (*PAINTS, WHITE))
    side = frustum(0, 2.2, 0.85, 0.85, color, gloss=0.4)
    side = side.striped(1, 0.65, 0.8, other).striped(1, 1.4, 1.55, other)
    return [side, ellipsoid((0, 2.2, 0), (0.85, 0.04, 0.85), shade(color, 0.8))]


def sign(rng: np.random.Generator) -> list[Part]:
    """A round traffic sign on a post."""
    color, other = pick(rng, PAINTS), pick(rng, (WHITE, DARK, *PAINTS))
    symbol = ellipsoid((0, 3.0, 0.1), (0.5, 0.14, 0.06), other)
    return [
        frustum(0, 3.6, 0.07, 0.07, SILVER),
        ellipsoid((0, 3.0, 0.05), (0.95, 0.95, 0.04), WHITE),
        ellipsoid((0, 3.0, 0.07), (0.82, 0.82, 0.06), color),
        *moved([symbol], shift(y=3.0) @ turn(roll=rng.uniform(-1.5, 1.5)) @ shift(y=-3.0)),
    ]


def wheelbarrow(rng: np.random.Generator) -> list[Part]:
    color = pick(rng, PAINTS)
    tray = ellipsoid(
        (0, 1.6, 0), (1.5, 0.95, 0.85), color, gloss=0.5, hollow=True, below=(FAR, 1.6, FAR)
    )
    bar = frustum(-1.9, 1.2, 0.06, 0.06, WOOD)
    leg = frustum(0, 1.0, 0.06, 0.06, DARK)
    frame = [
        part
        for z in (-0.45, 0.45)
        for part in (
            *moved([bar], shift(0.7, 1.1, z) @ turn(roll=-1.35)),
            *moved([leg], shift(0.9, 0, z)),
        )
    ]
    wheel = [
        ellipsoid((-1.3, 0.5, 0), (0.5, 0.5, 0.12), DARK),
        ellipsoid((-1.3, 0.5, 0.06), (0.25, 0.25, 0.12), SILVER),
    ]
    return [tray, *frame, *wheel]


def bollard(rng: np.random.Generator) -> list[Part]:
    color = pick(rng, PAINTS)
    post = frustum(0, 2.0, 0.5, 0.5, color, gloss=0.3).striped(1, 1.2, 1.6, WHITE)
    return [
        post,
        ellipsoid((0, 2.0, 0), (0.5, 0.4, 0.5), color, gloss=0.3, above=(-FAR, 2.0, -FAR)),
    ]


def hanging_lamp(rng: np.random.Generator) -> list[Part]:
    """A lamp shade on its cable, with a bright bulb below."""
    color = pick(rng, PAINTS)
    shell = ellipsoid(
        (0, 0, 0), (0.95, 0.85, 0.95), color, gloss=0.6, hollow=True, above=(-FAR, 0, -FAR)
    )
    return [
        shell,
        ellipsoid((0, -0.02, 0), (0.32, 0.36, 0.32), (1.0, 0.97, 0.8), gloss=1.0),
        frustum(0.75, 1.1, 0.24, 0.2, DARK),
        frustum(1.1, 6.0, 0.035, 0.035, DARK),
    ]


def balloon(rng: np.random.Generator) -> list[Part]:
    color = pick(rng, PAINTS)
    return [
        ellipsoid((0, 1.6, 0), (0.85, 1.05, 0.85), color, gloss=1.0),
        frustum(0.45, 0.62, 0.14, 0.04, color),
        frustum(-1.5, 0.5, 0.025, 0.025, SILVER),
    ]


def spool(rng: np.random.Generator) -> list[Part]:
    """A cable drum on its side, with colored cable."""
    cable = pick(rng, PAINTS)
    winding = frustum(-0.5, 0.5, 0.7, 0.7, cable, gloss=0.2)
    for y in (-0.3, 0.0, 0.3):
        winding = winding.striped(1, y - 0.03, y + 0.03, shade(cable, 0.7))
    flanges = [ellipsoid((0, y, 0), (1.0, 0.07, 1.0), WOOD) for y in (-0.5, 0.5)]
    hub = ellipsoid((0, 0.56, 0), (0.22, 0.05, 0.22), DARK)
    return moved([winding, *flanges, hub], shift(y=1.0) @ turn(pitch=np.pi / 2))


Prop = Callable[[np.random.Generator], list[Part]]

ON_THE_GROUND: tuple[Prop, ...] = (
    ball,
    cone,
    bucket,
    barrel,
    sign,
    wheelbarrow,
    bollard,
    spool,
)
IN_THE_AIR: tuple[Prop, ...] = (hanging_lamp, balloon)
