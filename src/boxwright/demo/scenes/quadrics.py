"""A small renderer: solids made of quadric surfaces, each ray solved exactly, in NumPy.

A point on a quadric satisfies `p^T Q p = 0` for homogeneous `p = (x, y, z, 1)`: spheres,
ellipsoids, cylinders and cones are all of that form (Hartley and Zisserman, Multiple View
Geometry, 2004, section 3.2). With rays along z this is one quadratic equation a pixel. Where the
near surface is cut away the far one shows, so that bowls and shells have an inside.

Object space: x to the right, y up, z towards the viewer. Pixel space: x right, y down, z towards
the viewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Indices = NDArray[np.intp]
Color = tuple[float, float, float]  # RGB in [0, 1]
Triple = tuple[float, float, float]

EVERYWHERE: Triple = (np.inf, np.inf, np.inf)
NOTHING_BELOW: Triple = (-np.inf, -np.inf, -np.inf)
CUBE = np.array([[i & 1, i & 2, i & 4] for i in range(8)], bool)  # which side each corner is on


@dataclass(frozen=True)
class Part:
    """One surface of a solid.

    Attributes:
        quadric: `(4, 4)` symmetric; negative inside.
        planes: `(k, 4)`; only points with `planes @ p >= 0` are kept.
        corners: `(8, 4)` homogeneous corners of a box around the part.
        color: of its outside; its inside is darker.
        gloss: strength of the highlight, 0 (cloth) to 1 (polished).
        hollow: True if its inside is visible where it is cut open.
        target: True if it is part of an object to detect.
        stripes: forms `f` and colors: the color applies where `-1 <= f @ p <= 1`.
    """

    quadric: NDArray[np.float64]
    planes: NDArray[np.float64]
    corners: NDArray[np.float64]
    color: Color
    gloss: float = 0.2
    hollow: bool = False
    target: bool = False
    stripes: tuple[tuple[NDArray[np.float64], Color], ...] = ()

    def striped(self, axis: int, low: float, high: float, color: Color) -> Part:
        """The part with `color` where its coordinate `axis` is between `low` and `high`."""
        form = np.zeros(4)
        form[axis], form[3] = 2 / (high - low), -(high + low) / (high - low)
        return replace(self, stripes=(*self.stripes, (form, color)))


def ellipsoid(
    center: Triple,
    radii: Triple,
    color: Color,
    *,
    gloss: float = 0.2,
    hollow: bool = False,
    above: Triple = NOTHING_BELOW,
    below: Triple = EVERYWHERE,
) -> Part:
    """An ellipsoid, cut to the points between the corners `above` and `below`."""
    middle, scale = np.array(center), 1 / np.array(radii, float) ** 2
    quadric = np.diag([*scale, float((scale * middle**2).sum()) - 1])
    quadric[:3, 3] = quadric[3, :3] = -scale * middle
    low = np.maximum(middle - radii, above)
    high = np.minimum(middle + radii, below)
    return Part(quadric, _planes(above, below), _corners(low, high), color, gloss, hollow)


def frustum(
    bottom: float,
    top: float,
    radius_bottom: float,
    radius_top: float,
    color: Color,
    *,
    gloss: float = 0.2,
    hollow: bool = False,
    squash: float = 1.0,
) -> Part:
    """An upright cylinder or cone without lids; `squash` scales its depth."""
    slope = (radius_top - radius_bottom) / (top - bottom)
    start = radius_bottom - slope * bottom  # radius at y = start + slope * y
    quadric = np.diag([1.0, -(slope**2), 1 / squash**2, -(start**2)])
    quadric[1, 3] = quadric[3, 1] = -slope * start
    widest = max(radius_bottom, radius_top)
    low = np.array([-widest, bottom, -widest * squash])
    high = np.array([widest, top, widest * squash])
    planes = _planes((-np.inf, bottom, -np.inf), (np.inf, top, np.inf))
    return Part(quadric, planes, _corners(low, high), color, gloss, hollow)


def _planes(above: Triple, below: Triple) -> NDArray[np.float64]:
    rows = []
    for axis in range(3):
        for sign, limit in ((1.0, above[axis]), (-1.0, below[axis])):
            if np.isfinite(limit):
                row = np.zeros(4)
                row[axis], row[3] = sign, -sign * limit
                rows.append(row)
    return np.array(rows).reshape(-1, 4)


def _corners(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([np.where(CUBE, high, low), np.ones((8, 1))])


def moved(parts: Iterable[Part], matrix: NDArray[np.float64]) -> list[Part]:
    """The parts after the affine map `matrix`, `(4, 4)`."""
    back = np.linalg.inv(matrix)
    return [
        replace(
            part,
            quadric=back.T @ part.quadric @ back,
            planes=part.planes @ back,
            corners=part.corners @ matrix.T,
            stripes=tuple((form @ back, color) for form, color in part.stripes),
        )
        for part in parts
    ]


def turn(yaw: float = 0, pitch: float = 0, roll: float = 0) -> NDArray[np.float64]:
    """Rotation `(4, 4)`, radians: yaw about y, then pitch about x (nod), then roll about z."""
    (a, b, c), (d, e, f) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_y = np.array([[a, 0, d], [0, 1, 0], [-d, 0, a]])
    about_x = np.array([[1, 0, 0], [0, b, -e], [0, e, b]])
    about_z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_x @ about_y
    return matrix


def shift(x: float = 0, y: float = 0, z: float = 0) -> NDArray[np.float64]:
    """Translation `(4, 4)`."""
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def to_pixels(x: float, y: float, scale: float) -> NDArray[np.float64]:
    """Object space to pixels: the origin comes to pixel `(x, y)`, one unit is `scale` pixels."""
    matrix = np.diag([scale, -scale, scale, 1.0])
    matrix[:2, 3] = x, y
    return matrix


@dataclass(frozen=True)
class Light:
    """One sun and the sky. `towards` is the unit vector to the sun in pixel space."""

    towards: Array
    sun: Color
    sky: Color


class Picture(NamedTuple):
    """A rendered solid, to be drawn on a canvas at column `left` and row `top`.

    `colors` is `(h, w, 3)` uint8, valid where `mask`, `(h, w)` bool, is True; `target` is True for
    those pixels that show a part with `target`.
    """

    left: int
    top: int
    colors: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    target: NDArray[np.bool_]


def render(parts: list[Part], light: Light, width: int, height: int) -> Picture:
    """Draw parts given in pixel space, cut to `width` x `height`."""
    corners = np.stack([part.corners[:, :2] for part in parts])
    low = np.clip(np.floor(corners.min(1)).astype(int), 0, (width, height))
    high = np.clip(np.ceil(corners.max(1)).astype(int), 0, (width, height))
    left, top = low.min(0)
    columns, rows = np.maximum(high.max(0) - (left, top), 0)
    depth = np.full((rows, columns), -np.inf, np.float32)
    colors = np.zeros((rows, columns, 3), np.uint8)
    target = np.zeros((rows, columns), bool)
    for part, (x0, y0), (x1, y1) in zip(parts, low, high, strict=True):
        if x1 > x0 and y1 > y0:
            window = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
            u = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)
            v = np.arange(y0, y1, dtype=np.float32) + np.float32(0.5)
            rows_, columns_, z, shaded = _trace(part, light, u, v, depth[window])
            depth[window][rows_, columns_] = z
            colors[window][rows_, columns_] = shaded
            target[window][rows_, columns_] = part.target
    return Picture(int(left), int(top), colors, depth > -np.inf, target)


def _trace(
    part: Part, light: Light, u: Array, v: Array, depth: Array
) -> tuple[Indices, Indices, Array, NDArray[np.uint8]]:
    """Rows, columns, depths and colors of the pixels (columns `u`, rows `v`) that show `part`,
    where it is nearer than `depth`."""
    q = part.quadric.astype(np.float32)
    a = q[2, 2] if abs(q[2, 2]) > 1e-9 else np.float32(1e-9)
    half_b = (q[0, 2] * u)[None, :] + (q[1, 2] * v + q[2, 3])[:, None]
    c = (q[0, 0] * u * u + 2 * q[0, 3] * u)[None, :]
    c = c + (q[1, 1] * v * v + 2 * q[1, 3] * v + q[3, 3])[:, None]
    c += (2 * q[0, 1] * v)[:, None] * u[None, :]
    discriminant = half_b * half_b - a * c
    rows, columns = np.nonzero(discriminant > 0)
    x, y = u[columns], v[rows]
    middle = half_b[rows, columns] / -a
    reach = np.sqrt(discriminant[rows, columns]) / abs(a)
    z = middle + reach
    seen = _kept(part.planes, x, y, z)
    if part.hollow:
        far = middle - reach
        z = np.where(seen, z, far)
        seen |= _kept(part.planes, x, y, far)
    seen &= z > depth[rows, columns]
    x, y, z = x[seen], y[seen], z[seen]
    return rows[seen], columns[seen], z, _shade(part, light, x, y, z)


def _kept(planes: NDArray[np.float64], x: Array, y: Array, z: Array) -> NDArray[np.bool_]:
    kept = np.ones(z.shape, bool)
    for a, b, c, d in planes.astype(np.float32):
        kept &= a * x + b * y + c * z >= -d
    return kept


def _shade(part: Part, light: Light, x: Array, y: Array, z: Array) -> NDArray[np.uint8]:
    """Colors `(n, 3)` of `n` surface points: sun, sky from above, highlight (Blinn-Phong)."""
    points = np.stack([x, y, z, np.ones_like(x)])
    normal = part.quadric[:3].astype(np.float32) @ points
    normal /= np.sqrt(np.einsum("ij,ij->j", normal, normal)) + np.float32(1e-9)
    inside = np.float32(1) - np.float32(0.45) * (normal[2] < 0)  # the back of a surface is darker
    normal *= np.copysign(np.float32(1), normal[2])
    base = np.broadcast_to(np.array(part.color, np.float32)[:, None], normal.shape)
    for form, color in part.stripes:
        striped = np.abs(form.astype(np.float32) @ points) <= 1
        base = np.where(striped, np.array(color, np.float32)[:, None], base)
    sunlit = np.maximum(light.towards @ normal, 0)
    skylit = np.float32(0.7) - np.float32(0.3) * normal[1]
    sun, sky = (np.array(c, np.float32)[:, None] for c in (light.sun, light.sky))
    shaded = base * (sun * sunlit + sky * (skylit * inside))
    if part.gloss:
        halfway = light.towards + np.array([0, 0, 1], np.float32)
        halfway /= np.linalg.norm(halfway)
        glint = np.maximum(halfway @ normal, 0)
        for _ in range(4):
            glint *= glint  # to the 16th power
        shaded += sun * (glint * np.float32(0.6 * part.gloss))
    shaded *= np.float32(255)
    pixels: NDArray[np.uint8] = np.minimum(shaded, np.float32(255)).astype(np.uint8).T
    return pixels
