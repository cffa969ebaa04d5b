"""Matching of detections to ground truth by pycocotools, stored as flat arrays.

`N` images, `C` classes, `D` detections, `T` = 10 IoU thresholds 0.50, 0.55 ... 0.95.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import EvaluationError, SystemFaultError
from boxwright.ops.boxes import Boxes, parts_within
from boxwright.structures.dataset import CROWD, Dataset
from boxwright.structures.detections import Detections

WITHIN = 0.5  # fraction of a detection
AREAS = ("all", "small", "medium", "large")  # COCOeval's: any, up to 32², up to 96², beyond


@dataclass(frozen=True, eq=False)
class DetectionColumns:
    """The detections of all images as columns, image by image, with the truth's class ids.

    Attributes:
        image: `(D,)` index of the image.
        boxes: `(D, 4)` float32 xyxy pixels.
        scores: `(D,)` float32.
        labels: `(D,)` ids into the truth's classes.
    """

    image: NDArray[np.int64]
    boxes: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matches:
    """Matches of the detections of one class in all images, best score first.

    Attributes:
        image: `(D,)` index of the image.
        rank: `(D,)` rank among the detections of this class in its image; 0 is the best.
        hit: `(T, D)` True for true positives.
        counts: `(T, D)` False for ignored detections (a crowd, another size).
        truths: `(N,)` number of truth boxes in each image.
    """

    image: NDArray[np.int64]
    rank: NDArray[np.int64]
    hit: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    truths: NDArray[np.int64]

    def best(self, per_image: int) -> Matches:
        """Limit the detections to the best `per_image` of every image."""
        keep = self.rank < per_image
        return Matches(
            self.image[keep], self.rank[keep], self.hit[:, keep], self.counts[:, keep], self.truths
        )


def gather(truth: Dataset, detections: Sequence[Detections]) -> DetectionColumns:
    """Collect the detections in columns. Classes are matched by name, unknown ones dropped.

    Raises:
        EvaluationError: BW601 there is no common class name, BW602 a box or score is not a number.
    """
    if len(detections) != len(truth):
        raise ValueError(f"detections of {len(detections)} images for a truth of {len(truth)}")
    _require_shared_class(truth, detections)
    for index, found in enumerate(detections):
        if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
            raise EvaluationError(
                "BW602",
                "the detector returned a box or a score that is not a number.",
                where=str(truth.image(index)),
            )
    ids = {name: i for i, name in enumerate(truth.classes)}
    labels = [
        np.array([ids.get(name, -1) for name in found.classes], np.int64)[found.labels]
        for found in detections
    ]
    columns = DetectionColumns(
        image=np.repeat(np.arange(len(truth)), [len(found) for found in detections]),
        boxes=np.concatenate([np.zeros((0, 4), np.float32), *(d.boxes for d in detections)]),
        scores=np.concatenate([np.zeros(0, np.float32), *(d.scores for d in detections)]),
        labels=np.concatenate([np.zeros(0, np.int64), *labels]),
    )
    known = columns.labels >= 0
    return DetectionColumns(
        columns.image[known], columns.boxes[known], columns.scores[known], columns.labels[known]
    )


def _require_shared_class(truth: Dataset, detections: Sequence[Detections]) -> None:
    known = {name for found in detections for name in found.classes}
    if not known or not truth.classes or known.intersection(truth.classes):
        return
    raise EvaluationError(
        "BW601",
        f"the detector has the classes {_some(known)} and the data {_some(truth.classes)}, with no "
        "name in common.",
        where=truth.root,
    )


def _some(names: Sequence[str] | set[str]) -> str:
    ordered = sorted(names)
    listed = ", ".join(f'"{name}"' for name in ordered[:5])
    return f"{listed} and {len(ordered) - 5} more" if len(ordered) > 5 else listed


def match(
    truth: Dataset, found: DetectionColumns, areas: Sequence[str] = AREAS
) -> dict[str, list[Matches]]:
    """Match detections to truth as COCO does: for each of `areas`, one `Matches` per class.

    pycocotools does the matching. CROWD boxes are `iscrowd`; DIFFICULT does not exist in COCO and
    has no effect. Ignored regions are crowds of every class: detections in them are ignored.

    Raises:
        SystemFaultError: BW901 pycocotools is not installed.
    """
    try:
        from pycocotools import cocoeval
    except ImportError as error:
        raise SystemFaultError(
            "BW901",
            "the COCO metrics need the package pycocotools, which is not installed.",
            package="'boxwright[train]'",
        ) from error
    images, classes = len(truth), len(truth.classes)
    if not images or not classes:
        nothing = _matches([None] * images)
        return {area: [nothing] * classes for area in areas}
    evaluation = cocoeval.COCOeval(
        _Annotations(
            images,
            classes,
            _truth_annotations(truth),
        ),
        _Annotations(
            images,
            classes,
            _annotations(found.image, found.labels, found.boxes, score=found.scores),
        ),
        "bbox",
    )
    parameters = evaluation.params
    parameters.areaRng = [parameters.areaRng[AREAS.index(area)] for area in areas]
    parameters.areaRngLbl = list(areas)
    with _silenced(cocoeval):
        evaluation.evaluate()
    cells = iter(evaluation.evalImgs)  # order: class, area, image
    per_class = [
        {area: _matches([next(cells) for _ in range(images)]) for area in areas}
        for _ in range(classes)
    ]
    return {area: [matches[area] for matches in per_class] for area in areas}


@dataclass(frozen=True)
class _Annotations:
    """The part of `pycocotools.coco.COCO` that COCOeval uses, without copies and prints."""

    images: int
    classes: int
    annotations: list[dict[str, Any]]

    def getImgIds(self) -> list[int]:  # noqa: N802 - COCO's names
        return list(range(self.images))

    def getCatIds(self) -> list[int]:  # noqa: N802
        return list(range(self.classes))

    def getAnnIds(self, **_: object) -> range:  # noqa: N802 - COCOeval requests all
        return range(len(self.annotations))

    def loadAnns(self, ids: range) -> list[dict[str, Any]]:  # noqa: N802
        return [self.annotations[i] for i in ids]


def in_ignored_region(truth: Dataset, image: int, boxes: Boxes) -> NDArray[np.bool_]:
    """`(n,)`: True for boxes that are mostly inside an ignored region of their image."""
    parts = parts_within(boxes, truth.ignored_in(image))
    inside: NDArray[np.bool_] = parts.max(axis=1, initial=0) >= WITHIN
    return inside


def _truth_annotations(truth: Dataset) -> list[dict[str, Any]]:
    classes, regions = len(truth.classes), len(truth.ignored)
    return _annotations(
        np.concatenate([truth.image_of_box, np.repeat(truth.image_of_ignored, classes)]),
        np.concatenate([truth.labels, np.tile(np.arange(classes), regions)]),
        np.concatenate([truth.boxes, np.repeat(truth.ignored, classes, axis=0)]),
        iscrowd=np.append((truth.flags & CROWD) > 0, np.ones(regions * classes, np.bool_)),
    )


def _annotations(
    image: NDArray[np.int64],
    labels: NDArray[Any],
    boxes: Boxes,
    *,
    score: NDArray[np.float32] | None = None,
    iscrowd: NDArray[np.bool_] | None = None,
) -> list[dict[str, Any]]:
    """COCO annotations of the given columns; ids start at 1, since 0 is COCOeval's "no match"."""
    corners = boxes.astype(np.float64)
    sides = corners[:, 2:] - corners[:, :2]
    columns = zip(
        image.tolist(),
        labels.tolist(),
        np.hstack([corners[:, :2], sides]).tolist(),
        # As in pycocotools: the sides of an inverted box keep their signs.
        (sides[:, 0] * sides[:, 1]).tolist(),
        [0.0] * len(boxes) if score is None else score.tolist(),
        [0] * len(boxes) if iscrowd is None else iscrowd.astype(int).tolist(),
        strict=True,
    )
    return [
        {
            "id": number,
            "image_id": image,
            "category_id": category,
            "bbox": box,
            "area": area,
            "score": score_,
            "iscrowd": crowd,
        }
        for number, (image, category, box, area, score_, crowd) in enumerate(columns, start=1)
    ]


def _matches(cells: list[dict[str, Any] | None]) -> Matches:
    """Join COCOeval's results per image for one class and area; None for images without boxes."""
    truths = [0 if cell is None else int((cell["gtIgnore"] == 0).sum()) for cell in cells]
    sizes = [0 if cell is None else len(cell["dtScores"]) for cell in cells]
    full = [cell for cell in cells if cell is not None and cell["dtScores"]]
    scores = np.concatenate([np.zeros(0), *(cell["dtScores"] for cell in full)])
    nothing = np.zeros((10, 0), np.bool_)
    hit = np.concatenate([nothing, *(cell["dtMatches"] > 0 for cell in full)], axis=1)
    ignored = np.concatenate([nothing, *(cell["dtIgnore"] for cell in full)], axis=1)
    order = np.argsort(-scores, kind="stable")  # same tie-breaking as COCOeval.accumulate
    image = np.repeat(np.arange(len(cells)), sizes)
    rank = np.concatenate([np.zeros(0, np.int64), *(np.arange(size) for size in sizes)])
    return Matches(
        image=image[order],
        rank=rank[order],
        hit=hit[:, order],
        counts=~ignored[:, order],
        truths=np.array(truths, np.int64),
    )


@contextmanager
def _silenced(module: ModuleType) -> Iterator[None]:
    """Keep `module` from printing. Unlike a redirected stdout, this does not affect threads."""
    vars(module)["print"] = lambda *_: None
    try:
        yield
    finally:
        vars(module).pop("print", None)
