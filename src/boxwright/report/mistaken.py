"""The worst images of each kind of mistake, and their pictures with truth and detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.evaluation.matching import DetectionColumns
from boxwright.evaluation.mistakes import KINDS, MISSED, Classified, classify
from boxwright.ops.boxes import Boxes
from boxwright.parallel.cores import Progress, on_all_cores
from boxwright.report.pictures import COLORS, MAX_BOXES, Layer, View, drawn, view_of, within
from boxwright.structures.dataset import CROWD, Dataset

PER_KIND = 6  # images
FOR_PICTURES = 2_700_000  # bytes of all JPEGs, in base64
PER_PICTURE = 60_000  # bytes of a JPEG


@dataclass(frozen=True, eq=False)
class Example:
    """An image with mistakes of one kind, worst first.

    Attributes:
        kind: one of `KINDS`.
        image: its index.
        boxes: `(k, 4)` wrong detections, or truth boxes that were missed.
        labels: `(k,)` their class ids.
        scores: `(k,)`; NaN for missed boxes.
        truths: `(k,)` class ids of truth boxes that were taken for another class; -1 elsewhere.
    """

    kind: str
    image: int
    boxes: Boxes
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    truths: NDArray[np.int64]

    def to_json(self, truth: Dataset) -> dict[str, Any]:
        rows = zip(self.labels, self.scores, self.boxes.tolist(), strict=True)
        return {
            "image": truth.names[self.image],
            "boxes": [
                {
                    "class": truth.classes[label],
                    "score": None if np.isnan(score) else round(float(score), 4),
                    "box": [round(v, 1) for v in box],
                }
                for label, score, box in rows
            ],
        }


def worst_images(truth: Dataset, found: DetectionColumns) -> dict[str, list[Example]]:
    """The images with the worst mistakes of each kind, worst first, at most PER_KIND.

    Wrong detections are bad by their score, missed boxes by their number; an image is as bad as
    the sum of its mistakes. Crowds and ignored regions are left out.

    Args:
        truth: labeled images.
        found: their detections above the threshold.
    """
    classified = classify(truth, found)
    examples = {}
    for number, kind in enumerate(KINDS):
        if number == MISSED:
            image, *columns = _missed(truth, classified.missed)
        else:
            image, *columns = _wrong(found, classified, number)
        scores = np.nan_to_num(columns[2], nan=1.0)
        badness = np.bincount(image, scores, minlength=len(truth))
        examples[kind] = [
            Example(kind, int(one), *(column[image == one] for column in columns))
            for one in np.argsort(-badness, kind="stable")[:PER_KIND]
            if badness[one] > 0
        ]
    return examples


def _missed(truth: Dataset, missed: NDArray[np.bool_]) -> tuple[Any, ...]:
    missed = missed & ((truth.flags & CROWD) == 0)
    count = int(missed.sum())
    columns = truth.image_of_box[missed], truth.boxes[missed], truth.labels[missed]
    return *columns, np.full(count, np.nan, np.float32), np.full(count, -1)


def _wrong(found: DetectionColumns, classified: Classified, kind: int) -> tuple[Any, ...]:
    mine = (classified.kind == kind) & ~classified.ignored
    rows, truths = classified.row[mine], classified.corrected[mine]
    return found.image[rows], found.boxes[rows], found.labels[rows], found.scores[rows], truths


def draw_examples(
    truth: Dataset,
    found: DetectionColumns,
    examples: Sequence[Example],
    progress: Progress | None = None,
) -> list[str | None]:
    """An SVG of each example, or None if its image cannot be decoded: the part with the mistakes,
    truth boxes in dashed white, detections in the colors of their classes, mistakes in red."""
    max_bytes = min(PER_PICTURE, FOR_PICTURES * 3 // 4 // max(1, len(examples)))
    ends = np.searchsorted(found.image, np.arange(len(truth) + 1))

    def picture(one: Example) -> str | None:
        around = np.concatenate([one.boxes[:, :2].min(axis=0), one.boxes[:, 2:].max(axis=0)])
        width, height = truth.sizes[one.image].tolist()
        wide = view_of(truth, one.image, around[None].astype(np.float32))
        view = View(
            max(0, wide.left), max(0, wide.top), min(width, wide.right), min(height, wide.bottom)
        )
        _, wanted = within(truth.boxes[truth.rows(one.image)], view)
        rows = slice(ends[one.image], ends[one.image + 1])
        inside, boxes = within(found.boxes[rows], view)
        labels = found.labels[rows][inside]
        wanted, boxes, labels = wanted[:MAX_BOXES], boxes[:MAX_BOXES], labels[:MAX_BOXES]
        _, mistakes = within(one.boxes[:MAX_BOXES], view)
        layers = [
            Layer("rim", np.concatenate([wanted, boxes])),
            *(
                Layer(f"k{label % COLORS}", boxes[labels == label], truth.classes[label])
                for label in np.unique(labels).tolist()
            ),
            Layer("truth", wanted),
            Layer("found-rim", mistakes),
            Layer("found", mistakes),
        ]
        if one.kind == "missed":
            layers[-2:] = [Layer("missed-rim", mistakes), Layer("missed", mistakes)]
        try:
            return drawn(truth, one.image, view, layers, max_bytes)
        except DataError:
            return None

    return [*on_all_cores(picture, examples, progress)]
