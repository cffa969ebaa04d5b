"""The page of a report: what a detector does, where it fails, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from boxwright.codes import MEANINGS, SIGNS
from boxwright.evaluation.mistakes import KINDS
from boxwright.evaluation.report import next_steps, number
from boxwright.evaluation.summary import COCO_TAGS
from boxwright.report.charts import Axis, Line, lines
from boxwright.report.check_page import class_table
from boxwright.report.facts import Facts
from boxwright.report.html import asset, document, enlargeable, footer, place, prose, shown, table, tile
from boxwright.report.mistaken import Example
from boxwright.report.number_parts import (
    calibration,
    classes,
    confusion,
    kinds,
    leaks,
    slices,
    threshold,
    tiles,
)
from boxwright.report.pictures import color_rules
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted, worst_first

EXAMPLES = 3  # findings of a code
SMOOTH = 60  # points of a curve of losses
IN_CAPTION = 4  # mistakes named below a picture
CONTENT = (
    "It has reduced copies of the images shown, without what the camera wrote into them, the names "
    "of files and classes, and the paths of the command."
)
LOSSES = {
    "Loss/total_loss": "all",
    "Loss/classification_loss": "classes",
    "Loss/localization_loss": "boxes",
}
SCORES = {COCO_TAGS["AP50"]: "AP50", COCO_TAGS["AP"]: "AP"}
WORST = {
    "class": ("Wrong class", "The box fits an object of another class."),
    "location": ("Loose box", "The class is right, but the box overlaps the object too little."),
    "both": ("Loose box of the wrong class", "Neither the box nor the class fits."),
    "duplicate": ("Found twice", "Another detection of this object has a better score."),
    "background": ("Background", "There is no labeled object: a false alarm, or a missing label."),
    "missed": ("Missed", "No detection comes near these objects at the threshold."),
}


class Section(NamedTuple):
    """A part of the page: its id, its title, and HTML."""

    name: str
    title: str
    body: str


def page(
    facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]
) -> Iterator[str]:
    """The HTML page of a report.

    Args:
        facts: what it says.
        images: the images that were measured.
        pictures: an SVG of each example, if its image can be decoded.
    """
    sections = [one for one in _sections(facts, images, pictures) if one.body]
    return document(
        f"{shown(facts.name)}: report",
        _body(facts, sections),
        style=asset("page.css") + color_rules(),
        script=asset("page.js"),
    )


def _body(facts: Facts, sections: Sequence[Section]) -> Iterator[str]:
    numbers = f'<ul class="numbers">{tiles(facts.numbers)}</ul>' if facts.numbers else ""
    yield f"""<header>
<p class="faint">Report of a detector</p>
<h1>{shown(facts.name)}</h1>
<p class="lead">{shown(facts.says)}</p>
<p class="faint">{shown(facts.measured_on)}</p>
{numbers}
</header>"""
    links = "".join(f'<li><a href="#{one.name}">{one.title}</a></li>' for one in sections)
    yield f'<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav><main>'
    for one in sections:
        yield f'<section class="card" id="{one.name}"><h2>{one.title}</h2>{one.body}</section>'
    yield f"</main>{footer(CONTENT)}"


def _sections(
    facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]
) -> Iterator[Section]:
    numbers = facts.numbers
    yield Section("next", "What to do next", _next(facts))
    yield Section("data", "Data", _data(facts))
    yield Section("recipe", "Recipe", _recipe(facts))
    yield Section("training", "Training", _training(facts))
    if numbers:
        yield Section("threshold", "Score threshold", threshold(numbers))
        yield Section("classes", "Classes", classes(numbers))
        yield Section("mistakes", "Kinds of mistakes", kinds(numbers))
        yield Section("worst", "Worst images", _worst(facts, images, pictures))
        yield Section("confusion", "Confusion", confusion(numbers.confusion))
        yield Section("calibration", "Calibration of scores", calibration(numbers))
        yield Section("slices", "Parts of the images", slices(numbers))
        yield Section("leaks", "Leaks of the split", leaks(facts))
    yield Section("exports", "Exported files", _exports(facts))
    yield Section("bench", "Time and memory", _times(facts.times))
    yield Section("command", "Write this report again", f"<pre>{shown(facts.command, 2000)}</pre>")


def _next(facts: Facts) -> str:
    steps = " ".join(next_steps(facts.numbers)).removeprefix("Next: ") if facts.numbers else ""
    said = f"<p>{prose(steps)}</p>" if steps else ""
    if facts.next_command:
        said += f"<p>Measure on test images, which decided nothing:</p><pre>{shown(facts.next_command, 2000)}</pre>"
    return said


def _data(facts: Facts) -> str:
    dataset = facts.dataset
    named = {split: len(dataset.split(split)) for split in ("train", "val", "test", "unassigned")}
    splits = ", ".join(f"{count:,} {split}" for split, count in named.items() if count)
    said = f"<p>{counted(len(dataset), 'image')}, {counted(len(dataset.boxes), 'box', 'boxes')}: {splits}.</p>"
    health = "<p>No problems were found while the data was read.</p>"
    if dataset.findings:
        health = f'<ul class="findings">{"".join(_findings(dataset))}</ul>'
    check = "<p>For blurred images, odd boxes and near-duplicates in all of the data: <code>boxwright check DATA --html check.html</code></p>"
    return said + (class_table(dataset) if dataset.classes else "") + health + check


def _findings(dataset: Dataset) -> Iterator[str]:
    for code, same in groupby(worst_first(dataset.findings), key=lambda one: one.code):
        found, meaning = [*same], MEANINGS[code]
        examples = "".join(
            f"<li>{place(one.where)}: {shown(one.message)}</li>" for one in found[:EXAMPLES]
        )
        more = len(found) - EXAMPLES
        examples += f"<li>and {more:,} more</li>" if more > 0 else ""
        yield (
            f'<li><b class="{meaning.severity}">{SIGNS[meaning.severity]} {code}</b> '
            f"{prose(meaning.title)}<ul>{examples}</ul></li>"
        )


def _recipe(facts: Facts) -> str:
    """The settings that have a reason, and the others on demand."""
    if not facts.recipe:
        return ""
    reasoned = [
        [f"<code>{shown(one.path)}</code>", shown(one.meaning), shown(one.reason)]
        for one in facts.recipe
        if one.reason
    ]
    usual = [
        [f"<code>{shown(one.path)}</code>", shown(one.meaning)]
        for one in facts.recipe
        if not one.reason
    ]
    heads = ("setting", "meaning", "why")
    html = f'<div class="prose">{table(heads, reasoned, "Settings with reasons")}</div>'
    if usual:
        others = table(heads[:2], usual, "Usual settings")
        html += f'<details><summary>{len(usual)} usual settings</summary><div class="prose">{others}</div></details>'
    return html


def _training(facts: Facts) -> str:
    """Curves of losses and of the metrics on validation images."""
    losses = [*_curves(facts.log, LOSSES)]
    scores = [*_curves(facts.log, SCORES)]
    charts = []
    if losses:
        about = "A line for each loss, over the steps of the training. Lower is better."
        largest = max(np.quantile([y for _, y in one.points], 0.98) for one in losses)
        charts.append(
            lines("loss", losses, title="Losses", about=about, x=Axis("step"), y=Axis("loss", float(largest) * 1.1))
        )
    if scores:
        best = max(range(len(scores[0].points)), key=lambda i: scores[0].points[i][1])
        about = "AP and AP50 on the validation images, over the steps of the training."
        marked = [scores[0]._replace(marked=best), *scores[1:]]
        charts.append(
            lines("ap", marked, title="AP on validation images", about=about, x=Axis("step"), y=Axis("AP", 1.0))
        )
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def _curves(
    log: Sequence[tuple[int, Mapping[str, float]]], names: Mapping[str, str]
) -> Iterator[Line]:
    """A line for each metric that was logged; of many points the means of neighbors."""
    for style, (tag, name) in enumerate(names.items()):
        points = np.array([(step, at[tag]) for step, at in log if tag in at]).reshape(-1, 2)
        if len(points):
            parts = np.array_split(points, min(len(points), SMOOTH))
            yield Line(name, [(float(x), float(y)) for x, y in (part.mean(axis=0) for part in parts)], None, style)


def _worst(facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]) -> str:
    """The images with the worst mistakes, kind by kind."""
    groups = []
    for kind in KINDS:
        examples = [one for one in facts.worst.get(kind, ()) if pictures.get(one)]
        if examples:
            title, about = WORST[kind]
            figures = "".join(
                enlargeable(
                    f"{kind}{number}", pictures[one] or "", _caption(one, images), f"worst-{kind}"
                )
                for number, one in enumerate(examples)
            )
            groups.append(
                f'<h3 id="worst-{kind}">{title}</h3><p>{about}</p><div class="pictures">{figures}</div>'
            )
    if not groups:
        return ""
    keys = "".join(
        f'<span class="key"><svg class="sample picture-key" aria-hidden="true"><path class="{css}" '
        f'd="M2 5H38"/></svg>{said}</span>'
        for css, said in (
            ("truth", "truth"),
            ("k0", "detection, in the color of its class"),
            ("found", "mistake"),
        )
    )
    return f'<p class="keys">{keys}</p>{"".join(groups)}'


def _caption(example: Example, images: Dataset) -> str:
    said = []
    order = np.argsort(-np.nan_to_num(example.scores, nan=1.0), kind="stable")
    for i in order[:IN_CAPTION]:
        name, score = shown(images.classes[example.labels[i]], 40), example.scores[i]
        truth = example.truths[i]
        is_other = truth >= 0 and truth != example.labels[i]
        instead = f", is {shown(images.classes[truth], 40)}" if is_other else ""
        said.append(name + ("" if np.isnan(score) else f" {score:.2f}") + instead)
    more = len(order) - IN_CAPTION
    said += [f"{more} more"] if more > 0 else []
    return f"<b>{place(images.names[example.image])}</b> {'; '.join(said)}"


def _exports(facts: Facts) -> str:
    """What exported files lose against the run."""
    rows = []
    for one in facts.exports:
        compared = one.comparison
        interval = ""
        if compared.interval:
            interval = " ({:.2f} to {:.2f})".format(*(100 * end for end in compared.interval))
        verdict = "verified" if compared.passed else "kept despite its loss"
        rows.append(
            [
                shown(one.name),
                f"{one.size / 1e6:.1f}",
                shown(one.quantize or "float"),
                f"{100 * compared.loss:.2f}{interval}",
                f"{100 * compared.tolerance:.1f}",
                f"{compared.agreeing} of {compared.compared}",
                verdict,
            ]
        )
    if not rows:
        return ""
    heads = ("file", "MB", "arithmetic", "loss of AP, points", "limit", "detections that agree", "")
    return (
        "<p>Every exported file was compared with the run on the same images when it was written, with 95 % "
        f"intervals.</p>{table(heads, rows, 'Exported files')}"
    )


def _times(times: Mapping[str, Any]) -> str:
    """What `boxwright bench` measured."""
    rows = []
    for name, one in times.items():
        for timing in one["timings"]:
            network = timing["network"]
            rows.append(
                [
                    shown(name),
                    str(timing["threads"] or "own"),
                    f"{one['prepare']['median']:.1f}",
                    f"{network['median']:.1f}" if network else "",
                    f"{timing['whole']['median']:.1f}",
                    f"{timing['whole']['p95']:.1f}",
                    f"{one['images_per_second']:.1f}",
                    f"{one['peak_bytes'] / 1e6:.0f}" if one["peak_bytes"] else "n/a",
                ]
            )
    if not rows:
        return ""
    heads = ("file", "threads", "to input, ms", "network, ms", "network and post, ms", "p95, ms", "images/s", "peak MB")
    machine = next(iter(times.values())).get("machine", "")
    return f"<p>Measured by <code>boxwright bench</code> on {shown(machine)}.</p>{table(heads, rows, 'Times')}"
