"""How well boxes agree with labels, whatever their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from boxwright.evaluation.coco import evaluate, paired_loss
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

CLASS = ("object",)
RESAMPLES = 200


class Agreement(NamedTuple):
    """COCO AP and AP50 of detections."""

    ap: float
    ap50: float

    @classmethod
    def of(cls, truth: Dataset, found: Sequence[Detections]) -> Agreement:
        """The agreement of detections, one per image, with labels; classes are not compared."""
        return cls.measured(nameless(truth), unnamed(found))

    @classmethod
    def measured(cls, truth: Dataset, found: Sequence[Detections]) -> Agreement:
        """The mean over the classes."""
        scores = evaluate(truth, found, resamples=0, sizes=False)
        return cls(scores.ap or 0.0, scores.ap50 or 0.0)


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
    return _gained(nameless(truth), unnamed(before), unnamed(after))


def gain_with_names(
    truth: Dataset, before: Sequence[Detections], after: Sequence[Detections]
) -> Gain:
    """The same for AP of all classes, if they have names in common: the larger gain of both."""
    gains = [gain(truth, before, after)]
    if {name for one in before for name in one.classes} & set(truth.classes):
        gains.append(_gained(truth, [*map(finite, before)], [*map(finite, after)]))
    return max(gains, key=lambda each: each.size)


def _gained(truth: Dataset, before: Sequence[Detections], after: Sequence[Detections]) -> Gain:
    first, second = (Agreement.measured(truth, found) for found in (before, after))
    low = None
    if second.ap > first.ap:
        paired = paired_loss(truth, after, before, resamples=RESAMPLES)
        low = paired.interval[0] if paired and paired.interval else None
    return Gain(first, second, low)


def nameless(truth: Dataset) -> Dataset:
    """The same boxes, all of one class."""
    labels = np.zeros_like(truth.labels)
    return replace(truth, classes=CLASS, labels=labels, verified_classes=None)


def unnamed(found: Sequence[Detections]) -> list[Detections]:
    """The same detections, all of one class; those that are no numbers are left out."""
    return [
        replace(one, classes=CLASS, labels=np.zeros_like(one.labels)) for one in map(finite, found)
    ]


def finite(found: Detections) -> Detections:
    """The detections whose box and score are numbers."""
    known = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.scores)
    return found if known.all() else found[known]
