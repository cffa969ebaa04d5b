"""The text of a model card, in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from boxwright.evaluation.report import number
from boxwright.inference.artifact import Artifact
from boxwright.io.shell import quoted
from boxwright.report.facts import UNMEASURED, ExportedFile
from boxwright.report.licenses import parts_of
from boxwright.structures.findings import counted

HOME = "https://github.com/boxwright/boxwright"
SIZES = {"small": "up to 32 x 32", "medium": "up to 96 x 96", "large": "over 96 x 96"}  # pixels
MISTAKES = {
    "class": "objects get the wrong class",
    "location": "boxes are too loose",
    "both": "boxes are loose and of the wrong class",
    "duplicate": "objects are found twice",
    "background": "detections are on the background",
    "missed": "objects are missed",
}


def measured_folder(report: Mapping[str, Any]) -> str:
    """The name of the folder of the images that a report measured."""
    return PurePath(report["data"].get("folder", "images")).name


def body(
    name: str,
    license: str,
    artifact: Artifact,
    report: Mapping[str, Any],
    exports: Sequence[ExportedFile],
) -> Iterator[str]:
    """The lines below the YAML block of a card; arguments as in `card.write_card`."""
    model = artifact.model
    yield from (f"# {_text(name)}", "")
    made = f"trained with [Boxwright]({HOME}) {artifact.provenance.get('boxwright', '')}".rstrip()
    yield f"An object detector for {_classes(artifact.classes)}, {made}."
    network, side = _text(model.get("name", "unknown")), artifact.preprocessing.size
    yield f"Its network is {network} with an input of {side} x {side} pixels."
    yield from ("", "## Use", "", *_use(exports))
    yield from ("", "## Evaluation", "", *_evaluation(report))
    if exports:
        yield from ("", *_files(exports))
    yield from ("", "## Intended use and limits", "", *_limits(report))
    yield from ("", "## Training", "", *_training(artifact, report))
    yield from ("", "## Licenses", "", *_licenses(artifact, license))


def _use(exports: Sequence[ExportedFile]) -> Iterator[str]:
    file = exports[0].name if exports else "run"
    yield f"[Install Boxwright]({HOME}#install), then:"
    yield from ("", "```sh", f"boxwright predict {quoted(file)} image.jpg --out found", "```")
    yield from ("", "```python", "import boxwright", "")
    yield f'for name, score, box in boxwright.predict("image.jpg", {json.dumps(file)}):'
    yield "    print(name, score, box)  # box: xmin, ymin, xmax, ymax in pixels"
    yield "```"


def _evaluation(report: Mapping[str, Any]) -> Iterator[str]:
    numbers = report["numbers"]
    if numbers is None:
        yield UNMEASURED
        return
    split = "" if report["split"] == "all" else f"{report['split']} "
    images = counted(numbers["images"], f"{split}image")
    objects, data = counted(numbers["boxes"], "object"), _text(measured_folder(report))
    yield _text(report["says"])
    yield f"Measured on {images} with {objects}, from the folder {data}."
    if report["split"] == "val":
        yield "Validation images choose weights and threshold, so expect less on other images."
    if report["split"] in {"train", "all"}:
        yield "The detector learned from some of these images, so expect less on other images."
    control = numbers["baseline"]
    yield from ("", *_table("metric", "value", "95 % interval", "baseline"))
    for key in ("AP", "AP50"):
        base = number(control[key]) if control else "n/a"
        yield _row(key, number(numbers["coco"][key]), _between(numbers["interval_95"][key]), base)
    for key in ("precision", "recall", "f1"):
        rate = numbers["at_threshold"][key]
        base = number(control["at_threshold"][key]["value"]) if control else "n/a"
        at = f"{key.capitalize()} at score {numbers['threshold']['value']:g}"
        yield _row(at, number(rate["value"]), _between(rate["interval_95"]), base)
    yield from ("", "AP is COCO's. The baseline predicts the same boxes for every image.")
    yield from ("", *_table("class", "objects", "AP", "AP50"))
    for name, one in numbers["per_class"].items():
        yield _row(_text(name), f"{one['boxes']:,}", number(one["AP"]), number(one["AP50"]))


def _files(exports: Sequence[ExportedFile]) -> Iterator[str]:
    yield "Each file was compared with the trained network on the same images:"
    yield from ("", *_table("file", "size", "AP of the network", "AP of the file"))
    for each in exports:
        ap = next(row for row in each.comparison.table if row.name == "AP")
        size = f"{each.size / 1e6:.1f} MB"
        yield _row(_text(each.name), size, number(ap.run), number(ap.file))


def _limits(report: Mapping[str, Any]) -> Iterator[str]:
    numbers = report["numbers"]
    yield "- It finds the classes above in images like those it was trained on: the same objects,"
    yield "  cameras, distances and light. On other images nothing was measured."
    leaked = len(report["leaks"]["images"])
    if leaked:
        yield f"- {leaked} of the measured images are near-duplicates of training images, which may"
        yield "  make the numbers too good."
    for one in (numbers or {}).get("slices", ()):
        recall = one["recall"]["value"]
        if one["by"] == "size" and recall is not None:
            of = f"{one['boxes']:,} {one['name']} objects ({SIZES[one['name']]} pixels)"
            yield f"- Of {of} it finds {100 * recall:.0f} %."
    kinds = (numbers or {"mistakes": {"kinds": {}}})["mistakes"]["kinds"]
    worst = max(kinds, key=lambda kind: kinds[kind]["loss"], default=None)
    if worst and kinds[worst]["count"]:
        yield f"- The costliest mistakes: {kinds[worst]['count']:,} {MISTAKES[worst]}."
    yield "- It makes mistakes, as the numbers say. Where one can harm people, it must not decide"
    yield "  alone."


def _training(artifact: Artifact, report: Mapping[str, Any]) -> Iterator[str]:
    data, recipe = report["data"], report["recipe"]
    folder = _text(artifact.data_name or "unknown")
    named = f"It was trained on labeled images from the folder {folder}"
    if artifact.data_path and data.get("folder") == artifact.data_path:
        parts = ", ".join(f"{count:,} {split}" for split, count in data["splits"].items())
        yield f"{named}: {data['images']:,} images ({parts})."
        boxes = (f"{_text(one['name'])} {one['boxes']:,}" for one in data["classes"])
        yield f"Labeled objects: {', '.join(boxes)}."
    else:
        yield f"{named}."
    start = artifact.provenance.get("weights")
    yield "It began with random weights." if start is None else f"It started from {_text(start)}."
    if recipe:
        yield from ("", *_table("setting", "value", "reason"))
        for one in recipe:
            yield _row(f"`{one['path']}`", _text(one["value"]), _text(one["reason"]))


def _licenses(artifact: Artifact, license: str) -> Iterator[str]:
    yield from _table("part", "name", "license", "source")
    path = artifact.data_path or ""
    for part in parts_of(artifact):
        cells = (each.replace(path, artifact.data_name or "") if path else each for each in part)
        yield _row(*map(_text, cells))
    yield ""
    if license == "unknown":
        yield "The author has not chosen a license for this detector."
    else:
        yield f"The author publishes this detector under {_text(license)}."


def _classes(names: Sequence[str]) -> str:
    few = [f"**{_text(name)}**" for name in names[:20]]
    more = len(names) - len(few)
    listed = ", ".join(few) + (f" and {more} more" if more else "")
    return f"{counted(len(names), 'class', 'classes')}: {listed}"


def _between(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: object) -> str:
    """Text on one line in which nothing is Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", " ".join(str(value).split()))
