"""The demo's hard hats, and the people who wear them or some other hat.

Every function returns the parts of one object in object space: a hat's shell has a radius of
about 1, its rim is at y = 0, and the head is below.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boxwright.demo.scenes.quadrics import Color, Part, ellipsoid, frustum, moved, shift, turn

FAR = 9.0

# Common colors of hard hats. The other objects have the same colors, so that color alone does not
# identify a hard hat.
PAINTS: tuple[Color, ...] = (
    (0.98, 0.80, 0.10),
    (0.95, 0.95, 0.93),
    (0.97, 0.48, 0.08),
    (0.13, 0.37, 0.78),
    (0.83, 0.14, 0.13),
    (0.13, 0.56, 0.27),
    (0.75, 0.87, 0.16),
    (0.36, 0.66, 0.90),
    (0.55, 0.57, 0.60),
)
SKINS: tuple[Color, ...] = (
    (0.96, 0.78, 0.66),
    (0.87, 0.66, 0.50),
    (0.68, 0.47, 0.33),
    (0.45, 0.30, 0.21),
)
HAIRS: tuple[Color, ...] = (
    (0.12, 0.09, 0.08),
    (0.35, 0.21, 0.11),
    (0.75, 0.56, 0.26),
    (0.60, 0.58, 0.56),
    (0.56, 0.24, 0.10),
)
CLOTHS: tuple[Color, ...] = (
    (0.16, 0.22, 0.38),
    (0.30, 0.32, 0.34),
    (0.42, 0.36, 0.28),
    (0.20, 0.34, 0.30),
    (0.52, 0.18, 0.18),
)
SILVER: Color = (0.82, 0.84, 0.85)
DARK: Color = (0.12, 0.12, 0.13)
WOOD: Color = (0.62, 0.44, 0.26)


def pick(rng: np.random.Generator, choices: tuple[Color, ...], spread: float = 0.05) -> Color:
    """One of the colors, slightly varied."""
    base = np.array(choices[rng.integers(len(choices))])
    red, green, blue = np.clip(base + rng.uniform(-spread, spread, 3), 0.02, 1)
    return float(red), float(green), float(blue)


def two(rng: np.random.Generator, choices: tuple[Color, ...]) -> tuple[Color, Color]:
    """Two clearly different colors."""
    first, second = rng.choice(len(choices), 2, replace=False)
    return pick(rng, (choices[first],)), pick(rng, (choices[second],))


def shade(color: Color, factor: float) -> Color:
    """The color, darker or brighter."""
    return tuple(min(1.0, c * factor) for c in color)  # type: ignore[return-value]


def hard_hat(rng: np.random.Generator) -> list[Part]:
    """A shell with a visor or a full brim, ribs, and sometimes a badge, ear muffs or a lamp."""
    color = pick(rng, PAINTS)
    gloss = rng.uniform(0.5, 1.0)
    wide, tall, deep = rng.uniform(0.84, 0.92), rng.uniform(0.82, 1.02), rng.uniform(0.96, 1.08)
    on_top = (-FAR, -0.02, -FAR)
    parts = [
        ellipsoid(
            (0, 0, 0), (wide, tall, deep), color, gloss=gloss, hollow=True, above=on_top
        ).striped(1, -0.02, 0.05, shade(color, 0.8))
    ]
    if rng.random() < 0.35:  # full brim
        reach = rng.uniform(1.2, 1.34)
        parts.append(ellipsoid((0, 0, 0.06), (wide * reach, 0.07, deep * reach), color, gloss=0.5))
    else:  # visor in front, narrow rim around
        reach = rng.uniform(0.62, 0.85)
        rim = shade(color, 0.92)
        parts.append(ellipsoid((0, 0, 0), (wide * 1.14, 0.07, deep * 1.1), rim, gloss=0.5))
        parts.append(
            ellipsoid((0, -0.03, deep * 0.62), (wide * 0.92, 0.08, reach), color, gloss=0.5)
        )
    for x, half in _ribs(rng):
        parts.append(
            ellipsoid(
                (0, 0, 0),
                (wide * 1.05, tall * 1.075, deep * 1.06),
                shade(color, 1.06),
                gloss=gloss,
                above=(x - half, 0.2, -FAR),
                below=(x + half, FAR, FAR),
            )
        )
    if rng.random() < 0.4:  # badge
        badge = pick(rng, PAINTS)
        parts.append(ellipsoid((0, tall * 0.42, deep * 0.88), (0.2, 0.17, 0.1), badge))
    if rng.random() < 0.12:  # lamp
        parts.append(ellipsoid((0, tall * 0.55, deep * 0.86), (0.2, 0.2, 0.24), DARK))
        parts.append(ellipsoid((0, tall * 0.55, deep * 1.02), (0.15, 0.15, 0.12), (1, 1, 0.85)))
    parts = [replace(part, target=True) for part in parts]
    if rng.random() < 0.2:  # ear muffs are not part of the target
        cup = pick(rng, (DARK, PAINTS[4], PAINTS[0]))
        parts += [ellipsoid((s * wide, -0.35, 0), (0.2, 0.38, 0.34), cup) for s in (-1, 1)]
    return parts


def _ribs(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Middle and half width of each rib."""
    kind = rng.integers(4)
    if kind == 0:
        return [(0.0, float(rng.uniform(0.09, 0.16)))]
    if kind == 1:
        return [(-0.24, 0.06), (0.24, 0.06)]
    if kind == 2:
        return [(-0.34, 0.055), (0.0, 0.075), (0.34, 0.055)]
    return [(0.0, 0.3)]


def head(rng: np.random.Generator) -> list[Part]:
    """A head without hair; a hat with its rim at y = 0 fits on it."""
    skin = pick(rng, SKINS, 0.03)
    parts = [
        ellipsoid((0, -0.5, 0), (0.7, 1.0, 0.8), skin, gloss=0.05),
        ellipsoid((0, -0.62, 0.82), (0.11, 0.17, 0.14), shade(skin, 0.96), gloss=0.05),
        ellipsoid((-0.72, -0.5, 0), (0.1, 0.2, 0.14), skin, gloss=0),
        ellipsoid((0.72, -0.5, 0), (0.1, 0.2, 0.14), skin, gloss=0),
        ellipsoid((0, -1.02, 0.62), (0.22, 0.05, 0.1), shade(skin, 0.6), gloss=0),
    ]
    if rng.random() < 0.3:  # glasses
        parts.append(
            ellipsoid((0, -0.4, 0.1), (0.72, 0.18, 0.76), DARK, gloss=0.6, above=(-FAR, -FAR, 0.1))
        )
    else:
        parts += [ellipsoid((x, -0.38, 0.7), (0.09, 0.09, 0.08), DARK) for x in (-0.27, 0.27)]
    if rng.random() < 0.25:  # beard
        parts.append(
            ellipsoid(
                (0, -0.8, 0.06),
                (0.72, 0.78, 0.8),
                pick(rng, HAIRS),
                gloss=0,
                below=(FAR, -0.95, FAR),
            )
        )
    return parts


def hair(rng: np.random.Generator) -> list[Part]:
    color = pick(rng, HAIRS)
    long = rng.uniform(0.0, 1.1)
    return [
        ellipsoid((0, -0.36, -0.05), (0.8, 0.98, 0.9), color, gloss=0.1, above=(-FAR, 0.05, -FAR)),
        ellipsoid(
            (0, -0.4, -0.12),
            (0.82, 0.95, 0.85),
            color,
            gloss=0.1,
            above=(-FAR, -0.4 - long, -FAR),
            below=(FAR, FAR, -0.05),
        ),
    ]


def body(rng: np.random.Generator) -> list[Part]:
    """Neck to boots, 9.6 long; about half wear a vest with reflecting bands."""
    cloth, trousers = pick(rng, CLOTHS), pick(rng, CLOTHS)
    torso = frustum(-5.3, -2.0, 1.12, 1.36, cloth, gloss=0, squash=0.62)
    chest = ellipsoid((0, -2.05, 0), (1.36, 0.55, 0.85), cloth, gloss=0)
    if rng.random() < 0.6:
        vest = pick(rng, (PAINTS[2], PAINTS[6], PAINTS[0], PAINTS[4]))
        torso = frustum(-5.3, -2.0, 1.12, 1.36, vest, gloss=0, squash=0.62)
        torso = torso.striped(1, -4.4, -4.0, SILVER).striped(1, -3.4, -3.0, SILVER)
        chest = ellipsoid((0, -2.05, 0), (1.36, 0.55, 0.85), vest, gloss=0)
    arm = ellipsoid((0, -1.5, 0), (0.38, 1.75, 0.4), cloth, gloss=0)
    left = moved([arm], shift(-1.35, -2.0) @ turn(roll=rng.uniform(-0.5, 0.05)))
    right = moved([arm], shift(1.35, -2.0) @ turn(roll=rng.uniform(-0.05, 0.5)))
    leg = frustum(-9.4, -5.2, 0.36, 0.58, trousers, gloss=0)
    legs = [*moved([leg], shift(-0.55)), *moved([leg], shift(0.55))]
    boots = [ellipsoid((x, -9.4, 0.25), (0.42, 0.3, 0.7), DARK) for x in (-0.55, 0.55)]
    neck = frustum(-2.0, -1.1, 0.42, 0.38, pick(rng, SKINS, 0.03), gloss=0)
    return [neck, torso, chest, *left, *right, *legs, *boots]


def cap(rng: np.random.Generator) -> list[Part]:
    """A soft baseball cap: low, matt, with panels, a button and a long visor."""
    color, other = two(rng, PAINTS)
    crown = ellipsoid(
        (0, -0.05, -0.02), (0.78, 0.66, 0.9), color, gloss=0, above=(-FAR, -0.1, -FAR)
    )
    crown = crown.striped(2, 0.3, 2, other)
    return [
        crown,
        ellipsoid((0, -0.1, 0.85), (0.6, 0.05, 0.75), other, gloss=0, above=(-FAR, -FAR, 0.3)),
        ellipsoid((0, 0.62, 0), (0.1, 0.07, 0.1), other, gloss=0),
    ]


def beanie(rng: np.random.Generator) -> list[Part]:
    color, other = two(rng, PAINTS)
    crown = ellipsoid((0, -0.1, 0), (0.78, 1.0, 0.88), color, gloss=0, above=(-FAR, -0.1, -FAR))
    for y in np.arange(0.3, 0.9, 0.24):
        crown = crown.striped(1, y, y + 0.1, shade(color, 0.75))
    return [
        crown,
        frustum(-0.25, 0.2, 0.84, 0.84, other, gloss=0, squash=1.1),
        ellipsoid((0, 0.98, 0), (0.26, 0.26, 0.26), other, gloss=0),
    ]


def straw_hat(rng: np.random.Generator) -> list[Part]:
    straw = pick(rng, ((0.86, 0.70, 0.38), (0.78, 0.60, 0.34), (0.93, 0.85, 0.62)))
    brim = rng.uniform(1.5, 1.9)
    crown = frustum(0, 0.62, 0.78, 0.68, straw, gloss=0)
    return [
        ellipsoid((0, -0.02, 0), (brim, 0.06, brim), straw, gloss=0),
        crown.striped(1, 0.0, 0.24, pick(rng, (DARK, PAINTS[4], PAINTS[3]))),
        ellipsoid((0, 0.62, 0), (0.68, 0.06, 0.68), shade(straw, 0.95), gloss=0),
    ]


def person(rng: np.random.Generator, *, in_hard_hat: bool) -> list[Part]:
    """A standing person, in a hard hat or in no hat, a cap, a beanie or a straw hat."""
    if in_hard_hat:
        hat = hard_hat(rng)
        hat += hair(rng)[1:] if rng.random() < 0.5 else []
    else:
        wear = (hair, hair, cap, beanie, straw_hat)[rng.integers(5)]
        hat = wear(rng)
        hat += [] if wear is hair else hair(rng)[1:]
    nod = turn(rng.normal(0, 0.25), rng.uniform(-0.15, 0.35), rng.normal(0, 0.12))
    upper = moved([*head(rng), *hat], shift(y=-1.2) @ nod @ shift(y=1.2))
    return [*upper, *body(rng)]
