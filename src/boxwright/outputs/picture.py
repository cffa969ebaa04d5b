"""Draw what was found and counted in a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from boxwright.inference.stream import Prediction
from boxwright.tracking.counting import LineCount, ZoneCount, listed
from boxwright.visualize.draw import Point, color_of, draw_on, draw_path

UP: Point = (0.0, -1.0)


def draw_prediction(picture: Image.Image, prediction: Prediction) -> None:
    """Draw the boxes, and the counts if objects were tracked, on a picture of the frame of any
    size."""
    found, counts = prediction.detections, prediction.counts
    if counts is None:
        draw_on(picture, found.resized(picture.size))
        return
    colors = {name: color_of(label) for label, name in enumerate(found.classes)}
    legend = {f"{count} {name}": colors[name] for name, count in counts.objects.items()}
    draw_on(picture, found.resized(picture.size), legend=legend)
    width, height = found.image_size or picture.size
    scale = (picture.width / width, picture.height / height)
    for zone in counts.zones:
        _draw_zone(picture, zone, _scaled(zone.zone.points, scale))
    for line in counts.lines:
        _draw_line(picture, line, _scaled(line.line.points, scale))


def _scaled(points: Sequence[Point], scale: Point) -> list[Point]:
    return [(x * scale[0], y * scale[1]) for x, y in points]


def _draw_line(picture: Image.Image, count: LineCount, points: Sequence[Point]) -> None:
    """The line, and on each side of its first end what has come there: in the middle it would hide
    more objects."""
    (x0, y0), (x1, y1) = points
    long = math.hypot(x1 - x0, y1 - y0)
    right = ((y0 - y1) / long, (x1 - x0) / long)
    left = (-right[0], -right[1])
    start = points[0]
    labels = [(listed(count.to_left), start, left), (listed(count.to_right), start, right)]
    draw_path(picture, points, labels)


def _draw_zone(picture: Image.Image, count: ZoneCount, points: Sequence[Point]) -> None:
    """The zone, and above its highest corner what is in it."""
    highest = min(points, key=lambda point: point[1])
    draw_path(picture, points, [(listed(count.inside), highest, UP)], closed=True)
