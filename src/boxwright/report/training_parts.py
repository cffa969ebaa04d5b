"""The parts of a report about how a detector was made: recipe, training, exports, times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from boxwright.evaluation.summary import COCO_TAGS
from boxwright.report.charts import Axis, Line, lines
from boxwright.report.facts import ExportedFile
from boxwright.report.html import shown, table
from boxwright.training import explanation

SMOOTH = 60  # points of a curve
SPIKES = 0.98  # quantile of the losses; the axis ends a little above it
LOSSES = {
    "Loss/total_loss": "sum",
    "Loss/classification_loss": "classes",
    "Loss/localization_loss": "boxes",
}
SCORES = {COCO_TAGS["AP50"]: "AP50", COCO_TAGS["AP"]: "AP"}
Log = Sequence[tuple[int, Mapping[str, float]]]


def recipe(settings: Sequence[explanation.Line]) -> str:
    """The settings that have a reason, and the others on demand."""
    reasoned = [
        [f"<code>{shown(one.path)}</code>", shown(one.meaning), shown(one.reason)]
        for one in settings
        if one.reason
    ]
    usual = [
        [f"<code>{shown(one.path)}</code>", shown(one.meaning)]
        for one in settings
        if not one.reason
    ]
    heads = ("setting", "meaning", "reason")
    html = ""
    if reasoned:
        html = f'<div class="prose">{table(heads, reasoned, "Settings with a reason")}</div>'
    if usual:
        others = table(heads[:2], usual, "Usual settings")
        html += (
            f"<details><summary>{len(usual)} settings with their usual values</summary>"
            f'<div class="prose">{others}</div></details>'
        )
    return html


def training(log: Log) -> str:
    """Curves of losses, and of the metrics on validation images."""
    charts = []
    if losses := [*_curves(log, LOSSES)]:
        largest = max(float(np.quantile([y for _, y in one.points], SPIKES)) for one in losses)
        charts.append(
            lines(
                "loss",
                losses,
                title="Losses on training images",
                about="A line for each loss over the steps of the training. Lower is better.",
                x=Axis("step"),
                y=Axis("loss", 1.1 * largest or None),
            )
        )
    if scores := [*_curves(log, SCORES)]:
        charts.append(
            lines(
                "ap",
                scores,
                title="AP on validation images",
                about="AP and AP50 over the steps of the training. Higher is better.",
                x=Axis("step"),
                y=Axis("AP", 1.0),
            )
        )
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def _curves(log: Log, names: Mapping[str, str]) -> Iterator[Line]:
    """A line for each metric that was logged; of many points the means of neighbors."""
    for style, (tag, name) in enumerate(names.items()):
        points = np.array([(step, at[tag]) for step, at in log if tag in at]).reshape(-1, 2)
        if len(points):
            parts = np.array_split(points, min(len(points), SMOOTH))
            means = (part.mean(axis=0).tolist() for part in parts)
            yield Line(name, [(x, y) for x, y in means], len(parts) - 1, style)


def exports(files: Sequence[ExportedFile]) -> str:
    """What exported files lose against the run."""
    rows = []
    for one in files:
        with suppress(TypeError, ValueError):  # what another program wrote into the file
            rows.append(_export(one))
    heads = ("file", "MB", "numbers", "AP it loses, points", "limit", "detections kept", "verified")
    about = (
        "<p>When it was written, every file was compared with the run on the same images; with "
        "95 % intervals.</p>"
    )
    return about + table(heads, rows, "Exported files") if rows else ""


def _export(one: ExportedFile) -> list[str]:
    compared = one.comparison
    between = ""
    if compared.interval:
        low, high = (100 * end for end in compared.interval)
        between = f" ({low:.2f} to {high:.2f})"
    return [
        shown(one.name),
        f"{one.size / 1e6:.1f}",
        shown(str(one.quantize or "float")),
        f"{100 * compared.loss:.2f}{between}",
        f"{100 * compared.tolerance:.1f}",
        f"{compared.agreeing:d} of {compared.compared:d}",
        "yes" if compared.passed else "no, kept on request",
    ]


def times(files: Mapping[str, Any]) -> str:
    """What `boxwright bench` measured."""
    rows = []
    for name, one in files.items():
        with suppress(KeyError, TypeError, ValueError):  # what another program wrote
            rows += [_time(name, one, timing) for timing in one["timings"]]
    heads = (
        *("file", "threads", "image to input, ms", "input to boxes, ms", "its p95", "images/s"),
        *("peak MB", "machine"),
    )
    about = "<p>Measured by <code>boxwright bench</code>; medians of one image.</p>"
    return about + table(heads, rows, "Time and memory") if rows else ""


def _time(name: str, one: Mapping[str, Any], timing: Mapping[str, Any]) -> list[str]:
    return [
        shown(name),
        shown(str(timing["threads"] or "own")),
        f"{one['prepare']['median']:.1f}",
        f"{timing['whole']['median']:.1f}",
        f"{timing['whole']['p95']:.1f}",
        f"{one['images_per_second']:.1f}",
        f"{one['peak_bytes'] / 1e6:.0f}" if one["peak_bytes"] else "n/a",
        shown(str(one["machine"])),
    ]
