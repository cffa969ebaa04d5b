"""The parts of a report that show numbers of an evaluation, besides those at other thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation.bootstrap import Measured
from boxwright.evaluation.calibration import LOWEST
from boxwright.evaluation.confusion import BACKGROUND, Confusion
from boxwright.evaluation.mistakes import NOTE
from boxwright.evaluation.numbers import Numbers
from boxwright.evaluation.report import between, number
from boxwright.evaluation.slices import LEAK, Subset
from boxwright.report.charts import Axis, Line, bar, lines, spread
from boxwright.report.facts import Facts
from boxwright.report.html import MAX_ROWS, NAME, items, shown, table, tile

MATRIX = 16  # classes; more have a list of confusions
CONFUSIONS = 20  # in that list
SHADES = 10  # of a matrix' cells
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
    rates, count = numbers.at_threshold, numbers.images
    named = {
        "AP50": Measured(numbers.ap50, numbers.ap50_interval, count),
        "AP": Measured(numbers.ap, numbers.ap_interval, count),
        "precision": rates.precision,
        "recall": rates.recall,
        "F1": rates.f1,
        "miscounted per image": rates.count_error,
    }
    return "".join(
        tile(
            "n/a" if one.value is None else f"{one.value:.2f}",
            f"{unit} <small>{between(one, 1, 2).strip(' ()')}</small>",
        )
        for unit, one in named.items()
    )


def of_100(measured: Measured) -> str:
    """A part as a number of 100, with its interval."""
    if measured.value is None:
        return "n/a"
    return f"{100 * measured.value:.0f}{interval(measured, 100)}"


def interval(measured: Measured, scale: float, digits: int = 0) -> str:
    """The interval for a cell of a table whose text says what it is; lines break only before."""
    text = between(measured, scale, digits).replace("95 %: ", "").lstrip()
    return f" {text.replace(' ', chr(160))}" if text else ""


def classes(numbers: Numbers) -> str:
    """What is found of each class."""
    ordered = sorted(numbers.per_class, key=lambda one: -one.boxes)
    rows = []
    for one in ordered:
        rates = numbers.per_class_at_threshold[one.name]
        scores = number(one.ap), number(one.ap50)
        at_threshold = of_100(rates.recall), of_100(rates.precision)
        rows.append([shown(one.name, NAME), f"{one.boxes:,}", *scores, *at_threshold])
    heads = ("class", "objects", "AP", "AP50", "finds of 100", "right of 100 detections")
    about = "<p>The last two numbers are at the threshold, with 95 % intervals. Bars are AP50.</p>"
    return about + table(heads, rows, "Classes", [bar(one.ap50 or 0.0) for one in ordered])


def kinds(numbers: Numbers) -> str:
    """TIDE's kinds of mistakes."""
    found = numbers.mistakes.kinds
    if not found:
        return ""
    largest = max(one.loss for one in found) or 1.0
    rows = [[KINDS[one.kind], f"{one.count:,}", f"{one.loss:.3f}"] for one in found]
    heads = ("kind", "number at the threshold", "AP50 it costs")
    bars = [bar(one.loss / largest) for one in found]
    return f"<p>{NOTE}</p>{table(heads, rows, 'Kinds of mistakes', bars)}"


def confusion(counted: Confusion) -> str:
    """Boxes by true and by detected class, and how they were paired."""
    names, counts = [*counted.classes, BACKGROUND], counted.counts
    limits = sorted(set(counted.thresholds))
    at = f"a score of at least {limits[0]:g}" if len(limits) == 1 else "thresholds by class"
    about = (
        f"<p>Pairs with an IoU of at least {counted.iou:g}, one to one, regardless of class, and "
        f"{at}. Rows are the truth, columns what was detected. The last column was missed; the "
        "last row are false alarms.</p>"
    )
    several = len(counted.classes) > MATRIX
    return about + (_confusions(names, counts) if several else _matrix(names, counts))


def _matrix(names: Sequence[str], counts: NDArray[np.int64]) -> str:
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    heads = "".join(f'<th scope="col">{shown(name, NAME)}</th>' for name in names)
    rows = []
    for row, name in enumerate(names):
        cells = "".join(
            f'<td class="h{round(SHADES * part)}">{count:,}</td>'
            for part, count in zip(parts[row].tolist(), counts[row].tolist(), strict=True)
        )
        rows.append(f'<tr><th scope="row">{shown(name, NAME)}</th>{cells}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">'
        f'<table class="matrix"><thead><tr><td>truth \\ detected</td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _confusions(names: Sequence[str], counts: NDArray[np.int64]) -> str:
    """The most frequent confusions as a list."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    pairs = [divmod(int(cell), len(names)) for cell in order]
    rows = [
        [shown(names[row], NAME), shown(names[column], NAME), f"{wrong[row, column]:,}"]
        for row, column in pairs
        if wrong[row, column]
    ]
    return table(("truth", "detected", "number"), rows, "Most frequent confusions")


def calibration(numbers: Numbers) -> str:
    """Score against precision in ten bins."""
    ece, bins = numbers.calibration.ece, numbers.calibration.bins
    known = [
        (one.score, one.precision)
        for one in bins
        if one.score is not None and one.precision is not None
    ]
    if not known or ece.value is None:
        return ""
    chart = lines(
        "reliability",
        [Line("detections", known), Line("ideal", [(0, 0), (1, 1)], style=3)],
        title="Score and precision",
        about="The part of the detections that is right, over their score, in ten bins.",
        x=Axis("score", 1.0),
        y=Axis("right", 1.0),
    )
    return (
        "<p>A calibrated score of 0.8 means that 8 of 10 such detections are right. The mean "
        f"difference (ECE) is {ece.value:.3f}{between(ece, 1, 3)}, of detections with a score of "
        f'{LOWEST:g} or more.</p><div class="charts">{chart}</div>'
    )


def slices(numbers: Numbers) -> str:
    """AP50, recall and precision of parts of the images."""
    parts = [one for one in numbers.slices if one.by != LEAK]
    about = "Where intervals overlap much, two parts need not differ."
    return f"<p>{about}</p>{_subsets(parts, 'Parts of the images')}" if parts else ""


def _subsets(parts: Sequence[Subset], label: str) -> str:
    rows = [
        [
            shown(f"{one.by}: {one.name}", NAME),
            f"{one.images:,}",
            f"{one.boxes:,}",
            f"{number(one.ap50.value)}{interval(one.ap50, 1, 2)}",
            of_100(one.recall),
            of_100(one.precision) if one.precision else "",
        ]
        for one in parts
    ]
    heads = ("part", "images", "objects", "AP50", "finds of 100", "right of 100")
    pictures = [spread(one.ap50.value, one.ap50.interval) for one in parts]
    about = "<p>With 95 % intervals. The pictures show AP50 from 0 to 1.</p>"
    return about + table(heads, rows, label, pictures)


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
    _, others = parts = [one for one in numbers.slices if one.by == LEAK]
    count = f"{len(facts.leaked):,} of {numbers.images:,}"
    return (
        f"<p>{count} images are near-duplicates of one of the {compared}. With them AP50 is "
        f"{number(numbers.ap50)}, without them {number(others.ap50.value)}. "
        "<code>boxwright split DATA --anew</code> keeps such images together.</p>"
        f"{_subsets(parts, 'With and without leaks')}<details><summary>Their names</summary>"
        f"{items(facts.leaked, MAX_ROWS)}</details>"
    )
