"""The bounding box and the flags of one shape in CVAT XML."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element

from boxwright.formats.annotations import BadEntryError, number
from boxwright.formats.shapes import ROTATED, box_around, turned
from boxwright.structures.dataset import CROWD, DIFFICULT, OCCLUDED, TRUNCATED

BOX, TAG = "box", "tag"
SIDES = ("xtl", "ytl", "xbr", "ybr")
CORNER = re.compile("x([tb][lr][12])")
ATTRIBUTES = {  # as CVAT names them when it imports VOC and COCO
    "difficult": DIFFICULT,
    "truncated": TRUNCATED,
    "is_crowd": CROWD,
}


def box_of(shape: Element) -> list[float]:
    """The upright box around a shape, as xyxy pixels. Raises BadEntryError if it is invalid."""
    if shape.tag not in SHAPES:
        raise BadEntryError(f"<{shape.tag}> is not a shape that is read")
    return SHAPES[shape.tag](shape)


def kind_of(shape: Element) -> str:
    """What a finding calls the shape; BOX for an upright box."""
    is_rotated = shape.tag == BOX and number(shape.get("rotation")) not in {None, 0}
    return ROTATED if is_rotated else shape.tag


def flags_of(shape: Element) -> int:
    """The flags in the attributes of a shape."""
    flags = OCCLUDED if is_set(shape.get("occluded")) else 0
    for one in shape:
        if one.tag == "attribute" and is_set(one.text):
            flags |= ATTRIBUTES.get(one.get("name", ""), 0)
    return flags


def is_set(text: str | None) -> bool:
    return text is not None and text.strip().lower() in {"1", "true"}


def _box(shape: Element) -> list[float]:
    return turned(_numbers(shape, SIDES), _rotation(shape))


def _ellipse(shape: Element) -> list[float]:
    x, y, first, second = _numbers(shape, ("cx", "cy", "rx", "ry"))
    angle = math.radians(_rotation(shape))
    cos, sin = math.cos(angle), math.sin(angle)
    across, down = math.hypot(first * cos, second * sin), math.hypot(first * sin, second * cos)
    return [x - across, y - down, x + across, y + down]


def _mask(shape: Element) -> list[float]:
    left, top, width, height = _numbers(shape, ("left", "top", "width", "height"))
    return [left, top, left + width, top + height]


def _cuboid(shape: Element) -> list[float]:
    corners = [match[1] for key in shape.attrib if (match := CORNER.fullmatch(key))]
    if not corners:
        raise BadEntryError("its <cuboid> has no corners")
    return box_around([_numbers(shape, (f"x{corner}", f"y{corner}")) for corner in corners])


def _points(shape: Element) -> list[float]:
    pairs = [pair.split(",") for pair in shape.get("points", "").split(";") if pair.strip()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise BadEntryError(f"its <{shape.tag}> has no points")
    values = [{"x": x.strip(), "y": y.strip()} for x, y in pairs]
    return box_around([_numbers(pair, "xy") for pair in values])


def _skeleton(shape: Element) -> list[float]:
    points = [one for one in shape if one.get("points") is not None]
    shown = [one for one in points if not is_set(one.get("outside"))] or points
    if not shown:
        raise BadEntryError("its <skeleton> has no points")
    boxes = [_points(one) for one in shown]
    return box_around([corner for box in boxes for corner in (box[:2], box[2:])])


SHAPES: dict[str, Callable[[Element], list[float]]] = {
    BOX: _box,
    "polygon": _points,
    "polyline": _points,
    "points": _points,
    "ellipse": _ellipse,
    "mask": _mask,
    "cuboid": _cuboid,
    "skeleton": _skeleton,
}


def _rotation(shape: Element) -> float:
    """The rotation in degrees."""
    return _numbers(shape, ("rotation",))[0] if "rotation" in shape.attrib else 0.0


def _numbers(shape: Element | Mapping[str, str], keys: Sequence[str]) -> list[float]:
    values = []
    for key in keys:
        text = shape.get(key)
        value = number(text)
        if value is None:
            stated = "is missing" if text is None else f"is '{text[:40]}', not a coordinate"
            raise BadEntryError(f"{key} {stated}")
        values.append(value)
    return values
