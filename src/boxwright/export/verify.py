"""The proof of an exported file: it is run on photos and compared with the run it came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.data.dataset import Dataset, Split
from boxwright.data.detections import Detections
from boxwright.data.geometry import iou
from boxwright.errors import ExportError
from boxwright.evaluation.coco import evaluate
from boxwright.runtime.detector import Detector

MOST_PHOTOS = 500  # enough to tell any broken file; more would only take longer
AP_TOLERANCE = 0.005
LEAST_AGREEMENT = 0.9  # of detections; the rest is for overlaps that are decided by rounding
SURE, SAME_IOU, SAME_PIXELS, SAME_SCORE = 0.4, 0.95, 0.5, 0.06


@dataclass(frozen=True)
class Proof:
    """How a written file compares with the run it came from.

    Attributes:
        split: what the photos were marked for: `test`, `val`, `train` or `unmarked`.
        photos: how many photos both saw.
        ap_run, ap_file: COCO's AP on them, in [0, 1].
        compared: detections of the run that are above 0.4 (or, where it is never that sure,
            nearly as sure as it gets).
        agreeing: those that the file makes too: same class, score within 0.06, and IoU >= 0.95
            or every side within half a pixel.
    """

    split: str
    photos: int
    ap_run: float
    ap_file: float
    compared: int
    agreeing: int

    @property
    def passed(self) -> bool:
        """AP within 0.5 points, and at least nine of ten detections agree."""
        same_ap = abs(self.ap_file - self.ap_run) <= AP_TOLERANCE
        return same_ap and self.agreeing >= LEAST_AGREEMENT * self.compared

    def __str__(self) -> str:
        return (
            f"on {self.photos} {self.split} photos AP is {self.ap_file:.3f} "
            f"(the run: {self.ap_run:.3f}), and {self.agreeing} of {self.compared} detections agree"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def verify(path: Path, run: Detector, dataset: Dataset) -> Proof:
    """Run the detector in `path` on photos of `dataset` and compare it with `run`.

    The photos are those marked test; where there are none, those marked val, or else train.

    Raises:
        ExportError: BW401 the file is not as good as the run, BW402 there are no labelled photos
            to tell by.
        DetectorError: the file cannot be run at all.
    """
    split, photos = _photos(dataset)
    paths = [photos.photo(i) for i in range(len(photos))]
    expected = list(run.predict_many(paths))
    found = list(Detector.load(path).predict_many(paths))
    ap_run, ap_file = (evaluate(photos, each, resamples=0).ap for each in (expected, found))
    if ap_run is None or ap_file is None:
        raise _no_photos(dataset)
    compared, agreeing = agreement(expected, found)
    proof = Proof(split, len(photos), ap_run, ap_file, compared, agreeing)
    if not proof.passed:
        raise ExportError(
            "BW401",
            f"the written file is not as good as the run: {proof}. It was removed.",
            where=path.name,
            remedy="Please report this together with the run's run.json; until then export with "
            "another --to.",
        )
    return proof


def _photos(dataset: Dataset) -> tuple[str, Dataset]:
    """The best photos to tell by, at most 500 of them spread evenly, and their mark."""
    for mark in (Split.TEST, Split.VAL, Split.TRAIN, Split.UNMARKED):
        photos = dataset.split(mark)
        if len(photos.boxes):
            chosen = np.linspace(0, len(photos) - 1, min(len(photos), MOST_PHOTOS)).astype(int)
            return mark.name.lower(), photos.select(chosen)
    raise _no_photos(dataset)


def agreement(expected: list[Detections], found: list[Detections]) -> tuple[int, int]:
    """How many of the expected detections count, and how many of those are found.

    Both lists hold one entry per photo.
    """
    best = max((float(each.scores[0]) for each in expected if len(each)), default=0.0)
    compared = agreeing = 0
    for wanted, given in zip(expected, found, strict=True):
        wanted = wanted.above(min(SURE, 0.9 * best))
        moved = np.abs(wanted.boxes[:, None] - given.boxes).max(axis=2, initial=0)
        same_place = (iou(wanted.boxes, given.boxes) >= SAME_IOU) | (moved <= SAME_PIXELS)
        same = (
            same_place
            & (wanted.labels[:, None] == given.labels)
            & (np.abs(wanted.scores[:, None] - given.scores) <= SAME_SCORE)
        )
        compared += len(wanted)
        agreeing += int(same.any(axis=1).sum())
    return compared, agreeing


def _no_photos(dataset: Dataset) -> ExportError:
    return ExportError(
        "BW402",
        "has no labelled photos to prove the written file with.",
        where=dataset.root,
        remedy="Name a folder of labelled photos of the detector's classes with --data.",
    )
