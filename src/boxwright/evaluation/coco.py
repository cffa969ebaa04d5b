"""The 12 COCO metrics, with AP per class and 95 % intervals.

The results equal those of pycocotools. Its package would take most of an evaluation's time, and
hides the matches that the bootstrap needs for a thousand resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation import voc
from boxwright.evaluation.bootstrap import (
    Interval,
    interval,
    resampled_images,
    weightings,
)
from boxwright.evaluation.matching import (
    AREAS,
    DetectionColumns,
    Matches,
    gather,
    match,
)
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

RECALLS = np.linspace(0, 1, 101)  # COCO samples the precision at these
CHUNK = 1 << 22  # elements per array while resampling: 32 MiB


class ClassScore(NamedTuple):
    """Results of one class: name, number of truth boxes, COCO AP and AP50, AP50 of VOC 2010 and
    later, and of VOC 2007."""

    name: str
    boxes: int
    ap: float | None
    ap50: float | None
    voc_ap50: float | None
    voc07_ap50: float | None


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation. None means "n/a": the metric is undefined.

    Attributes:
        coco: the 12 COCO metrics in COCO's order, from `AP` to `ARlarge`.
        voc_ap50: mean AP50 over classes of VOC 2010 and later, without difficult boxes.
        voc07_ap50: the same of VOC 2007.
        per_class: one entry per class of the data.
        ap_interval, ap50_interval: 95 % bootstrap intervals over images.
        images, boxes: number of images and boxes.
    """

    coco: Mapping[str, float | None]
    voc_ap50: float | None
    voc07_ap50: float | None
    per_class: tuple[ClassScore, ...]
    ap_interval: Interval | None
    ap50_interval: Interval | None
    images: int
    boxes: int

    @property
    def ap(self) -> float | None:
        """COCO AP: mean over classes and IoU 0.50 to 0.95."""
        return self.coco["AP"]

    @property
    def ap50(self) -> float | None:
        """COCO AP at IoU 0.5."""
        return self.coco["AP50"]

    def __str__(self) -> str:
        scores = (("AP", self.ap, self.ap_interval), ("AP50", self.ap50, self.ap50_interval))
        return f"{', '.join(_shown(*score) for score in scores)} on {self.images} images"

    def to_json(self) -> dict[str, Any]:
        """JSON values; `null` for "n/a"."""
        return {
            "images": self.images,
            "boxes": self.boxes,
            "coco": dict(self.coco),
            "voc_ap50": self.voc_ap50,
            "voc07_ap50": self.voc07_ap50,
            "interval_95": {"AP": self.ap_interval, "AP50": self.ap50_interval},
            "per_class": {
                score.name: {
                    "boxes": score.boxes,
                    "AP": score.ap,
                    "AP50": score.ap50,
                    "voc_ap50": score.voc_ap50,
                    "voc07_ap50": score.voc07_ap50,
                }
                for score in self.per_class
            },
        }


def evaluate(
    truth: Dataset,
    detections: Sequence[Detections],
    *,
    resamples: int = 1000,
    seed: int = 0,
    sizes: bool = True,
    groups: NDArray[np.int64] | None = None,
) -> Evaluation:
    """Evaluate `detections`, one per image of `truth`, in the same order.

    Classes are matched by name, so their order may differ; detections of classes that are not in
    the data are ignored. Within a training loop, use `resamples=0` to skip the intervals and
    `sizes=False` to skip the six metrics by box size, which take three quarters of the remaining
    time: 16 images then take a few hundredths of a second. The intervals draw images with equal ids
    in `groups`, `(N,)`, together, such as near-duplicates.

    Raises:
        EvaluationError: BW601 there is no common class name, BW602 a box or score is not a number.
    """
    found = gather(truth, detections)
    matches = match(truth, found, tuple(AREAS) if sizes else ("all",))
    return of_matches(truth, found, matches, resampled_images(len(truth), resamples, seed, groups))


def of_matches(
    truth: Dataset,
    found: DetectionColumns,
    matches: Mapping[str, Sequence[Matches]],
    weights: NDArray[np.float64],
) -> Evaluation:
    """The evaluation of detections that are matched already.

    Args:
        truth: labeled images.
        found: the detections.
        matches: their matches by area; without those by box size, six metrics are undefined.
        weights: `(B, N)`, the resamples for the intervals; `B` may be 0.
    """
    once = np.ones((1, len(truth)))
    unmeasured = np.full((1, 1), np.nan)
    ap, ar = (dict.fromkeys(AREAS, unmeasured) for _ in range(2))  # per area: (C, T)
    for area, per_class in matches.items():
        ap[area], ar[area] = _curves(per_class, once)
    voc_ap50, voc07_ap50 = voc.ap50_per_class(truth, found)
    coco = {
        "AP": ap["all"],
        "AP50": ap["all"][:, 0],
        "AP75": ap["all"][:, 5],
        "APsmall": ap["small"],
        "APmedium": ap["medium"],
        "APlarge": ap["large"],
        "AR1": _curves([m.best(1) for m in matches["all"]], once)[1],
        "AR10": _curves([m.best(10) for m in matches["all"]], once)[1],
        "AR100": ar["all"],
        "ARsmall": ar["small"],
        "ARmedium": ar["medium"],
        "ARlarge": ar["large"],
    }
    counts = np.bincount(truth.labels, minlength=len(truth.classes))
    ap_interval, ap50_interval = _intervals(matches["all"], weights)
    return Evaluation(
        coco={name: _mean(values) for name, values in coco.items()},
        voc_ap50=_mean(voc_ap50),
        voc07_ap50=_mean(voc07_ap50),
        per_class=tuple(
            ClassScore(
                name=name,
                boxes=int(counts[i]),
                ap=_mean(ap["all"][i]),
                ap50=_mean(ap["all"][i, :1]),
                voc_ap50=_mean(voc_ap50[i : i + 1]),
                voc07_ap50=_mean(voc07_ap50[i : i + 1]),
            )
            for i, name in enumerate(truth.classes)
        ),
        ap_interval=ap_interval,
        ap50_interval=ap50_interval,
        images=len(truth),
        boxes=len(truth.boxes),
    )


class Difference(NamedTuple):
    """The AP loss between two lists of detections in the same images, and its 95 % interval over
    the images; in [-1, 1], None if undefined."""

    loss: float
    interval: Interval | None


def paired_loss(
    truth: Dataset,
    reference: Sequence[Detections],
    other: Sequence[Detections],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference | None:
    """The AP loss of `other` against `reference`, both for the images of `truth` in order.

    Both use the same resampled images, so the difficulty of the images cancels out: the interval
    of the difference is much narrower than that of either AP.

    Raises the errors of `evaluate`. None if the images have no boxes of a known class.
    """
    weights = weightings(len(truth), resamples, seed)
    ap = []
    for detections in (reference, other):
        found = gather(truth, detections)
        per_class = match(truth, found, ("all",))["all"]
        ap.append(resampled(per_class, weights)[0] if per_class else np.full(1, np.nan))
    losses = ap[0] - ap[1]
    if np.isnan(losses[0]):
        return None
    return Difference(float(losses[0]), interval(losses[1:]))


def average_precision(
    matches: Matches, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision and recall of one class, `(B, T)` each, for `B` weightings of the images.

    `weights` is `(B, N)`: how often each image counts. NaN without truth boxes.

    COCO's AP is the mean over 101 recalls of the best precision at that recall or beyond. Recall
    increases only at true positives, where precision has its local maximum. So the curve is
    evaluated only there: each contributes its envelope as often as there are recalls between it
    and the previous one.
    """
    wanted = (weights @ matches.truths)[:, None]
    weight = weights[:, matches.image]
    ap, recall = np.full((2, len(weights), len(matches.hit)), np.nan)
    seen = weight
    for t, (hit, counts) in enumerate(zip(matches.hit, matches.counts, strict=True)):
        if t == 0 or not np.array_equal(counts, matches.counts[t - 1]):
            seen = np.cumsum(weight * counts, axis=1)
        hits = np.flatnonzero(hit & counts)
        right = np.cumsum(weight[:, hits], axis=1)
        precision = right / (seen[:, hits] + np.spacing(1))
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        reached = right / np.maximum(wanted, 1)
        levels = np.searchsorted(RECALLS, reached, side="right")
        ap[:, t] = (envelope * np.diff(levels, axis=1, prepend=0)).sum(axis=1) / len(RECALLS)
        recall[:, t] = reached.max(axis=1, initial=0)
    unmeasured = wanted[:, 0] == 0
    ap[unmeasured] = recall[unmeasured] = np.nan
    return ap, recall


def _curves(
    per_class: Sequence[Matches], once: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`(C, T)` average precision and recall with every image counted once."""
    pairs = [average_precision(matches, once) for matches in per_class]
    ap = np.array([ap[0] for ap, _ in pairs]).reshape(-1, 10)
    return ap, np.array([recall[0] for _, recall in pairs]).reshape(-1, 10)


def _intervals(
    per_class: Sequence[Matches], weights: NDArray[np.float64]
) -> tuple[Interval | None, Interval | None]:
    """95 % intervals of AP and AP50 over the resamples in `weights`, `(B, N)`."""
    if not per_class or not weights.size:
        return None, None
    ap, ap50 = resampled(per_class, weights)
    return interval(ap), interval(ap50)


def resampled(
    per_class: Sequence[Matches], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AP and AP50, each `(B,)`, for `B` weightings of the images; NaN without boxes."""
    max_detections = max(len(matches.image) for matches in per_class)
    step = max(1, CHUNK // max(1, max_detections))
    samples = [
        np.array([average_precision(m, weights[start : start + step])[0] for m in per_class])
        for start in range(0, len(weights), step)
    ]
    ap = np.concatenate(samples, axis=1)  # (C, B, T)
    measured = ~np.isnan(ap[:, :, 0])
    classes = np.where(measured.any(axis=0), measured.sum(axis=0), np.nan)
    totals = np.where(np.isnan(ap), 0, ap).sum(axis=0)
    return totals.mean(axis=1) / classes, totals[:, 0] / classes


def _shown(name: str, value: float | None, between: Interval | None) -> str:
    """`AP 0.431 (0.382 to 0.480)`"""
    if value is None:
        return f"{name} n/a"
    return f"{name} {value:.3f}" + (f" ({between[0]:.3f} to {between[1]:.3f})" if between else "")


def _mean(values: NDArray[np.float64]) -> float | None:
    """Mean of the defined values; None if there are none."""
    measured = values[~np.isnan(values)]
    return float(measured.mean()) if len(measured) else None
