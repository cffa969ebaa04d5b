"""Choice of the score threshold, for an aim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import ArgumentError
from boxwright.evaluation.bootstrap import in_chunks, ratio, resampled_images
from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.outcomes import Outcomes
from boxwright.inference.artifact import Artifact
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

LOWEST, HIGHEST = 0.1, 0.9  # of a threshold for F1
FLOOR = 0.01  # of one for precision or recall
RESAMPLES = 100  # of the images, for F1
CONFIDENCE = 0.95  # that as many other images reach a precision or recall
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
        met: True if the images that chose it show, with CONFIDENCE, that as many other images
            reach the aim, for each class too if there are thresholds by class; None without aim.
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
    value, met = overall
    each = [_chosen(one, aim) for one in outcomes] if per_class else []
    own = {name: one[0] for name, one in zip(truth.classes, each, strict=False) if one}
    met = met and all(one[1] for one in each if one)
    return Threshold(value, source, str(aim), met, own, len(truth))


def _chosen(outcomes: Outcomes, aim: Aim) -> tuple[float, bool] | None:
    """The threshold, and whether it reaches the aim; None without any true positive."""
    floor = LOWEST if aim.target is None else FLOOR
    kept = outcomes.above(floor)
    if not kept.hit.any():
        return None
    scores = kept.scores.astype(np.float64)
    below = np.append(scores[1:], floor)
    last = np.flatnonzero(np.append(scores[:-1] > scores[1:], True))  # of equal scores
    if aim.target is None:
        best, met = _best_f1(kept, last), True
    else:
        best, met = _best(_Cuts.of(kept, last), aim.name, aim.target)
    between = (scores[last[best]] + below[last[best]]) / 2  # halfway to the next score
    highest = HIGHEST if aim.target is None else 1.0
    return round(float(np.clip(between, floor, highest)), 2 if aim.target is None else 4), met


class _Cuts(NamedTuple):
    """What happens above each of `K` thresholds, `(K,)` each, the highest first.

    `spread` is the sum over images of the squares of `hits - rate * boxes`, as three sums: of
    squares of hits, of products, and of squares of boxes; for `precision` the boxes are
    detections, for `recall` truth boxes.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    boxes: Mapping[str, NDArray[np.int64]]
    spread: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]

    @classmethod
    def of(cls, kept: Outcomes, last: NDArray[np.int64]) -> _Cuts:
        """The cuts below the detections at the indices `last`."""
        hits, truths = np.cumsum(kept.hit)[last], kept.truths
        wanted = np.full(len(last), truths.sum())
        earlier, hits_earlier = _earlier(kept)
        hit = kept.hit.astype(np.int64)
        squares = np.cumsum(hit * (2 * hits_earlier + 1))[last]
        with_detections = np.cumsum(hits_earlier + hit * (earlier + 1))[last]
        with_truths = np.cumsum(hit * truths[kept.image])[last]
        return cls(
            hits / (last + 1),
            ratio(hits, wanted),
            {"precision": last + 1, "recall": wanted},
            {
                "precision": (squares, with_detections, np.cumsum(2 * earlier + 1)[last]),
                "recall": (squares, with_truths, np.full(len(last), (truths**2).sum())),
            },
        )

    def lower_bound(self, name: str, target: float) -> NDArray[np.float64]:
        """`(K,)` a precision or recall less its margin: where it is at least the target, as many
        other images reach the target with CONFIDENCE.

        The margin is a normal quantile times the standard error of the difference between these
        and the other images. Each has that of a ratio whose sampling units are images (Cochran,
        Sampling Techniques, 1977, section 6.4), which is never less than that of a proportion of
        `target`.
        """
        rate: NDArray[np.float64] = getattr(self, name)
        boxes, (squares, products, others) = self.boxes[name], self.spread[name]
        clustered = (squares - 2 * rate * products + rate**2 * others) / boxes**2
        variance = np.maximum(clustered, target * (1 - target) / boxes)
        margin: NDArray[np.float64] = NormalDist().inv_cdf(CONFIDENCE) * np.sqrt(2 * variance)
        return rate - margin


def _earlier(kept: Outcomes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(D,)` number of better detections in the same image, and of hits among them."""
    by_image = np.argsort(kept.image, kind="stable")
    image, hit = kept.image[by_image], kept.hit[by_image].astype(np.int64)
    start = np.searchsorted(image, image)
    before = np.cumsum(hit) - hit
    counts = np.empty((2, len(image)), np.int64)
    counts[:, by_image] = np.arange(len(image)) - start, before - before[start]
    return counts[0], counts[1]


def _best_f1(kept: Outcomes, last: NDArray[np.int64]) -> int:
    """Index of the cut with the highest F1 in resampled images: the median of the best ones.

    The best one in these images is in part chance (bagging: Breiman, 1996; experiment 35).
    """

    def best(weights: NDArray[np.float64]) -> NDArray[np.int64]:
        drawn = weights[:, kept.image]
        hits, made = (np.cumsum(each, axis=1)[:, last] for each in (drawn * kept.hit, drawn))
        f1 = 2 * hits / (made + (weights @ kept.truths)[:, None] + 1e-12)
        return np.asarray(f1.argmax(axis=1), np.int64)

    resamples = resampled_images(len(kept.truths), RESAMPLES, seed=0)
    found = in_chunks(best, resamples, columns=len(kept.scores))
    return int(np.sort(found)[len(found) // 2])


def _best(cuts: _Cuts, name: str, target: float) -> tuple[int, bool]:
    """Index of the best cut for a least precision or recall, and whether that is shown to be
    reached; if it is not, of the cut that comes nearest."""
    bound = cuts.lower_bound(name, target)
    met = target < 1 and bool((bound >= target).any())  # 1 cannot be shown
    able = np.flatnonzero(bound >= (target if met else bound.max()))
    other = cuts.recall if name == "precision" else cuts.precision
    return int(able[np.argmax(other[able])]), met
