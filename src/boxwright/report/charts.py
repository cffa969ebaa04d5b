"""Charts of pages, as SVG: lines on two axes, and small bars and intervals for the cells of tables.

Colors are classes of the stylesheet, so a chart follows dark and light. Lines also differ in their
dashes, for people who see no colors and for printers without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from boxwright.evaluation.bootstrap import Interval
from boxwright.report.html import NAME, shown
from boxwright.visualize.chart import ticks

STYLES = 7  # classes `c0` to `c6`
WIDTH, HEIGHT = 360, 250  # of the drawing; a page shows it wider or narrower
LEFT, TOP, RIGHT, BOTTOM = 42, 26, 14, 38  # margins
DOT = 5  # radius


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
        name: for the legend.
        points: x and y.
        dotted: index of a point with a dot; None without.
        style: number of its color.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dotted: int | None = None
    style: int = 0


class Axis(NamedTuple):
    """An axis from 0: its name, and its largest value; None takes that of the points."""

    name: str
    largest: float | None = None


def lines(name: str, series: Sequence[Line], *, title: str, about: str, x: Axis, y: Axis) -> str:
    """A figure with lines, and a legend if there are several.

    Args:
        name: the element's id.
        series: at least one line with points.
        title: what it shows.
        about: how to read it, for screen readers.
        x, y: the axes.
    """
    x_ticks = ticks(x.largest or max(point[0] for one in series for point in one.points))
    y_ticks = ticks(y.largest or max(point[1] for one in series for point in one.points))
    plot = _Plot(x.largest or x_ticks[-1], y.largest or y_ticks[-1])
    grid = [
        *(plot.vertical(value) for value in x_ticks if value <= plot.x_max),
        *(plot.horizontal(value) for value in y_ticks if value <= plot.y_max),
    ]
    x_name = f'<text x="{LEFT + plot.width / 2:g}" y="{HEIGHT - 5}" text-anchor="middle">'
    paths = [
        f'<path class="line c{one.style % STYLES}" d="{plot.path(one.points)}"/>'
        for one in reversed(series)
        if one.points
    ]
    dots = [plot.dot(one.points[one.dotted], one.style) for one in series if one.dotted is not None]
    legend = "".join(key(one.name, one.style) for one in series) if len(series) > 1 else ""
    return f"""<figure class="chart" id="{name}">
<figcaption><b>{shown(title)}</b> {legend}</figcaption>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-about"
data-x="{LEFT} {plot.width} {plot.x_max:g}" data-y="{TOP} {plot.height} {plot.y_max:g}">
<title id="{name}-title">{shown(title)}</title><desc id="{name}-about">{shown(about)}</desc>
{"".join(grid)}
<text x="{LEFT - 34}" y="13">{shown(y.name)}</text>{x_name}{shown(x.name)}</text>
{"".join(paths)}{"".join(dots)}
</svg>
</figure>"""


def key(name: str, style: int) -> str:
    """An entry of a legend: a piece of the line, and its name."""
    line = f'<line class="line c{style % STYLES}" x1="0" x2="100%" y1="50%" y2="50%"/>'
    return (
        f'<span class="key"><svg class="sample" aria-hidden="true">{line}</svg>'
        f"{shown(name, NAME)}</span>"
    )


def line_key(css: str, name: str) -> str:
    """An entry of a legend for the lines in pictures."""
    line = f'<path class="{css}" d="M2 6H38"/>'
    sample = f'<svg class="sample picture-key" aria-hidden="true">{line}</svg>'
    return f'<span class="key">{sample}{name}</span>'


def bar(share: float) -> str:
    """A bar for a cell: `share` of its width, from 0 to 1."""
    return f'<svg aria-hidden="true"><rect width="{100 * share:.1f}%" height="100%" rx="2"/></svg>'


def spread(value: float | None, interval: Interval | None) -> str:
    """A dot with its interval for a cell, on an axis from 0 to 1; empty for None."""
    if value is None:
        return ""
    low, high = interval or (value, value)
    return (
        '<svg aria-hidden="true"><line class="axis" x1="0" x2="100%" y1="50%" y2="50%"/>'
        f'<line class="range" x1="{100 * low:.1f}%" x2="{100 * high:.1f}%" y1="50%" y2="50%"/>'
        f'<circle cx="{100 * value:.1f}%" cy="50%" r="4"/></svg>'
    )


class _Plot:
    """The area between the axes, which end at `x_max` and `y_max`."""

    def __init__(self, x_max: float, y_max: float) -> None:
        self.x_max, self.y_max = x_max, y_max
        self.width, self.height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        x, y = point
        across, up = min(x / self.x_max, 1.0), min(max(y / self.y_max, 0.0), 1.0)
        return round(LEFT + across * self.width, 1), round(TOP + (1 - up) * self.height, 1)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in map(self.place, points))

    def dot(self, point: tuple[float, float], style: int) -> str:
        x, y = self.place(point)
        return f'<circle class="dot c{style % STYLES}" cx="{x:g}" cy="{y:g}" r="{DOT}"/>'

    def vertical(self, value: float) -> str:
        x, bottom = self.place((value, 0))
        return (
            f'<path class="grid" d="M{x:g} {TOP}V{bottom:g}"/>'
            f'<text x="{x:g}" y="{bottom + 14:g}" text-anchor="middle">{value:,g}</text>'
        )

    def horizontal(self, value: float) -> str:
        left, y = self.place((0, value))
        return (
            f'<path class="grid" d="M{left:g} {y:g}H{WIDTH - RIGHT}"/>'
            f'<text x="{left - 5:g}" y="{y + 4:g}" text-anchor="end">{value:,g}</text>'
        )
