"""Suspect labels, ranked: what detectors saw that did not learn from the images, beside the labels.

`N` images, `M` labels (boxes of the data), `O` objects (boxes that detectors saw), `C` classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.codes import MEANINGS
from boxwright.evaluation.matching import DetectionColumns, excused, gather, one_to_one
from boxwright.ops.boxes import Boxes, iou
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.detections import Detections
from boxwright.structures.findings import Finding
from boxwright.suspects.isotonic import Floats, isotonic

MISSED, WRONG_CLASS, LOOSE = KINDS = ("missed", "wrong class", "loose")
CODES = {MISSED: "BW181", WRONG_CLASS: "BW182", LOOSE: "BW183"}
LOWEST = 0.05  # score; detections below it are noise
SAME = 0.5  # IoU of boxes around one object
NEAR = 0.2  # IoU of a loose box and what it should be around
MIN_HITS = 50  # of a class that is calibrated on its own
LEAST = 0.1  # suspicion; below it are more right labels than anybody looks through


@dataclass(frozen=True)
class Suspect:
    """A label that may be wrong, or one that may be missing.

    Attributes:
        kind: `missed` (an object without a label), `wrong class`, or `loose` (the box fits badly).
        image: index of the image.
        suspicion: from 0 to 1; how sure the detectors are of their object, times how far the label
            is from it.
        box: the object as the detectors saw it, xyxy pixels.
        name: its class.
        score: its best score.
        label: row of the label in the dataset; None if it is missing.
        iou: overlap of the object with this label, or else with the nearest one.
    """

    kind: str
    image: int
    suspicion: float
    box: tuple[float, float, float, float]
    name: str
    score: float
    label: int | None
    iou: float

    def finding(self, truth: Dataset) -> Finding:
        """The suspect as a finding, for pages and lists."""
        seen = f"{self.name}, score {self.score:.2f}"
        said = {
            MISSED: f"detected {seen}, where there is no label",
            WRONG_CLASS: f"labeled {self._labeled(truth)}, detected {seen}",
            LOOSE: f"labeled {self._labeled(truth)}, detected {seen}; IoU of the boxes "
            f"{self.iou:.2f}",
        }[self.kind]
        name = truth.names[self.image]
        classes = {self.name, self._labeled(truth)} - {""}
        message = f"{said} (suspicion {self.suspicion:.2f})"
        return Finding(CODES[self.kind], name, message, "", (name,), self.box, (*sorted(classes),))

    def to_json(self, truth: Dataset) -> dict[str, Any]:
        """An item of a queue of labels to review; the boxes are the label, if any, and the
        object."""
        code = CODES[self.kind]
        boxes = [_box("detected", self.name, self.box, self.score)]
        if self.label is not None:
            corners = tuple(truth.boxes[self.label].tolist())
            boxes.insert(0, _box("labeled", self._labeled(truth), corners))
        return {
            "image": truth.names[self.image],
            "kind": self.kind,
            "suspicion": round(self.suspicion, 4),
            "code": code,
            "message": self.finding(truth).message,
            "remedy": MEANINGS[code].remedy,
            "boxes": boxes,
        }

    def _labeled(self, truth: Dataset) -> str:
        return "" if self.label is None else truth.classes[truth.labels[self.label]]


def _box(
    source: str, name: str, corners: tuple[float, ...], score: float | None = None
) -> dict[str, Any]:
    return {
        "source": source,
        "class": name,
        "box": [round(value, 1) for value in corners],
        **({} if score is None else {"score": round(score, 4)}),
    }


class _Objects(NamedTuple):
    """What detectors saw: detections around one object, of any class, are one object.

    Attributes:
        image: `(O,)` index of the image.
        boxes: `(O, 4)` of the best detection of each.
        scores: `(O, C)` the best score for each class; 0 if the class was not detected there.
        label: `(O,)` row of its label, matched one to one; -1 for none.
        iou: `(O,)` overlap with its label, or else with the nearest one.
    """

    image: NDArray[np.int64]
    boxes: Boxes
    scores: Floats
    label: NDArray[np.int64]
    iou: Floats


def rank(truth: Dataset, detections: Sequence[Detections]) -> list[Suspect]:
    """Rank labels by how likely they are mistakes, those with a suspicion of at least LEAST.

    Detections of all classes that share a place are one object. Objects and labels are matched one
    to one, whatever their class, by IoU. Scores become probabilities that a label agrees, by
    isotonic regression on the objects themselves, so that classes which are often found by mistake
    raise little suspicion. An object without a label is as suspicious as it is probable, less the
    overlap with other labels. A label of another class is as suspicious as the object's class is
    more probable than the label's. A loose label is as suspicious as its object is probable, times
    the part of the usual overlap that it lacks. Crowds and ignored regions are left out.

    Args:
        truth: labeled images.
        detections: one per image, by detectors that did not learn from it.

    Raises:
        EvaluationError: BW601 there is no common class name, BW602 a box or score is not a number.
    """
    found = gather(truth, detections).above([LOWEST] * len(truth.classes))
    objects = _objects(truth, found)
    sure = _calibrated(objects, truth)
    usual = _usual_overlap(objects, truth)
    suspects = [one for one in _suspects(truth, objects, sure, usual) if one.suspicion >= LEAST]
    return sorted(suspects, key=lambda one: (-one.suspicion, -one.score, one.image))


def _suspects(truth: Dataset, objects: _Objects, sure: Floats, usual: Floats) -> Iterator[Suspect]:
    """A suspect for each object. `sure` is `(O, C)`, `usual` is `(C,)`."""
    for i, label in enumerate(objects.label.tolist()):
        seen = int(sure[i].argmax())
        overlap, probable = float(objects.iou[i]), float(sure[i, seen])
        own = int(truth.labels[label]) if label >= 0 else -1
        if label < 0:
            kind, suspicion = MISSED, probable * (1 - overlap)
        elif own != seen:
            kind, suspicion = WRONG_CLASS, probable - float(sure[i, own])
        else:
            lacking = 1 - overlap / float(usual[own])
            kind, suspicion = LOOSE, probable * lacking
        left, top, right, bottom = objects.boxes[i].tolist()
        yield Suspect(
            kind,
            int(objects.image[i]),
            max(0.0, suspicion),
            (left, top, right, bottom),
            truth.classes[seen],
            float(objects.scores[i].max()),
            label if label >= 0 else None,
            overlap,
        )


def _objects(truth: Dataset, found: DetectionColumns) -> _Objects:
    ends = np.searchsorted(found.image, np.arange(len(truth) + 1))
    parts = []
    for image in range(len(truth)):
        rows = np.arange(ends[image], ends[image + 1])
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        rows = rows[~excused(truth, image, found.boxes[rows])]
        boxes, scores = _together(found, rows, len(truth.classes))
        label, overlap = _matched(truth, image, boxes, scores)
        parts.append((np.full(len(boxes), image), boxes, scores, label, overlap))
    return _Objects(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _together(
    found: DetectionColumns, rows: NDArray[np.int64], classes: int
) -> tuple[Boxes, Floats]:
    """The boxes `(o, 4)` of the objects of an image, and their scores `(o, C)`.

    The best detection is an object, and so is each that shares no place with a better one. The
    others are votes of their class for the nearest object.
    """
    overlap = iou(found.boxes[rows], found.boxes[rows])
    best: list[int] = []
    for i in range(len(rows)):
        if not best or overlap[i, best].max() < SAME:
            best.append(i)
    votes_for = overlap[:, best].argmax(axis=1) if best else np.zeros(0, np.int64)
    votes_for[best] = np.arange(len(best))
    scores = np.zeros((len(best), classes))
    np.maximum.at(scores, (votes_for, found.labels[rows]), found.scores[rows])
    return found.boxes[rows[best]], scores


def _matched(
    truth: Dataset, image: int, boxes: Boxes, scores: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """The label of each object, and its overlap.

    A label of the same class may be as far as NEAR, one of another class only SAME.
    """
    own = np.arange(truth.offsets[image], truth.offsets[image + 1])
    own = own[(truth.flags[own] & CROWD) == 0]
    overlap = iou(boxes, truth.boxes[own])
    if not overlap.size:
        return np.full(len(boxes), -1), np.zeros(len(boxes))
    same = scores.argmax(axis=1)[:, None] == truth.labels[own]
    which, label = one_to_one(np.where(same | (overlap >= SAME), overlap, 0), NEAR)
    row, nearest = np.full(len(boxes), -1), overlap.max(axis=1, initial=0).astype(np.float64)
    row[which], nearest[which] = own[label], overlap[which, label]
    return row, nearest


def _calibrated(objects: _Objects, truth: Dataset) -> Floats:
    """`(O, C)` the probability that a label of each class is at each object.

    Classes with few labels share one function of the score.
    """
    close = (objects.label >= 0) & (objects.iou >= SAME)
    labeled = np.where(close, truth.labels[objects.label] if len(truth.labels) else -1, -1)
    right = labeled[:, None] == np.arange(len(truth.classes))
    voted = objects.scores > 0
    shared = isotonic(objects.scores[voted], right[voted])
    sure = np.zeros_like(objects.scores)
    for label in range(len(truth.classes)):
        rows = voted[:, label]
        scores, hits = objects.scores[rows, label], right[rows, label]
        enough = hits.sum() >= MIN_HITS
        own = isotonic(scores, hits) if enough else shared
        sure[rows, label] = own(scores)
    return sure


def _usual_overlap(objects: _Objects, truth: Dataset) -> Floats:
    """`(C,)` the median IoU of objects and their labels."""
    known = objects.label >= 0
    labels, overlaps = truth.labels[objects.label[known]], objects.iou[known]
    everywhere = float(np.median(overlaps)) if len(overlaps) else 1.0
    return np.array(
        [
            np.median(overlaps[labels == label]) if (labels == label).any() else everywhere
            for label in range(len(truth.classes))
        ]
    )
