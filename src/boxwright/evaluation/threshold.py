"""Choice of the score threshold, for an aim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import ArgumentError
from boxwright.evaluation.bootstrap import ratio
from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.outcomes import Outcomes
from boxwright.inference.artifact import Artifact
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

LOWEST, HIGHEST = 0.1, 0.9  # of a threshold for F1
FLOOR = 0.01  # of one for precision or recall
MARGIN = 1.2  # standard errors above the aim: other images differ
STANDING, VALIDATED, FOLDS, FIXED = "standing", "validation", "folds", "fixed"
NAMES = ("f1", "precision", "recall")


@dataclass(frozen=True)
class Aim:
    """What a threshold is chosen for: the best F1, or the least precision or recall.

    Attributes:
        name: `f1`, `precision` or `recall`.
        target: the least precision or recall; None for F1.
    """

    name: str = "f1"
    target: float | None = None

    @classmethod
    def parse(cls, text: str) -> Aim:
        """Read `f1`, `precision=.95` or `recall=.9`.

        Raises:
            ArgumentError: BW807 it is none of these.
        """
        name, _, number = text.strip().lower().partition("=")
        try:
            target = float(number) if number else None
        except ValueError:
            target = np.nan
        needs = name != "f1"
        if name not in NAMES or needs != (target is not None) or (needs and not 0 < target <= 1):  # type: ignore[operator]
            raise ArgumentError("BW807", f"the aim is {text!r}.")
        return cls(name, target)

    def __str__(self) -> str:
        return self.name if self.target is None else f"{self.name}={self.target:g}"


@dataclass(frozen=True)
class Threshold:
    """A score threshold, and where it is from.

    Attributes:
        value: the threshold of all classes.
        source: `validation` images chose it, or `folds` of the training images; `standing` is the
            detector's own, which was not validated; `fixed` was given.
        aim: what it was chosen for, such as `precision=0.95`; empty if it was not chosen.
        met: True if the aim is reached on the images that chose it; None without aim.
        per_class: the thresholds of single classes, where they were asked for.
        images: number of images that chose it.
    """

    value: float
    source: str
    aim: str = ""
    met: bool | None = None
    per_class: Mapping[str, float] = field(default_factory=dict)
    images: int = 0

    @property
    def validated(self) -> bool:
        """True if images outside the test set chose it."""
        return self.source in {VALIDATED, FOLDS}

    def by_class(self, classes: Sequence[str]) -> tuple[float, ...]:
        """The threshold of each class."""
        return tuple(self.per_class.get(name, self.value) for name in classes)

    @classmethod
    def of(cls, artifact: Artifact) -> Threshold:
        """The threshold of a detector: as it was saved by `boxwright evaluate`, or standing."""
        saved = artifact.provenance.get("threshold")
        if not isinstance(saved, dict) or saved.get("value") != artifact.threshold:
            return cls(artifact.threshold, STANDING)
        return cls(
            artifact.threshold,
            str(saved.get("source")),
            str(saved.get("aim") or ""),
            saved.get("met"),
            dict(zip(artifact.classes, artifact.thresholds, strict=True))
            if saved.get("per_class")
            else {},
            int(saved.get("images", 0)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "source": self.source,
            "validated": self.validated,
            "aim": self.aim or None,
            "met": self.met,
            "per_class": dict(self.per_class) or None,
            "images": self.images,
        }


def best_threshold(truth: Dataset, detections: Sequence[Detections]) -> float | None:
    """The score threshold with the highest F1 at IoU 0.5; None without any true positive.

    A fixed threshold of 0.5 does not work: scores trained with a focal loss are low.

    Args:
        truth: labeled images.
        detections: one per image.
    """
    chosen = choose(truth, detections, Aim())
    return chosen.value if chosen else None


def choose(
    truth: Dataset,
    detections: Sequence[Detections],
    aim: Aim,
    *,
    per_class: bool = False,
    source: str = VALIDATED,
) -> Threshold | None:
    """Choose the threshold for an aim; None without any true positive.

    Args:
        truth: validation images, never those that are reported.
        detections: one per image, with all scores.
        aim: what to choose for.
        per_class: choose one for each class too; a class without true positive has none.
        source: where the images are from.
    """
    matches = match(truth, gather(truth, detections), ("all",))["all"]
    outcomes = [Outcomes.of(one) for one in matches]
    overall = _chosen(Outcomes.together(outcomes, len(truth)), aim)
    if overall is None:
        return None
    own = {}
    if per_class:
        each = zip(truth.classes, (_chosen(one, aim) for one in outcomes), strict=True)
        own = {name: one[0] for name, one in each if one}
    return Threshold(overall[0], source, str(aim), overall[1], own, len(truth))


def _chosen(outcomes: Outcomes, aim: Aim) -> tuple[float, bool] | None:
    """The threshold, and whether it reaches the aim; None without any true positive."""
    floor = LOWEST if aim.target is None else FLOOR
    kept = outcomes.above(floor)
    if not kept.hit.any():
        return None
    scores = kept.scores.astype(np.float64)
    below = np.append(scores[1:], floor)
    last = np.flatnonzero(np.append(scores[:-1] > scores[1:], True))  # of equal scores
    right = np.cumsum(kept.hit)[last].astype(np.float64)
    precision, recall = right / (last + 1), ratio(right, outcomes.truths.sum()[None])
    truths = np.full(len(last), outcomes.truths.sum())
    best, met = _best(precision, recall, aim, truths if aim.name == "recall" else last + 1)
    between = (scores[last[best]] + below[last[best]]) / 2  # halfway to the next score
    highest = HIGHEST if aim.target is None else 1.0
    return round(float(np.clip(between, floor, highest)), 2 if aim.target is None else 4), met


def _best(
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
    aim: Aim,
    counts: NDArray[np.int64],
) -> tuple[int, bool]:
    """Index of the best cut, and whether it reaches the aim; with a margin if one does.

    `counts` is the number of boxes that precision or recall is a part of.
    """
    if aim.target is None:
        return int(np.argmax(2 * precision * recall / (precision + recall + 1e-12))), True
    wanted, other = (precision, recall) if aim.name == "precision" else (recall, precision)
    margin = MARGIN * np.sqrt(aim.target * (1 - aim.target) / counts)
    able = np.flatnonzero(wanted >= aim.target + margin)
    if not len(able):
        able = np.flatnonzero(wanted >= aim.target)
    if not len(able):
        return int(np.argmax(wanted)), False
    return int(able[np.argmax(other[able])]), True
