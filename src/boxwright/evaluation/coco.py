"""The 12 COCO metrics, with AP per class and 95 % intervals.

The results equal those of pycocotools. Its package would take most of an evaluation's time, and
hides the matches that the bootstrap needs for a thousand resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.evaluation import voc
from boxwright.evaluation.bootstrap import (
    Interval,
    in_chunks,
    interval,
    mean_over_classes,
    ratio,
    weightings,
)
from boxwright.evaluation.matching import (
    AREAS,
    IOUS,
    DetectionColumns,
    Matches,
    gather,
    match,
)
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

RECALLS = np.linspace(0, 1, 101)  # COCO samples the precision at these
VOC, VOC07 = "voc_ap50", "voc07_ap50"


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
        intervals: 95 % bootstrap intervals over images of the 12 metrics, VOC and VOC07.
        images, boxes: number of images and boxes.
    """

    coco: Mapping[str, float | None]
    voc_ap50: float | None
    voc07_ap50: float | None
    per_class: tuple[ClassScore, ...]
    intervals: Mapping[str, Interval | None]
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

    @property
    def ap_interval(self) -> Interval | None:
        """The 95 % interval of AP."""
        return self.intervals["AP"]

    @property
    def ap50_interval(self) -> Interval | None:
        """The 95 % interval of AP50."""
        return self.intervals["AP50"]

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
            "interval_95": dict(self.intervals),
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
    return of_matches(truth, found, matches, weightings(len(truth), resamples, seed, groups))


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
        weights: `(1 + B, N)`, every image once, then the resamples for the intervals.
    """
    ap, ar = (dict.fromkeys(AREAS, np.full((0, len(weights), 10), np.nan)) for _ in range(2))
    for area, per_class in matches.items():
        ap[area], ar[area] = _precisions(per_class, weights), _recalls(per_class, weights)
    best = {n: _recalls([m.best(n) for m in matches["all"]], weights) for n in (1, 10)}
    voc_ap50, voc07_ap50 = voc.ap50_per_class(truth, found, weights)
    coco = {
        "AP": ap["all"],
        "AP50": ap["all"][:, :, :1],
        "AP75": ap["all"][:, :, 5:6],
        "APsmall": ap["small"],
        "APmedium": ap["medium"],
        "APlarge": ap["large"],
        "AR1": best[1],
        "AR10": best[10],
        "AR100": ar["all"],
        "ARsmall": ar["small"],
        "ARmedium": ar["medium"],
        "ARlarge": ar["large"],
    }  # (C, 1 + B, T)
    samples = {name: mean_over_classes(values.mean(axis=2)) for name, values in coco.items()}
    samples |= {VOC: mean_over_classes(voc_ap50), VOC07: mean_over_classes(voc07_ap50)}
    counts = np.bincount(truth.labels, minlength=len(truth.classes))
    return Evaluation(
        coco={name: defined(samples[name][0]) for name in coco},
        voc_ap50=defined(samples[VOC][0]),
        voc07_ap50=defined(samples[VOC07][0]),
        per_class=tuple(
            ClassScore(
                name=name,
                boxes=int(counts[i]),
                ap=defined(ap["all"][i, 0].mean()),
                ap50=defined(ap["all"][i, 0, 0]),
                voc_ap50=defined(voc_ap50[i, 0]),
                voc07_ap50=defined(voc07_ap50[i, 0]),
            )
            for i, name in enumerate(truth.classes)
        ),
        intervals={name: interval(values[1:]) for name, values in samples.items()},
        images=len(truth),
        boxes=len(truth.boxes),
    )


def average_precision(matches: Matches, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average precision of one class, `(B, T)`, for `B` weightings of the images.

    `weights` is `(B, N)`: how often each image counts. NaN without truth boxes.

    COCO's AP is the mean over 101 recalls of the best precision at that recall or beyond. Recall
    increases only at true positives, where precision has its local maximum. So the curve is
    evaluated only there: each contributes its envelope as often as there are recalls between it
    and the previous one.
    """
    wanted = (weights @ matches.truths)[:, None]
    ever = np.flatnonzero(matches.counts.any(axis=0))
    weight = weights[:, matches.image[ever]]
    first = matches.counts[0, ever]
    seen = np.cumsum(weight * first, axis=1)
    ap = np.full((len(weights), len(matches.hit)), np.nan)
    columns = zip(matches.hit[:, ever], matches.counts[:, ever], strict=True)
    for t, (hit, counts) in enumerate(columns):
        hits = np.flatnonzero(hit & counts)
        right = np.cumsum(weight[:, hits], axis=1)
        others = np.flatnonzero(counts != first)  # few: they count at this IoU alone, or not
        change = weight[:, others] * np.where(counts[others], 1, -1)
        change = np.cumsum(np.pad(change, ((0, 0), (1, 0))), axis=1)
        before = seen[:, hits] + change[:, np.searchsorted(others, hits, side="right")]
        precision = right / (before + np.spacing(1))
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        levels = np.searchsorted(RECALLS, right / np.maximum(wanted, 1), side="right")
        ap[:, t] = (envelope * np.diff(levels, axis=1, prepend=0)).sum(axis=1) / len(RECALLS)
    ap[wanted[:, 0] == 0] = np.nan
    return ap


def recall(matches: Matches, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of the truth boxes of one class that is found, `(B, T)`; NaN without truth boxes."""
    found = [
        np.bincount(matches.image[hit & counts], minlength=len(matches.truths))
        for hit, counts in zip(matches.hit, matches.counts, strict=True)
    ]
    return ratio(weights @ np.transpose(found), (weights @ matches.truths)[:, None])


def _precisions(per_class: Sequence[Matches], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(C, B, T)` average precisions."""
    each = [
        in_chunks(partial(average_precision, matches), weights, len(matches.image))
        for matches in per_class
    ]
    return np.stack(each) if each else np.zeros((0, len(weights), len(IOUS)))


def _recalls(per_class: Sequence[Matches], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(C, B, T)` recalls."""
    each = [recall(matches, weights) for matches in per_class]
    return np.stack(each) if each else np.zeros((0, len(weights), len(IOUS)))


def resampled(
    per_class: Sequence[Matches], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AP and AP50, each `(B,)`, for `B` weightings of the images; NaN without boxes."""
    ap = _precisions(per_class, weights)
    return mean_over_classes(ap.mean(axis=2)), mean_over_classes(ap[:, :, 0])


def _shown(name: str, value: float | None, between: Interval | None) -> str:
    """`AP 0.431 (0.382 to 0.480)`"""
    if value is None:
        return f"{name} n/a"
    return f"{name} {value:.3f}" + (f" ({between[0]:.3f} to {between[1]:.3f})" if between else "")


def defined(value: float) -> float | None:
    """A number, or None for NaN."""
    return None if np.isnan(value) else float(value)
