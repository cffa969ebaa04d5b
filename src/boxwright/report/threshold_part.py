"""The part of a report about the score threshold: curves, a slider, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from boxwright.evaluation.numbers import Numbers
from boxwright.evaluation.outcomes import SWEEP, Sweep
from boxwright.evaluation.report import number
from boxwright.report.charts import Axis, Line, lines
from boxwright.report.html import MAX_ROWS, NAME, shown, table
from boxwright.report.number_parts import interval, of_100

MAX_CURVES = 6  # classes in a chart, besides all together
ALL = "all classes"
STEPS = range(10, 91, 10)  # indices of SWEEP in the table


def threshold(numbers: Numbers) -> str:
    """Curves with a slider, which needs the script, and a table of thresholds, which does not."""
    together = _together(numbers.sweeps)
    if not together.right[0] + together.wrong[0]:
        return "<p>There are no detections.</p>"
    frequent = sorted(numbers.sweeps, key=lambda one: -one.truths) if numbers.sweeps[1:] else []
    at = round(100 * numbers.threshold.value)
    options = "".join(map(_option, [together, *frequent[:MAX_ROWS]]))
    return f"""<div class="slider" data-images="{numbers.images}" hidden>
<label>Class <select autocomplete="off">{options}</select></label>
<label>Score threshold
<input type="range" min="0" max="100" value="{at}" autocomplete="off"></label>
<output aria-live="polite"></output></div>
<div class="charts">{_precision_and_recall([together, *frequent[:MAX_CURVES]], at)}
{_rates(together, at)}</div>
{_table(numbers, together)}"""


def _together(sweeps: Sequence[Sweep]) -> Sweep:
    right, wrong = (
        tuple(np.sum([getattr(one, name) for one in sweeps], axis=0, dtype=int).tolist())
        if sweeps
        else (0,)
        for name in ("right", "wrong")
    )
    return Sweep(ALL, sum(one.truths for one in sweeps), right, wrong)


def _option(sweep: Sweep) -> str:
    right, wrong = (" ".join(map(str, counts)) for counts in (sweep.right, sweep.wrong))
    return (
        f'<option data-truths="{sweep.truths}" data-right="{right}" data-wrong="{wrong}">'
        f"{shown(sweep.name, NAME)}</option>"
    )


def _precision_and_recall(sweeps: Sequence[Sweep], at: int) -> str:
    series = []
    for style, one in enumerate(sweeps):
        points = [(recall, precision) for _, precision, recall, _ in _rows(one)]
        dotted = None if style else min(at, len(points) - 1)
        series += [Line(one.name, points, dotted, style)] if points else []
    return lines(
        "pr",
        series,
        title="Precision and recall",
        about="Precision over recall at all score thresholds; the dot is the chosen threshold.",
        x=Axis("recall", 1.0),
        y=Axis("precision", 1.0),
    )


def _rates(sweep: Sweep, at: int) -> str:
    columns = zip(*_rows(sweep), strict=True)
    score, *rates = (list(column) for column in columns)
    names = ("precision", "recall", "F1")
    return lines(
        "rates",
        [
            Line(name, list(zip(score, column, strict=True)), min(at, len(score) - 1), style)
            for style, (name, column) in enumerate(zip(names, rates, strict=True))
        ],
        title=f"At each threshold, {ALL}",
        about="Precision, recall and F1 over the score threshold; dots are at the chosen one.",
        x=Axis("score threshold", 1.0),
        y=Axis("", 1.0),
    )


def _rows(sweep: Sweep) -> Iterator[tuple[float, float, float, float]]:
    """Threshold, precision, recall and F1, up to the last threshold with detections."""
    for score, right, wrong in zip(SWEEP.tolist(), sweep.right, sweep.wrong, strict=False):
        found, truths = right + wrong, sweep.truths
        if found:
            yield score, right / found, right / max(1, truths), 2 * right / (found + truths)


def _table(numbers: Numbers, together: Sweep) -> str:
    own, rates = numbers.threshold.value, numbers.at_threshold
    alarms = rates.false_alarms_per_100_images
    per_class = ", others by class" if numbers.threshold.per_class else ""
    rows = {
        own: [
            f"<b>{own:g}</b> (chosen{per_class})",
            of_100(rates.recall),
            number(rates.precision.value),
            number(rates.f1.value),
            f"{alarms.value or 0:.0f}{interval(alarms, 1)}",
        ]
    }
    known = {round(100 * score): row for score, *row in _rows(together)}
    for step in STEPS:
        if step in known:
            precision, recall, f1 = known[step]
            cells = [f"{step / 100:g}", f"{100 * recall:.0f}", number(precision), number(f1)]
            wrong = 100 * together.wrong[step] / max(1, numbers.images)
            rows.setdefault(step / 100, [*cells, f"{wrong:.0f}"])
    heads = ("threshold", "finds of 100", "precision", "F1", "false alarms per 100 images")
    return table(heads, [rows[at] for at in sorted(rows)], "Thresholds")
