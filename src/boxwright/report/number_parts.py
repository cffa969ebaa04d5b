"""The parts of a report's page that show numbers of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import Measured
from boxwright.evaluation.calibration import LOWEST
from boxwright.evaluation.confusion import BACKGROUND, Confusion
from boxwright.evaluation.mistakes import NOTE
from boxwright.evaluation.numbers import Numbers
from boxwright.evaluation.outcomes import SWEEP, Sweep
from boxwright.evaluation.report import between, number
from boxwright.evaluation.slices import LEAK
from boxwright.report.charts import Axis, Line, bar, lines, spread
from boxwright.report.facts import Facts
from boxwright.report.html import MAX_ROWS, place, shown, table, tile

NAME = 60  # characters of a class name
MAX_CURVES = 6  # classes in a chart, besides all together
MATRIX = 16  # classes; more have a list of confusions
CONFUSIONS = 20  # in that list
SHADES = 10  # of a matrix' cells
ALL = "all classes"
STEPS = range(10, 91, 10)  # indices of SWEEP in the table of thresholds
KINDS = {
    "class": "wrong class",
    "location": "loose box",
    "both": "loose box of the wrong class",
    "duplicate": "found twice",
    "background": "background",
    "missed": "missed",
}


def tiles(numbers: Numbers) -> str:
    """The headline numbers with their intervals."""
    rates, coco = numbers.at_threshold, (
        Measured(numbers.ap50, numbers.ap50_interval, numbers.images),
        Measured(numbers.ap, numbers.ap_interval, numbers.images),
    )
    named = [
        ("AP50", coco[0]),
        ("AP", coco[1]),
        ("precision", rates.precision),
        ("recall", rates.recall),
        ("F1", rates.f1),
        ("objects miscounted per image", rates.count_error),
    ]
    return "".join(
        tile(_short(measured.value), f"{unit}<br><small>{between(measured, 1, 2).strip(' ()')}</small>")
        for unit, measured in named
    )


def _short(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def of_100(measured: Measured) -> str:
    """A part as a number of 100, with its interval."""
    if measured.value is None:
        return "n/a"
    return f"{100 * measured.value:.0f}{between(measured, 100).replace('95 %: ', '')}"


def threshold(numbers: Numbers) -> str:
    """Curves with a slider, which needs the script, and a table of thresholds, which does not."""
    together = _together(numbers.sweeps)
    frequent = sorted(numbers.sweeps, key=lambda one: -one.truths)
    shown_alone = frequent[:MAX_CURVES] if len(frequent) > 1 else []
    at = round(100 * numbers.threshold.value)
    recall = [
        Line(one.name, [*_recall_and_precision(one)], None, style)
        for style, one in enumerate([together, *shown_alone])
    ]
    recall = [line for line in recall if line.points]
    if not recall:
        return "<p>There are no detections.</p>"
    recall[0] = recall[0]._replace(marked=min(at, len(recall[0].points) - 1))
    rates = [
        Line(name, points, min(at, len(points) - 1), style)
        for style, (name, points) in enumerate(_rates(together).items())
        if points
    ]
    charts = [
        lines(
            "pr",
            recall,
            title="Precision and recall",
            about="Precision over recall at all score thresholds; the dot is the chosen threshold.",
            x=Axis("recall", 1.0),
            y=Axis("precision", 1.0),
        ),
        lines(
            "rates",
            rates,
            title=f"At each threshold, {ALL}",
            about="Precision, recall and F1 over the score threshold; dots are at the chosen one.",
            x=Axis("score threshold", 1.0),
            y=Axis("", 1.0),
        ),
    ]
    options = "".join(map(_option, [together, *frequent[:MAX_ROWS]] if shown_alone else [together]))
    slider = f"""<div class="slider" data-images="{numbers.images}" hidden>
<label>Class <select autocomplete="off">{options}</select></label>
<label>Score threshold <input type="range" min="0" max="100" value="{at}" autocomplete="off"></label>
<output aria-live="polite"></output></div>"""
    return f'{slider}<div class="charts">{"".join(charts)}</div>{_table(numbers, together)}'


def _together(sweeps: Sequence[Sweep]) -> Sweep:
    right, wrong = (
        np.sum([getattr(one, name) for one in sweeps], axis=0, dtype=np.int64).reshape(-1)
        for name in ("right", "wrong")
    )
    return Sweep(ALL, sum(one.truths for one in sweeps), tuple(right.tolist()), tuple(wrong.tolist()))


def _columns(sweep: Sweep) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(101,)` numbers of right detections, and of all."""
    right = np.array(sweep.right)
    return right, right + np.array(sweep.wrong)


def _recall_and_precision(sweep: Sweep) -> Iterator[tuple[float, float]]:
    """Points of a curve, from the lowest threshold to the last one with detections."""
    right, detected = _columns(sweep)
    for hits, count in zip(right.tolist(), detected.tolist(), strict=True):
        if count and sweep.truths:
            yield hits / sweep.truths, hits / count


def _rates(sweep: Sweep) -> dict[str, list[tuple[float, float]]]:
    right, detected = _columns(sweep)
    rows = list(zip(SWEEP.tolist(), right.tolist(), detected.tolist(), strict=True))
    return {
        "precision": [(at, hits / count) for at, hits, count in rows if count],
        "recall": [(at, hits / sweep.truths) for at, hits, _ in rows if sweep.truths],
        "F1": [(at, 2 * hits / (count + sweep.truths)) for at, hits, count in rows if count + sweep.truths],
    }


def _option(sweep: Sweep) -> str:
    right, wrong = (" ".join(map(str, counts)) for counts in (sweep.right, sweep.wrong))
    return (
        f'<option data-truths="{sweep.truths}" data-right="{right}" data-wrong="{wrong}">'
        f"{shown(sweep.name, NAME)}</option>"
    )


def _table(numbers: Numbers, together: Sweep) -> str:
    own, rates = numbers.threshold.value, numbers.at_threshold
    alarms = rates.false_alarms_per_100_images
    per_class = " (others by class)" if numbers.threshold.per_class else ""
    rows = {
        own: [
            f"<b>{own:g}</b>{per_class}, chosen",
            of_100(rates.recall),
            number(rates.precision.value),
            number(rates.f1.value),
            f"{alarms.value or 0:.0f}{between(alarms, 1).replace('95 %: ', '')}",
        ]
    }
    right, detected = _columns(together)
    for step in STEPS:
        hits, count, truths = int(right[step]), int(detected[step]), together.truths
        parts = (hits / count if count else None, 2 * hits / (count + truths) if count + truths else None)
        found = f"{100 * hits / truths:.0f}" if truths else "n/a"
        wrong = f"{100 * (count - hits) / max(1, numbers.images):.0f}"
        rows.setdefault(step / 100, [f"{step / 100:g}", found, *map(number, parts), wrong])
    heads = ("threshold", "finds of 100", "precision", "F1", "false alarms per 100 images")
    ordered = [rows[at] for at in sorted(rows)]
    return table(heads, ordered, "Thresholds")


def classes(numbers: Numbers) -> str:
    """What is found of each class."""
    rows, bars = [], []
    for one in sorted(numbers.per_class, key=lambda one: -one.boxes):
        rates = numbers.per_class_at_threshold[one.name]
        rows.append(
            [
                shown(one.name, NAME),
                f"{one.boxes:,}",
                number(one.ap),
                number(one.ap50),
                of_100(rates.recall),
                of_100(rates.precision),
            ]
        )
        bars.append(bar(one.ap50 or 0.0))
    heads = ("class", "boxes", "AP", "AP50", "finds of 100", "right of 100 detections")
    about = "<p>The last two numbers are at the threshold, with 95 % intervals. Bars are AP50.</p>"
    return about + table(heads, rows, "Classes", bars)


def kinds(numbers: Numbers) -> str:
    """TIDE's kinds of mistakes."""
    found = numbers.mistakes.kinds
    if not found:
        return ""
    largest = max([one.loss for one in found] + [1e-9])
    rows = [[KINDS[one.kind], f"{one.count:,}", f"{one.loss:.3f}"] for one in found]
    bars = [bar(one.loss / largest) for one in found]
    heads = ("kind", "number at the threshold", "AP50 it costs")
    return f"<p>{NOTE}</p>{table(heads, rows, 'Kinds of mistakes', bars)}"


def confusion(counted: Confusion) -> str:
    """Boxes by true and by detected class, and how they were paired."""
    names, counts = [*counted.classes, BACKGROUND], counted.counts
    limits = sorted(set(counted.thresholds))
    at = f"a score of at least {limits[0]:g}" if len(limits) == 1 else "thresholds by class"
    about = (
        f"<p>Pairs with an IoU of at least {counted.iou:g}, one to one, regardless of class, and {at}. "
        "Rows are the truth, columns what was detected. The last column was missed, the last row are false "
        "alarms.</p>"
    )
    if len(counted.classes) > MATRIX:
        return about + _confusions(names, counts)
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    heads = "".join(f'<th scope="col">{shown(name, NAME)}</th>' for name in names)
    rows = []
    for row, name in enumerate(names):
        cells = "".join(
            f'<td class="h{round(SHADES * float(parts[row, column]))}">{int(counts[row, column]):,}</td>'
            for column in range(len(names))
        )
        rows.append(f'<tr><th scope="row">{shown(name, NAME)}</th>{cells}</tr>')
    return (
        f'{about}<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">'
        f'<table class="matrix"><thead><tr><td>truth \\ detected</td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _confusions(names: Sequence[str], counts: NDArray[np.int64]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    pairs = [divmod(int(cell), len(names)) for cell in order]
    rows = [
        [shown(names[row], NAME), shown(names[column], NAME), f"{int(wrong[row, column]):,}"]
        for row, column in pairs
        if wrong[row, column]
    ]
    return table(("truth", "detected", "number"), rows, "Most frequent confusions")


def calibration(numbers: Numbers) -> str:
    """Score against precision in ten bins."""
    measured = numbers.calibration
    points = [(one.score, one.precision) for one in measured.bins]
    known = [(score, right) for score, right in points if score is not None and right is not None]
    if not known or measured.ece.value is None:
        return ""
    chart = lines(
        "reliability",
        [Line("detections", known, None, 0), Line("ideal", [(0, 0), (1, 1)], None, 3)],
        title="Score and precision",
        about="The part of the detections that is right, over their score, in ten bins.",
        x=Axis("score", 1.0),
        y=Axis("right", 1.0),
    )
    return (
        f"<p>A calibrated score of 0.8 means that 8 of 10 such detections are right. The mean difference "
        f"(ECE) is {measured.ece.value:.3f}{between(measured.ece, 1, 3)}, of detections with a score of "
        f"{LOWEST:g} or more.</p>"
        f'<div class="charts">{chart}</div>'
    )


def slices(numbers: Numbers) -> str:
    """AP50, recall and precision of parts of the images."""
    parts = [one for one in numbers.slices if one.by != LEAK]
    return _subsets(numbers, parts) if parts else ""


def _subsets(numbers: Numbers, parts: Sequence[object]) -> str:
    rows, pictures = [], []
    for one in numbers.slices:
        if one not in parts:
            continue
        rows.append(
            [
                shown(f"{one.by}: {one.name}", NAME),
                f"{one.images:,}",
                f"{one.boxes:,}",
                f"{number(one.ap50.value)}{between(one.ap50, 1, 2).replace('95 %: ', '')}",
                of_100(one.recall),
                of_100(one.precision) if one.precision else "",
            ]
        )
        pictures.append(spread(one.ap50.value, one.ap50.interval))
    heads = ("part", "images", "objects", "AP50", "finds of 100", "right of 100")
    about = "<p>With 95 % intervals; the picture shows AP50 from 0 to 1. Where intervals overlap much, parts need not differ.</p>"
    return about + table(heads, rows, "Parts of the images", pictures)


def leaks(facts: Facts) -> str:
    """Near-duplicates of training images, and the scores with and without them."""
    numbers = facts.numbers
    if facts.training_images is None or numbers is None:
        return (
            "<p>Not checked: the training images are not known here, or too many. "
            "<code>boxwright check DATA</code> compares all images.</p>"
        )
    compared = f"{facts.training_images:,} training images"
    if not facts.leaked:
        return f"<p>None of these images is a near-duplicate of one of the {compared}.</p>"
    parts = [one for one in numbers.slices if one.by == LEAK]
    names = "".join(f"<li>{place(name)}</li>" for name in facts.leaked[:MAX_ROWS])
    more = len(facts.leaked) - MAX_ROWS
    names += f"<li>and {more:,} more</li>" if more > 0 else ""
    return (
        f"<p>{len(facts.leaked):,} of {numbers.images:,} images are near-duplicates of one of the {compared}. With them "
        f"AP50 is {number(numbers.ap50)}, without them {number(parts[1].ap50.value)}. <code>boxwright split --anew</code> keeps such "
        f"images together.</p>{_subsets(numbers, parts)}<details><summary>Their names</summary><ul>{names}</ul></details>"
    )
