"""Draw what was found and counted in a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from boxwright.inference.stream import Prediction
from boxwright.tracking.counting import LineCount, listed
from boxwright.visualize.draw import Point, color_of, draw_on, draw_path, draw_text

UP: Point = (0.0, -1.0)


def draw_prediction(picture: Image.Image, prediction: Prediction) -> None:
    """Draw the boxes, and the counts if objects were tracked, on a picture of the frame of any
    size."""
    found, counts = prediction.detections, prediction.counts
    if counts is None:
        draw_on(picture, found.resized(picture.size))
        return
    width, height = found.image_size or picture.size
    scale = (picture.width / width, picture.height / height)
    lines = [(each, _scaled(each.line.points, scale)) for each in counts.lines]
    zones = [(each, _scaled(each.zone.points, scale)) for each in counts.zones]
    for _, points in lines:
        draw_path(picture, points)
    for _, points in zones:
        draw_path(picture, points, closed=True)
    colors = {name: color_of(label) for label, name in enumerate(found.classes)}
    legend = {f"{count} {name}": colors[name] for name, count in counts.objects.items()}
    draw_on(picture, found.resized(picture.size), legend=legend)
    for line, (start, end) in lines:
        _label_line(picture, line, start, end)
    for zone, points in zones:
        highest = min(points, key=lambda point: point[1])
        draw_text(picture, listed(zone.inside), highest, UP)


def _scaled(points: Sequence[Point], scale: Point) -> list[Point]:
    return [(x * scale[0], y * scale[1]) for x, y in points]


def _label_line(picture: Image.Image, count: LineCount, start: Point, end: Point) -> None:
    """On each side of the line's first end what has come there: in the middle it would hide more
    objects."""
    across, down = end[0] - start[0], end[1] - start[1]
    long = math.hypot(across, down)
    right = (-down / long, across / long)
    draw_text(picture, listed(count.to_left), start, (-right[0], -right[1]))
    draw_text(picture, listed(count.to_right), start, right)
