"""The page of a report: what a detector does, where it fails, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

import numpy as np

from boxwright.codes import MEANINGS, SIGNS
from boxwright.datasets.stats import SMALLEST, Stats
from boxwright.evaluation.mistakes import KINDS, MISSED
from boxwright.evaluation.report import next_steps
from boxwright.report.charts import line_key
from boxwright.report.data_parts import class_details
from boxwright.report.facts import Facts
from boxwright.report.html import asset, document, enlargeable, footer, place, prose, shown
from boxwright.report.mistaken import Example
from boxwright.report.number_parts import (
    calibration,
    classes,
    confusion,
    kinds,
    leaks,
    slices,
    tiles,
)
from boxwright.report.pictures import color_rules
from boxwright.report.threshold_part import threshold
from boxwright.report.training_parts import exports, recipe, times, training
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted, worst_first

EXAMPLES = 3  # findings of a code
IN_CAPTION = 4  # mistakes named below a picture
COMMAND = 2000  # characters
CONTENT = (
    "It has reduced copies of the images shown, without what the camera wrote into them, the names "
    "of files and classes, and the paths of its command."
)
WORST = {
    "class": ("Wrong class", "The box fits an object of another class."),
    "location": ("Loose box", "The class is right, but the box overlaps the object too little."),
    "both": ("Loose box of the wrong class", "Neither the box nor the class fits."),
    "duplicate": ("Found twice", "Another detection of the object has a better score."),
    "background": ("Background", "There is no labeled object: a false alarm or a missing label."),
    "missed": ("Missed", "No detection at the threshold comes near these objects."),
}
LINES = {
    "truth": "truth",
    "k0": "detection, in the color of its class",
    "found": "mistake",
    "missed": "missed object",
}


class Section(NamedTuple):
    """A part of the page: its id, its title, and HTML."""

    name: str
    title: str
    body: str


def page(facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]) -> Iterator[str]:
    """The HTML page of a report.

    Args:
        facts: what it says.
        images: the images that were measured.
        pictures: an SVG of each example, if its image can be decoded.
    """
    return document(
        f"{shown(facts.name)}: report",
        _body(facts, images, pictures),
        style=asset("page.css") + color_rules(),
        script=asset("page.js"),
    )


def _body(facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]) -> Iterator[str]:
    sections = [one for one in _sections(facts, images, pictures) if one.body]
    links = "".join(f'<li><a href="#{one.name}">{one.title}</a></li>' for one in sections)
    numbers = f'<ul class="numbers">{tiles(facts.numbers)}</ul>' if facts.numbers else ""
    yield f"""<header>
<p class="faint">Report of a detector</p>
<h1>{shown(facts.name)}</h1>
<p class="lead">{shown(facts.says)}</p>
<p class="faint">{shown(facts.measured_on)} {shown(facts.baseline)}</p>
{numbers}
</header>
<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav>
<main>"""
    for one in sections:
        yield f'<section class="card" id="{one.name}"><h2>{one.title}</h2>{one.body}</section>'
    yield f"</main>{footer(CONTENT)}"


def _sections(
    facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]
) -> Iterator[Section]:
    numbers = facts.numbers
    yield Section("next", "What to do next", _next(facts))
    yield Section("data", "Data", _data(facts.dataset, facts.stats))
    yield Section("recipe", "Recipe", recipe(facts.recipe))
    yield Section("training", "Training", training(facts.log))
    if numbers:
        yield Section("threshold", "Score threshold", threshold(numbers))
        yield Section("classes", "Classes", classes(numbers))
        yield Section("mistakes", "Kinds of mistakes", kinds(numbers))
        yield Section("worst", "Worst images", _worst(facts, images, pictures))
        yield Section("confusion", "Confusion", confusion(numbers.confusion))
        yield Section("calibration", "Calibration of scores", calibration(numbers))
        yield Section("slices", "Parts of the images", slices(numbers))
        yield Section("leaks", "Leaks of the split", leaks(facts))
    yield Section("exports", "Exported files", exports(facts.exports))
    yield Section("bench", "Time and memory", times(facts.times))
    command = f"<pre>{shown(facts.command, COMMAND)}</pre>" if facts.command else ""
    yield Section("command", "Write this report again", command)


def _next(facts: Facts) -> str:
    steps = " ".join(next_steps(facts.numbers)).removeprefix("Next: ") if facts.numbers else ""
    said = f"<p>{prose(steps)}</p>" if steps else ""
    if facts.next_step:
        step, command = facts.next_step
        said += f"<p>{step}</p><pre>{shown(command, COMMAND)}</pre>"
    return said


def _data(dataset: Dataset, stats: Stats) -> str:
    """Counts, sizes, and what was found while the data was read."""
    splits = ", ".join(f"{count:,} {split}" for split, count in stats.splits.items())
    images, boxes = counted(stats.images, "image"), counted(stats.boxes, "box", "boxes")
    smallest, median, largest = stats.box_sides
    size = f"At the detector's input of {stats.input_size} x {stats.input_size} pixels"
    found = "<p>No problems were found while the data was read.</p>"
    if dataset.findings:
        found = f'<ul class="findings">{"".join(_findings(dataset))}</ul>'
    return (
        f"<p>{images}, {boxes}: {splits}. {stats.empty_images:,} without objects. {size}, objects "
        f"have sides of {smallest:g} to {largest:g} pixels, the median is {median:g}; "
        f"{100 * stats.too_small:.0f} % are smaller than {SMALLEST:g} pixels.</p>"
        f"{class_details(dataset)}{found}"
        "<p>For odd boxes, blurred images and near-duplicates in all of the data: "
        "<code>boxwright check DATA --html check.html</code></p>"
    )


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


def _worst(facts: Facts, images: Dataset, pictures: Mapping[Example, str | None]) -> str:
    """The images with the worst mistakes, kind by kind."""
    groups = []
    for kind in KINDS:
        drawn = [(one, svg) for one in facts.worst.get(kind, ()) if (svg := pictures.get(one))]
        figures = "".join(
            enlargeable(f"{kind}{number}", svg, _caption(one, images), f"worst-{kind}")
            for number, (one, svg) in enumerate(drawn)
        )
        if figures:
            title, about = WORST[kind]
            head = f'<h3 id="worst-{kind}">{title}</h3><p>{about}</p>'
            groups.append(f'{head}<div class="pictures">{figures}</div>')
    keys = "".join(line_key(css, said) for css, said in LINES.items())
    return f'<p class="keys">{keys}</p>{"".join(groups)}' if groups else ""


def _caption(example: Example, images: Dataset) -> str:
    """The image's name, and its worst mistakes, or how many objects of each class it misses."""
    name = f"<b>{place(images.names[example.image])}</b>"
    if example.kind == KINDS[MISSED]:
        labels, counts = np.unique(example.labels, return_counts=True)
        missed = zip(counts.tolist(), labels.tolist(), strict=True)
        return f"{name} {', '.join(f'{n} {shown(images.classes[label])}' for n, label in missed)}"
    said = []
    for i in np.argsort(-example.scores, kind="stable")[:IN_CAPTION]:
        label, truth = example.labels[i], example.truths[i]
        other = f" (truth: {shown(images.classes[truth])})" if truth not in {-1, label} else ""
        said.append(f"{shown(images.classes[label])} {example.scores[i]:.2f}{other}")
    more = len(example.labels) - IN_CAPTION
    said += [f"{more} more"] if more > 0 else []
    return f"{name} {', '.join(said)}"
