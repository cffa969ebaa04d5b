"""Regions of Label Studio: what is drawn on an image, and the boxes around it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from boxwright.formats import json_file
from boxwright.formats.annotations import Labeled
from boxwright.formats.coordinates import Size
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.labelstudio.images import Target
from boxwright.formats.shapes import box_around

HUNDRED = Size(100, 100)
SIZE = ("original_width", "original_height")
UNBOXED = frozenset({"rle", "imageDataURL", "vertices", "sequence"})
SHAPE = frozenset(
    {"x", "y", "width", "height", "rotation", "points", "closed", "radiusX", "radiusY"}
)
DRAWN = UNBOXED | {"x", "points"}
BOX = "rectanglelabels"  # the type of a region that is a box, and the key of its classes


class Control(NamedTuple):
    """The names of a labeling control, and of the tag with the image."""

    from_name: str = "label"
    to_name: str = "image"


class Region(NamedTuple):
    """One drawn region.

    Attributes:
        place: its position in the file.
        value: its shape in percent.
        names: its classes.
        target: what it says about its image.
    """

    place: str
    value: Object
    names: list[str]
    target: Target


def regions_of_annotation(annotation: Object, place: str) -> Iterator[Region]:
    """The regions of an annotation; their places end in `result[12]`."""
    results = list(json_file.objects(annotation.get("result"), f"{place}.result"))
    labeled = {str(one.get("id")) for _, one in results if _labels(one.get("value"))}
    for where, one in results:
        value = one.get("value")
        names = _labels(value)
        if not isinstance(value, dict) or not _is_drawn(value):
            continue  # a comment on the whole image, or a relation of two regions
        if not names and str(one.get("id")) in labeled:
            continue  # the same region again, only with its text or its shape
        size = {side: one[side] for side in SIZE if side in one}
        target = Target(_word(one, "to_name"), _word(one, "from_name"), _index(one))
        yield Region(where, {**value, **size}, _class_names(names, where), target)


def count_regions(annotation: Object) -> int:
    """Number of regions of an annotation that is not used."""
    results = annotation.get("result")
    values = [one.get("value") for one in results or () if isinstance(one, dict)]
    return sum(_is_drawn(value) and bool(_labels(value)) for value in values)


def regions_of_row(row: Object, place: str) -> list[Region]:
    """The regions in all lists of a row of a JSON-MIN export."""
    return [
        Region(where, value, _class_names(_labels(value), where), _of_row(key, value))
        for key, values in row.items()
        if holds_regions(values)
        for where, value in json_file.objects(values, f"{place}.{key}")
    ]


def holds_regions(value: object) -> bool:
    return isinstance(value, list) and any(_is_drawn(one) for one in value)


def _of_row(control: str, value: Object) -> Target:
    return Target(_word(value, "to_name"), control, _index(value))


def _word(fields: Object, key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _index(fields: Object) -> int | None:
    index = fields.get("item_index")
    return index if type(index) is int else None


def _labels(value: object) -> list[object]:
    """The labels in a region's `rectanglelabels`, `polygonlabels`, `labels` and similar keys."""
    if not isinstance(value, dict):
        return []
    lists = (value[key] for key in value if key.endswith("labels"))
    return next((one for one in lists if isinstance(one, list) and one), [])


def _class_names(labels: list[object], place: str) -> list[str]:
    return [json_file.class_name(label, place) for label in labels or [None]]


def _is_drawn(value: object) -> bool:
    return isinstance(value, dict) and not DRAWN.isdisjoint(value)


def add_regions(image: Labeled, regions: Sequence[Region]) -> Counter[str]:
    """Add the boxes of regions to an image, in pixels of the size at which it was displayed, or as
    fractions if that is unknown. Returns kind of other shape -> number."""
    shapes: Counter[str] = Counter()
    image.size = next((size for one in regions if (size := _display_size(one.value))), None)
    for one in regions:
        kind, box = _box(one, image.size)
        if kind:
            shapes[kind] += 1
        for label in one.names:
            image.add(label, box)
    if image.size is None:
        image.relative, image.boxes = True, [side / 100 for side in image.boxes]
    return shapes


def rectangle(box: Sequence[float], width: float, height: float) -> Object:
    """The shape of a box, xyxy in an image of this size."""
    xmin, ymin, xmax, ymax = box
    return {
        "x": 100 * xmin / width,
        "y": 100 * ymin / height,
        "width": 100 * (xmax - xmin) / width,
        "height": 100 * (ymax - ymin) / height,
        "rotation": 0,
    }


def new_result(key: str, control: Control, size: tuple[int, int], value: Object) -> Object:
    """A new region in an annotation, with the size of its image."""
    width, height = size
    return {
        "id": key,
        "type": BOX,
        "from_name": control.from_name,
        "to_name": control.to_name,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
    }


def class_key(value: Object) -> str:
    """The key of a region's classes."""
    return next((key for key in value if key.endswith("labels") and value[key]), BOX)


def _display_size(value: Object) -> Size | None:
    size = json_file.stated_size(value, *SIZE)
    return size if size and min(size) > 0 else None


def _box(region: Region, size: Size | None) -> tuple[str, list[float]]:
    """The kind of shape of a region, empty for a box, and its bounding box, xyxy.

    The box is in pixels of an image of `size`, or in percent if `size` is unknown.
    """
    place, value = region.place, region.value
    width, height = size or HUNDRED
    turn = math.radians(json_file.coordinates({"rotation": 0, **value}, ("rotation",), place)[0])
    if turn and size is None:
        raise UnusableError(place, "is rotated, but the size of its image is missing")

    def pixels(across: str, down: str) -> tuple[float, float]:
        x, y = json_file.coordinates(value, (across, down), place)
        return x * width / 100, y * height / 100

    if "points" in value:
        corners = json_file.points(value["points"], f"{place}.points")
        scaled = [[x * width / 100, y * height / 100] for x, y in corners]
        return "polygons", box_around(scaled)
    if UNBOXED & value.keys():
        raise UnusableError(place, "is a brush or video region, which has no box; draw a rectangle")
    x, y = pixels("x", "y")
    if "radiusX" in value:
        a, b = pixels("radiusX", "radiusY")
        wide = math.hypot(a * math.cos(turn), b * math.sin(turn))
        high = math.hypot(a * math.sin(turn), b * math.cos(turn))
        return "ellipses", [x - wide, y - high, x + wide, y + high]
    if "height" not in value:
        return "points", [x, y, x, y]
    wide, high = pixels("width", "height")
    if not turn:
        return "", [x, y, x + wide, y + high]
    cos, sin = math.cos(turn), math.sin(turn)
    corners = [[x + a * cos - b * sin, y + a * sin + b * cos] for a in (0, wide) for b in (0, high)]
    return "rotated rectangles", box_around(corners)
