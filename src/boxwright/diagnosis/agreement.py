"""How well boxes agree with labels, whatever their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.coco import evaluate, paired_loss
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

CLASS = ("object",)
RESAMPLES = 200
EPSILON = 1e-9


class Agreement(NamedTuple):
    """COCO AP and AP50 of boxes of a single class."""

    ap: float
    ap50: float

    @classmethod
    def of(cls, truth: Dataset, found: Sequence[Detections]) -> Agreement:
        """The agreement of detections, one per image, with labels; classes are not compared."""
        measured = evaluate(nameless(truth), unnamed(found), resamples=0, sizes=False)
        return cls(measured.ap or 0.0, measured.ap50 or 0.0)


class Gain(NamedTuple):
    """The agreement before and after a change, and the lower end of the 95 % interval of the
    difference of AP; None if the truth changed."""

    before: Agreement
    after: Agreement
    low: float | None = None

    @property
    def size(self) -> float:
        """The difference of AP."""
        return self.after.ap - self.before.ap


def gain(truth: Dataset, before: Sequence[Detections], after: Sequence[Detections]) -> Gain:
    """What other detections in the same images gain."""
    first, second = Agreement.of(truth, before), Agreement.of(truth, after)
    low = None
    if second.ap > first.ap:
        paired = paired_loss(nameless(truth), unnamed(after), unnamed(before), resamples=RESAMPLES)
        low = paired.interval[0] if paired and paired.interval else None
    return Gain(first, second, low)


def nameless(truth: Dataset) -> Dataset:
    """The same boxes, all of one class."""
    return replace(truth, classes=CLASS, labels=np.zeros_like(truth.labels))


def unnamed(found: Sequence[Detections]) -> list[Detections]:
    """The same detections, all of one class; those that are no numbers are left out."""
    return [
        replace(one, classes=CLASS, labels=np.zeros_like(one.labels)) for one in map(finite, found)
    ]


def finite(found: Detections) -> Detections:
    """The detections whose box and score are numbers."""
    known = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.scores)
    return found if known.all() else found[known]


def baseline(train: Dataset, truth: Dataset) -> Agreement:
    """The agreement of boxes that ignore the images."""
    return Agreement.of(truth, constant_box(nameless(train), truth))
