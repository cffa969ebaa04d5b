"""How well people agree: images that were labeled twice because they are in the data twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.near_duplicates.hashes import thumbnails
from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.matching import one_to_one
from boxwright.ops.boxes import Boxes, iou
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.structures.findings import counted

MIN_PAIRS, MIN_BOXES = 10, 30  # of images, and of boxes that both have
EQUAL = 0.95  # correlation of copies with everything at the same place
SIMILAR_SHAPE = 0.02  # relative difference of the aspect ratios
SAME_BOX = 0.5  # IoU
COPIED = 1.0  # pixels: labels that differ by less were not drawn twice


@dataclass(frozen=True)
class Agreement:
    """What one labeling scores against another one of the same images.

    Attributes:
        pairs: number of pairs of images.
        boxes: number of boxes that both of a pair have.
        iou: the median overlap of these.
        evaluation: of the boxes of one image as detections in the other, in both directions.
    """

    pairs: int
    boxes: int
    iou: float
    evaluation: Evaluation

    def __str__(self) -> str:
        return (
            f"{counted(self.pairs, 'pair')} of copies with labels of their own agree to "
            f"{self.evaluation}, with a median IoU of {self.iou:.2f}. Differences above this line "
            "are noise."
        )

    def to_json(self) -> dict[str, Any]:
        evaluation = self.evaluation
        return {
            "image_pairs": self.pairs,
            "box_pairs": self.boxes,
            "median_iou": self.iou,
            "AP": evaluation.ap,
            "AP50": evaluation.ap50,
            "interval_95": {"AP": evaluation.ap_interval, "AP50": evaluation.ap50_interval},
        }


def agreement(
    images: Dataset, hashes: NDArray[np.uint8], groups: NDArray[np.int64]
) -> Agreement | None:
    """Measure how well the labels of copies agree.

    The boxes of each copy are taken for detections in the other one. Copies whose labels are equal
    do not count, because these were copied too.

    Args:
        images: labeled images.
        hashes: `(N, HASHED)` of them.
        groups: `(N,)` ids of near-duplicate groups.

    Returns:
        None with fewer than MIN_PAIRS pairs of images or MIN_BOXES pairs of boxes.
    """
    pairs = [
        pair for pair in _duplicates(images, hashes, groups) if not _same_labels(images, *pair)
    ]
    overlaps = np.concatenate([np.zeros(0), *(_overlaps(images, *pair) for pair in pairs)])
    if len(pairs) < MIN_PAIRS or len(overlaps) < MIN_BOXES:
        return None
    first, second = (list(side) for side in zip(*pairs, strict=True))
    truth = images.select([*first, *second])
    found = [_as_detections(images, i, j) for i, j in [*pairs, *zip(second, first, strict=True)]]
    together = np.tile(np.arange(len(pairs)), 2)
    measured = evaluate(truth, found, groups=together)
    return Agreement(len(pairs), len(overlaps), float(np.median(overlaps)), measured)


def _duplicates(
    images: Dataset, hashes: NDArray[np.uint8], groups: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Pairs of images of a group that show the same at the same place, each image in one pair."""
    pixels = thumbnails(hashes).reshape(len(images), -1).astype(np.float64)
    pixels -= pixels.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(pixels, axis=1), 1e-9)
    shapes = images.sizes[:, 0] / images.sizes[:, 1]
    order = np.argsort(groups, kind="stable").tolist()
    taken = -1
    for i, j in pairwise(order):
        if groups[i] != groups[j] or i == taken:
            continue
        equal = pixels[i] @ pixels[j] / (lengths[i] * lengths[j]) >= EQUAL
        if equal and abs(shapes[i] / shapes[j] - 1) <= SIMILAR_SHAPE:
            taken = j
            yield i, j


def _in_place_of(images: Dataset, index: int, other: int) -> Boxes:
    """The boxes of the image `other`, in pixels of its copy `index`."""
    scale = np.tile(images.sizes[index] / images.sizes[other], 2)
    scaled: Boxes = (images.boxes[images.rows(other)] * scale).astype(np.float32)
    return scaled


def _same_labels(images: Dataset, index: int, other: int) -> bool:
    """True for labels that were copied with the image."""
    boxes, others = images.boxes[images.rows(index)], _in_place_of(images, index, other)
    return boxes.shape == others.shape and np.allclose(
        boxes[np.lexsort(boxes.T)], others[np.lexsort(others.T)], rtol=0, atol=COPIED
    )


def _overlaps(images: Dataset, index: int, other: int) -> NDArray[np.float64]:
    """IoU of the boxes that both copies have, whatever their class."""
    overlap = iou(images.boxes[images.rows(index)], _in_place_of(images, index, other))
    return overlap[one_to_one(overlap, SAME_BOX)].astype(np.float64)


def _as_detections(images: Dataset, index: int, other: int) -> Detections:
    """The labels of `other` as detections in its copy `index`."""
    boxes = _in_place_of(images, index, other)
    labels = images.labels[images.rows(other)]
    return Detections(boxes, np.ones(len(boxes), np.float32), labels, images.classes)
