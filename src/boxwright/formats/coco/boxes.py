"""The boxes of COCO's annotations, which may be millions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.formats import json_file
from boxwright.formats.annotations import LARGEST, number
from boxwright.formats.coco.rle import RunLengthError, box_around_mask
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import ROTATED, box_around, turned

SIDES = ("x", "y", "width", "height")
PLAIN = {int, float}
UNUSUAL = [np.nan] * 4


def usual_boxes(bboxes: Sequence[Any]) -> NDArray[np.float64]:
    """The boxes `(n, 4)` of the `bbox` of many annotations, xyxy; NaN in the rows of those that are
    not simply four numbers of pixels."""
    boxes = None
    if _are_numbers(bboxes):
        with suppress(OverflowError):  # a whole number of hundreds of digits
            boxes = _array(bboxes)
    if boxes is None:
        boxes = _array([one if _is_usual(one) else UNUSUAL for one in bboxes])
    boxes[~(np.abs(boxes) < LARGEST).all(axis=1)] = np.nan
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def is_rotated(one: Object) -> bool:
    """True if the `bbox` of an annotation is turned, as CVAT exports it. A `bbox` around polygons
    is not."""
    return "attributes" in one and not one.get("segmentation") and _rotation(one) != 0


def any_box(one: Object, place: str) -> tuple[list[float], str]:
    """The box of one annotation, xyxy, and the kind of shape that it is around, empty for a `bbox`.

    Raises:
        UnusableError: neither is usable.
    """
    bbox = one.get("bbox")
    if not bbox:
        return _box_around(one.get("segmentation"), f"{place}.segmentation")
    if is_rotated(one):
        return turned(_box(bbox, place), _rotation(one)), f"{ROTATED}es"
    return _box(bbox, place), ""


def _rotation(one: Object) -> float:
    """The degrees in the attributes of an annotation."""
    said = one["attributes"]
    return number(said.get("rotation")) or 0.0 if isinstance(said, dict) else 0.0


def _array(bboxes: Sequence[Any]) -> NDArray[np.float64]:
    numbers = chain.from_iterable(bboxes)
    return np.fromiter(numbers, np.float64, len(SIDES) * len(bboxes)).reshape(-1, len(SIDES))


def _are_numbers(bboxes: Sequence[Any]) -> bool:
    """True if each is a list of four numbers."""
    return (
        {*map(type, bboxes)} <= {list}
        and {*map(len, bboxes)} <= {len(SIDES)}
        and {*map(type, chain.from_iterable(bboxes))} <= PLAIN
    )


def _is_usual(bbox: Any) -> bool:
    return type(bbox) is list and len(bbox) == len(SIDES) and all(map(_is_plain, bbox))


def _is_plain(value: object) -> bool:
    return type(value) in PLAIN and -LARGEST < value < LARGEST  # type: ignore[operator]


def _box(bbox: object, place: str) -> list[float]:
    if not isinstance(bbox, list) or len(bbox) != len(SIDES):
        raise UnusableError(place, "its bbox is not a list of four numbers")
    x, y, width, height = bbox
    if not _is_usual(bbox):
        sides = dict(zip(SIDES, bbox, strict=True))
        x, y, width, height = json_file.coordinates(sides, SIDES, f"{place}.bbox")
    return [x, y, x + width, y + height]


def _box_around(segmentation: object, place: str) -> tuple[list[float], str]:
    """The bounding box of polygons or a mask, and the kind of shape."""
    if isinstance(segmentation, dict):
        try:
            box = box_around_mask(segmentation.get("size"), segmentation.get("counts"))
        except RunLengthError as error:
            raise UnusableError(place, str(error)) from error
        return box, "masks"
    if not isinstance(segmentation, list) or not segmentation:
        raise UnusableError(
            place, f"{json_file.unlike(segmentation, 'a mask')}, and there is no bbox"
        )
    nested = segmentation if isinstance(segmentation[0], list) else [segmentation]
    flat = [value for polygon in nested if isinstance(polygon, list) for value in polygon]
    pairs = [list(pair) for pair in zip(flat[::2], flat[1::2], strict=False)]
    return box_around(json_file.points(pairs, place)), "polygons"
