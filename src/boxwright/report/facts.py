"""What a report says about a detector: the content of its page and of its JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from boxwright import __version__
from boxwright.codes import MEANINGS
from boxwright.datasets.stats import Stats
from boxwright.errors import BoxwrightError
from boxwright.evaluation.numbers import Numbers
from boxwright.evaluation.report import between, number, origin
from boxwright.export.verify import Comparison
from boxwright.inference.inspection import inspect
from boxwright.inference.run import Run
from boxwright.report.mistaken import Example
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted
from boxwright.training.explanation import Line, explained
from boxwright.training.recipe import Recipe

FORMAT, SCHEMA = "boxwright-report", 1
UNMEASURED = "Not measured: there are no validation images."


class ExportedFile(NamedTuple):
    """An exported file: its size in bytes, its quantization, and its comparison with its run."""

    name: str
    size: int
    quantize: str | None
    comparison: Comparison


@dataclass(frozen=True, eq=False)
class Facts:
    """All that a report says.

    Attributes:
        name: the name of the detector, or of a file of detections.
        command: the command that writes the report again.
        next_step: what to do to measure on test images, and its command; empty if these are some.
        split: the split that was measured.
        dataset: the data with all its splits.
        stats: its statistics, for the size of the detector's input.
        numbers: what was measured; None without images.
        worst: images with mistakes, by kind.
        training_images: number of training images that were compared with those measured, to find
            leaks of the split; None if they were not compared.
        leaked: names of the images that are near-duplicates of training images.
        recipe: the settings of the training with their reasons; empty if unknown.
        log: step and metrics of each report of the training; empty if unknown.
        exports: the exported files that are known.
        times: what `boxwright bench` measured, by file, as in its JSON.
    """

    name: str
    command: str
    next_step: tuple[str, str] | tuple[()]
    split: str
    dataset: Dataset
    stats: Stats
    numbers: Numbers | None
    worst: Mapping[str, Sequence[Example]]
    training_images: int | None
    leaked: Sequence[str]
    recipe: Sequence[Line]
    log: Sequence[tuple[int, Mapping[str, float]]]
    exports: Sequence[ExportedFile]
    times: Mapping[str, Any]

    @property
    def says(self) -> str:
        """What happens at the threshold, in one sentence."""
        return UNMEASURED if self.numbers is None else sentence(self.numbers)

    @property
    def measured_on(self) -> str:
        """The images that were measured, and what decided the threshold."""
        if self.numbers is None:
            return ""
        images = f"{self.split} image" if self.split != "all" else "image"
        boxes = counted(self.numbers.boxes, "object")
        on = f"Measured on {counted(self.numbers.images, images)} with {boxes}."
        if self.split == Split.VAL.name.lower():
            chose = "Validation images choose weights and threshold"
            return f"{on} {chose}, so other images are likely to give lower numbers."
        return f"{on} The threshold is {origin(self.numbers.threshold)}."

    @property
    def baseline(self) -> str:
        """The scores of a baseline that ignores the images, in one sentence; empty without any."""
        known = self.numbers.baseline if self.numbers else None
        if known is None:
            return ""
        scores = f"AP50 {number(known.ap50)} and F1 {number(known.at_threshold.f1.value)}"
        return f"A baseline that predicts the same boxes for every image has {scores}."

    def to_json(self, truth: Dataset) -> dict[str, Any]:
        """JSON values as in docs/reference/report.md; `truth` are the images measured."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "boxwright": __version__,
            "detector": self.name,
            "command": self.command,
            "split": self.split,
            "says": self.says,
            "data": {
                "folder": self.dataset.root.absolute().as_posix(),
                **self.stats.to_json(),
                "findings": [*map(_finding, self.dataset.findings)],
            },
            "recipe": [line._asdict() for line in self.recipe],
            "training": [{"step": step, **numbers} for step, numbers in self.log],
            "numbers": self.numbers.to_json() if self.numbers else None,
            "worst": {
                kind: [one.to_json(truth) for one in examples]
                for kind, examples in self.worst.items()
            },
            "leaks": {"training_images": self.training_images, "images": list(self.leaked)},
            "exports": [
                {**one._asdict(), "comparison": one.comparison.to_json()} for one in self.exports
            ],
            "bench": dict(self.times),
        }


def sentence(measured: Numbers) -> str:
    """`At the score threshold 0.41 it finds 92 of 100 objects (95 %: 88 to 95), with 5 false alarms
    per 100 images (95 %: 2 to 9).`"""
    rates = measured.at_threshold
    found, alarms = rates.recall, rates.false_alarms_per_100_images
    classes = [one.name for one in measured.per_class if one.boxes]
    objects = f"objects of the class {classes[0]}" if len(classes) == 1 else "objects"
    at = f"At the score threshold {measured.threshold.value:g}"
    wrong = f"{alarms.value or 0:.0f} false alarms per 100 images{between(alarms, 1)}"
    if found.value is None:
        return f"{at} it makes {wrong}; there are no objects to find."
    share = f"{100 * found.value:.0f} of 100 {objects}{between(found, 100)}"
    return f"{at} it finds {share}, with {wrong}."


def recipe_of(provenance: Mapping[str, Any]) -> list[Line]:
    """The recipe of a detector with its reasons; empty if it records none that is known."""
    with suppress(AttributeError, BoxwrightError, KeyError, TypeError, ValueError):
        return explained(Recipe.from_json(provenance["recipe"]))
    return []


def exports_of(path: Path) -> list[ExportedFile]:
    """The exported files of a run folder, or the file itself, as far as they can be read."""
    run = Run(path)
    files = []
    for each in sorted(path.iterdir()) if run.exists() else [path]:
        with suppress(BoxwrightError, KeyError, TypeError, ValueError):
            described = inspect(each)
            provenance = described.artifact.provenance if described.artifact else {}
            if isinstance(provenance.get("comparison"), dict):
                comparison = Comparison.from_json(provenance["comparison"])
                quantize = provenance.get("quantize")
                files.append(ExportedFile(each.name, described.size, quantize, comparison))
    return files


def times_of(path: Path) -> dict[str, Any]:
    """What `boxwright bench` measured of a run's files, or of the file itself in its run."""
    run = Run(path) if Run(path).exists() else Run(path.parent)
    try:
        known = json.loads(run.times.read_text("utf-8"))
    except (OSError, RecursionError, ValueError):
        return {}
    known = known if isinstance(known, dict) else {}
    return {name: one for name, one in known.items() if run.folder == path or name == path.name}


def _finding(one: Finding) -> dict[str, Any]:
    return {"severity": MEANINGS[one.code].severity, **asdict(one)}
