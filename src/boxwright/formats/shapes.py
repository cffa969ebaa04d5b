"""Bounding boxes of shapes, and boxes as decimals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from boxwright.structures.findings import Finding

ROTATED = "rotated box"  # the kind of shape of a box that is `turned`


def box_around(corners: Sequence[Sequence[float]]) -> list[float]:
    """The upright box around points `(x, y)`, as xyxy."""
    across, down = zip(*corners, strict=True)
    return [min(across), min(down), max(across), max(down)]


def turned(box: Sequence[float], degrees: float) -> list[float]:
    """The upright box around an upright box, xyxy, that is turned around its center."""
    if not degrees:
        return [*box]
    (left, top, right, bottom), angle = box, math.radians(degrees)
    x, y, width, height = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    across = (abs(width) * cos + abs(height) * sin) / 2
    down = (abs(width) * sin + abs(height) * cos) / 2
    return [x - across, y - down, x + across, y + down]


def shapes_finding(where: str, shapes: Counter[str]) -> list[Finding]:
    """A finding about shapes (kind -> count) that were read as bounding boxes, if any."""
    if not shapes:
        return []
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(shapes.items()))
    return [
        Finding("BW143", where, f"not all shapes are boxes ({kinds})", "bounding boxes are used")
    ]


def decimals(box: Iterable[np.float32]) -> list[float]:
    """The shortest decimals with the same float32 values; whole pixels as integers."""
    values = (float(str(value)) for value in box)
    return [int(value) if value.is_integer() else value for value in values]
