"""Accuracy comparison of an exported file with its run, on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import ExportError
from boxwright.evaluation.bootstrap import Interval
from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.comparison import paired_loss
from boxwright.inference.detector import Detector
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

ENOUGH_IMAGES = 200  # to detect a loss of half a point
MAX_IMAGES = 500  # enough to detect any broken file
SURE = 0.4  # scores above this are confident
# Splits to compare on, best first.
TESTING = (Split.TEST, Split.VAL, Split.TRAIN, Split.UNASSIGNED)
NOT_TESTING = (Split.VAL, Split.TRAIN, Split.UNASSIGNED)  # splits that may influence choices


@dataclass(frozen=True)
class Tolerance:
    """The allowed difference between a file and its run.

    Attributes:
        loss: of AP, in [0, 1].
        agreeing: smallest fraction of the confident detections that both must share.
        score, iou: tolerance of the score and minimum IoU for two detections to match.
    """

    loss: float
    agreeing: float
    score: float = 0.06
    iou: float = 0.95


FLOAT = Tolerance(0.001, 0.9)
TOLERANCES: Mapping[str | None, Tolerance] = {
    None: FLOAT,
    "fp16": replace(FLOAT, loss=0.002),
    "dynamic": Tolerance(0.01, 0.8, 0.15, 0.8),
    "int8": Tolerance(0.01, 0.8, 0.15, 0.8),
}
NOTHING = 0.02  # AP50 of a detector that finds nothing
SAME_PIXELS = 0.5  # of every side; needed for boxes of a few pixels


DERIVED = ("passed", "finds_nothing", "says")  # of a comparison's JSON


class Row(NamedTuple):
    """One line of the table: a metric, and its value for the run and for the file, in [0, 1]; None
    if undefined."""

    name: str
    run: float | None
    file: float | None


@dataclass(frozen=True)
class Comparison:
    """The comparison of an exported file with its run.

    Attributes:
        split: the split of the table's images: `test`, `val`, `train` or `unmarked`.
        table: AP, AP50 and each class's AP on that split.
        images: number of images by split that the loss was measured on: those of the table, and
            others up to 200.
        loss: the file's AP loss on all of these, in [0, 1].
        interval: 95 % interval of the loss over the images; None if undefined.
        tolerance: the allowed loss.
        compared: number of confident detections of the run: scores above 0.4, or, if there are
            none, scores near its highest.
        agreeing: how many of them the file makes too.
        wanted: how many are required.
        accepted: True if the file did not pass but was kept on request.
    """

    split: str
    table: tuple[Row, ...]
    images: Mapping[str, int]
    loss: float
    interval: Interval | None
    tolerance: float
    compared: int
    agreeing: int
    wanted: int
    accepted: bool = False

    @property
    def too_lossy(self) -> bool:
        """True if the loss exceeds the limit and its 95 % interval excludes zero."""
        shown = self.interval is None or self.interval[0] > 0
        return self.loss > self.tolerance and shown

    @property
    def passed(self) -> bool:
        """True if the loss is within the limit and enough of the run's detections agree."""
        return not self.too_lossy and self.agreeing >= self.wanted

    @property
    def finds_nothing(self) -> bool:
        """True if the run's own AP50 is close to 0, so that equal results prove little."""
        values = {row.name: row.run for row in self.table}
        return (values.get("AP50") or 0.0) < NOTHING

    def __str__(self) -> str:
        images = " and ".join(f"{count} {split}" for split, count in self.images.items())
        between = ""
        if self.interval:
            low, high = (100 * end for end in self.interval)
            between = f" (95 % interval {low:.2f} to {high:.2f})"
        return (
            f"the AP loss on {images} images is {100 * self.loss:.2f} points{between}, with a "
            f"limit of {100 * self.tolerance:.1f}; {self.agreeing} of {self.compared} confident "
            f"detections agree ({self.wanted} are required)"
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values: the table's rows by name, and a summary sentence."""
        rows = {row.name: {"run": row.run, "file": row.file} for row in self.table}
        derived = {
            "passed": self.passed,
            "finds_nothing": self.finds_nothing,
            "says": str(self),
        }
        return {**asdict(self), "table": rows, **derived}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        """The inverse of `to_json`."""
        own = {name: item for name, item in value.items() if name not in DERIVED}
        rows = tuple(Row(name, **sides) for name, sides in value["table"].items())
        interval = value["interval"] and (value["interval"][0], value["interval"][1])
        return cls(**{**own, "table": rows, "interval": interval})


@dataclass(frozen=True, eq=False)
class Reference:
    """A run's detections in the images that its files are compared on.

    Attributes:
        images: the images; those of the table come first.
        splits: number of images by split, in this order.
        found: the run's detections in each image.
    """

    images: Dataset
    splits: Mapping[str, int]
    found: list[Detections]

    @classmethod
    def of(cls, run: Detector, dataset: Dataset, splits: Sequence[Split] = TESTING) -> Reference:
        """Run the detector on the images of the first of `splits` with any boxes: at most 500,
        evenly spread. If there are fewer than 200, images of the next splits are added.

        Raises:
            ExportError: BW402 there are no labeled images.
        """
        rows: list[NDArray[np.int64]] = []
        counts: dict[str, int] = {}
        for split in splits:
            assigned = np.flatnonzero(dataset.splits == split)
            if not counts and not len(dataset.select(assigned).boxes):
                continue
            missing = ENOUGH_IMAGES - sum(counts.values()) if counts else MAX_IMAGES
            chosen = _spread(assigned, missing)
            if len(chosen):
                rows.append(chosen)
                counts[split.name.lower()] = len(chosen)
        if not counts:
            raise ExportError(
                "BW402",
                "has no labeled images to compare the exported file on.",
                where=dataset.root,
            )
        images = dataset.select(np.concatenate(rows))
        return cls(images, counts, list(run.detections_in(images)))

    def compare(self, file: Detector, tolerance: Tolerance) -> Comparison:
        """Compare `file` with the run.

        Raises:
            ExportError: BW402 no image shows any of the detector's classes.
            DetectorError: the file cannot be run.
        """
        found = list(file.detections_in(self.images))
        split, count = next(iter(self.splits.items()))
        judged = self.images.select(np.arange(count))
        run, own = (evaluate(judged, each[:count], resamples=0) for each in (self.found, found))
        loss = paired_loss(self.images, self.found, found)
        if loss.value is None:
            raise ExportError(
                "BW402",
                "has images, but none of them shows the detector's classes.",
                where=self.images.root,
            )
        compared, agreeing = agreement(self.found, found, tolerance)
        return Comparison(
            split=split,
            table=_table(run, own),
            images=self.splits,
            loss=round(loss.value, 6),
            interval=loss.interval,
            tolerance=tolerance.loss,
            compared=compared,
            agreeing=agreeing,
            wanted=int(np.ceil(tolerance.agreeing * compared)),
        )


def sure_from(found: Sequence[Detections]) -> float:
    """The score above which detections are compared."""
    best = max((float(each.scores[0]) for each in found if len(each)), default=0.0)
    return min(SURE, 0.9 * best)


def agreement(
    expected: Sequence[Detections], found: Sequence[Detections], tolerance: Tolerance = FLOAT
) -> tuple[int, int]:
    """Number of expected detections that are compared, and number of them that are found.

    Both lists have one entry per image.
    """
    min_score = sure_from(expected)
    compared = agreeing = 0
    for every, given in zip(expected, found, strict=True):
        wanted = every.above(min_score)
        moved = np.abs(wanted.boxes[:, None] - given.boxes).max(axis=2, initial=0)
        same_place = (iou(wanted.boxes, given.boxes) >= tolerance.iou) | (moved <= SAME_PIXELS)
        same = (
            same_place
            & (wanted.labels[:, None] == given.labels)
            & (np.abs(wanted.scores[:, None] - given.scores) <= tolerance.score)
        )
        compared += len(wanted)
        agreeing += int(same.any(axis=1).sum())
    return compared, agreeing


def _table(run: Evaluation, file: Evaluation) -> tuple[Row, ...]:
    rows = [Row("AP", run.ap, file.ap), Row("AP50", run.ap50, file.ap50)]
    for ours, theirs in zip(run.per_class, file.per_class, strict=True):
        rows.append(Row(f"AP {ours.name}", ours.ap, theirs.ap))
    return tuple(rows)


def _spread(rows: NDArray[np.int64], max_count: int) -> NDArray[np.int64]:
    """At most `max_count` of `rows`, spread evenly."""
    count = min(len(rows), max(max_count, 0))
    return rows[np.linspace(0, len(rows) - 1, count).astype(int)] if count else rows[:0]
