"""The AP50 of Open Images: group-of boxes, and a hierarchy of classes.

As the Object Detection API's OpenImagesDetectionChallengeEvaluator computes it. Group-of boxes are
CROWD here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import EvaluationError
from boxwright.evaluation.matching import DetectionColumns, in_ignored_region
from boxwright.evaluation.voc import Ranking
from boxwright.io.text import read_text
from boxwright.ops.boxes import Boxes, iou, parts_within
from boxwright.structures.dataset import CROWD, Dataset

LEAST = 0.5  # IoU of a match; also the part of a detection inside a group


def parents(tree: Mapping[str, object], above: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """All classes above each class in the hierarchy file of Open Images, `LabelName` and
    `Subcategory` nested."""
    name = str(tree.get("LabelName", ""))
    result: dict[str, set[str]] = {name: set(above)}
    children = tree.get("Subcategory", ())
    for child in children if isinstance(children, Sequence) else ():
        for below, found in parents(child, (*above, name)).items():
            result[below] = result.get(below, set()) | found
    return result


def read_hierarchy(path: Path) -> dict[str, set[str]]:
    """Read the classes above each class from a hierarchy file.

    Raises:
        EvaluationError: BW606 it is not such a file.
    """
    try:
        tree = json.loads(read_text(path))
        if not isinstance(tree, dict) or "LabelName" not in tree:
            raise ValueError("it has no LabelName at its top")
        return parents(tree)
    except (AttributeError, RecursionError, ValueError) as error:
        raise EvaluationError(
            "BW606", f"the hierarchy cannot be read: {error}.", where=path
        ) from error


def ap50_per_class(
    truth: Dataset,
    found: DetectionColumns,
    weights: NDArray[np.float64],
    above: Mapping[str, set[str]] | None = None,
) -> NDArray[np.float64]:
    """`(C, B)` AP50 of every class for `B` weightings of the images; NaN for a class without truth
    boxes.

    A group-of box counts as one object. Detections that match no box and lie to at least half in a
    group make one true positive with the best of their scores.

    Args:
        truth: labeled images.
        found: detections in them.
        weights: `(B, N)`, how often each image counts.
        above: the classes above each class: a truth box is one of each of them too, as in the
            label expansion of Open Images. Detections are not expanded.
    """
    rows, labels = _expanded(truth, above or {})
    image = truth.image_of_box[rows]
    group = (truth.flags[rows] & CROWD) > 0
    result = np.full((len(truth.classes), len(weights)), np.nan)
    for label in range(len(truth.classes)):
        own = np.flatnonzero(labels == label)
        if not len(own):
            continue
        scores, hits, where = [], [], []
        mine = np.flatnonzero(found.labels == label)
        bounds = np.searchsorted(found.image[mine], np.arange(len(truth) + 1))
        own = own[np.argsort(image[own], kind="stable")]
        own_bounds = np.searchsorted(image[own], np.arange(len(truth) + 1))
        for index in np.unique(found.image[mine]):
            detections = mine[bounds[index] : bounds[index + 1]]
            boxes = own[own_bounds[index] : own_bounds[index + 1]]
            score, hit = _in_image(
                found.boxes[detections],
                found.scores[detections],
                truth.boxes[rows[boxes[~group[boxes]]]],
                truth.boxes[rows[boxes[group[boxes]]]],
                in_ignored_region(truth, index, found.boxes[detections]),
            )
            scores.append(score)
            hits.append(hit)
            where.append(np.full(len(hit), index))
        every = np.concatenate([np.zeros(0, np.float32), *scores])
        order = np.argsort(-every, kind="stable")
        ranking = Ranking(
            np.concatenate([np.zeros(0, np.int64), *where])[order],
            np.concatenate([np.zeros(0, np.bool_), *hits])[order],
            np.bincount(image[own], minlength=len(truth)),
        )
        result[label] = ranking.average_precision(weights)[:, 0]
    return result


def _expanded(
    truth: Dataset, above: Mapping[str, set[str]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of truth boxes and their labels, once for each class that a box is of."""
    ids = {name: i for i, name in enumerate(truth.classes)}
    rows, labels = [np.arange(len(truth.labels))], [truth.labels.astype(np.int64)]
    for name, number in ids.items():
        mine = np.flatnonzero(truth.labels == number)
        for parent in sorted(above.get(name, set()) & ids.keys()):
            rows.append(mine)
            labels.append(np.full(len(mine), ids[parent]))
    return np.concatenate(rows), np.concatenate(labels)


def _in_image(
    boxes: Boxes,
    scores: NDArray[np.float32],
    wanted: Boxes,
    groups: Boxes,
    excused: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores and hits of one class in one image; a found group is one more detection."""
    order = np.argsort(-scores, kind="stable")
    boxes, scores, excused = boxes[order], scores[order], excused[order]
    overlap = iou(boxes, wanted)
    hit = np.zeros(len(boxes), np.bool_)
    if len(wanted):
        near = np.flatnonzero(overlap.max(axis=1) >= LEAST)
        _, first = np.unique(overlap[near].argmax(axis=1), return_index=True)
        hit[near[first]] = True
    parts = parts_within(boxes, groups)
    grouped = ~hit & (parts.max(axis=1, initial=0) >= LEAST)
    found = scores[:0]
    if len(groups):
        inside = np.flatnonzero(grouped)
        _, first = np.unique(parts[inside].argmax(axis=1), return_index=True)
        found = scores[inside[first]]
    kept = ~grouped & (hit | ~excused)
    return np.append(scores[kept], found), np.append(hit[kept], np.ones(len(found), np.bool_))
