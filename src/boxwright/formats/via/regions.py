"""Regions of VGG Image Annotator: their boxes, and which attribute is the class."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from boxwright.formats import json_file
from boxwright.formats.csv.columns import CLASS
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import box_around

BOX = "rect"
USUAL = tuple(name for names in CLASS for name in names)  # names of the class, the best first


class Region(NamedTuple):
    """A region of an image: position in the file, shape, and attributes."""

    place: str
    shape: Object
    attributes: Object

    def box(self) -> list[float]:
        """The upright box around the shape. Raises UnusableError if it is invalid."""
        if self.kind not in SHAPES:
            shape = json_file.shown(self.shape.get("name"))
            raise UnusableError(self.place, f"its shape is {shape}, which is not read")
        return SHAPES[self.kind](self.shape, self.place)

    @property
    def kind(self) -> str:
        return str(self.shape.get("name"))

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute: several if boxes can be checked, none if it is empty."""
        value = self.attributes.get(attribute)
        if isinstance(value, dict):
            return [name for name, chosen in value.items() if chosen and name.strip()]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return []
        return [str(value)] if str(value).strip() else []


def attributes_in_use(regions: Iterable[Region], described: Sequence[str]) -> Counter[str]:
    """Attribute -> number of regions with a value, the most used first.

    Of attributes that are used as often, the one that is called like a class is first, then the
    first in the project.
    """
    counts = Counter(
        attribute
        for region in regions
        for attribute in region.attributes
        if region.values(attribute)
    )
    order = [*described, *counts]

    def rank(attribute: str) -> tuple[int, int, int]:
        key = "".join(sign for sign in attribute.lower() if sign.isalnum())
        usual = USUAL.index(key) if key in USUAL else len(USUAL)
        return -counts[attribute], usual, order.index(attribute)

    return Counter({attribute: counts[attribute] for attribute in sorted(counts, key=rank)})


def _rect(shape: Object, place: str) -> list[float]:
    x, y, width, height = json_file.coordinates(shape, ("x", "y", "width", "height"), place)
    return [x, y, x + width, y + height]


def _circle(shape: Object, place: str) -> list[float]:
    x, y, radius = json_file.coordinates(shape, ("cx", "cy", "r"), place)
    return [x - radius, y - radius, x + radius, y + radius]


def _ellipse(shape: Object, place: str) -> list[float]:
    """An ellipse; version 2 turns it by `theta` radians."""
    turned = {"theta": 0, **shape}
    x, y, first, second, angle = json_file.coordinates(
        turned, ("cx", "cy", "rx", "ry", "theta"), place
    )
    cos, sin = math.cos(angle), math.sin(angle)
    across, down = math.hypot(first * cos, second * sin), math.hypot(first * sin, second * cos)
    return [x - across, y - down, x + across, y + down]


def _point(shape: Object, place: str) -> list[float]:
    x, y = json_file.coordinates(shape, ("cx", "cy"), place)
    return [x, y, x, y]


def _polygon(shape: Object, place: str) -> list[float]:
    across, down = shape.get("all_points_x"), shape.get("all_points_y")
    if not isinstance(across, list) or not isinstance(down, list) or len(across) != len(down):
        raise UnusableError(place, "its all_points_x and all_points_y are not lists of one length")
    pairs = [[x, y] for x, y in zip(across, down, strict=True)]
    return box_around(json_file.points(pairs, f"{place}.all_points"))


SHAPES: dict[str, Callable[[Object, str], list[float]]] = {
    BOX: _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "point": _point,
    "polygon": _polygon,
    "polyline": _polygon,
}
