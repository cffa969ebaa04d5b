"""Proposals that need less correction: the mean of all boxes that are found of an object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.engines import KerasEngine
from boxwright.ops.boxes import Boxes, clip, iou
from boxwright.ops.nms import multiclass_nms
from boxwright.ops.postprocess import RawDetections

LEAST = 0.05  # score of a box
NMS = 0.5  # IoU of boxes that are of one object
VOTE = 0.7  # IoU of a box with the best one of its object, which it moves


class VotingEngine:
    """Detects as another engine, and lets all boxes of an object vote on its place.

    A detector finds each object many times, and NMS keeps the box with the best score, which is
    not the one that fits best: see docs/experiments/0042.

    Args:
        engine: of the network.
    """

    def __init__(self, engine: KerasEngine) -> None:
        self._engine = engine

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        boxes, scores = self._engine.candidates(inputs)
        return [voted(*one) for one in zip(boxes, scores, strict=True)]


def voted(boxes: Boxes, scores: NDArray[np.float32]) -> RawDetections:
    """NMS in which each box becomes the mean of those of its class that overlap it, weighted by
    their scores.

    Args:
        boxes: `(A, 4)` normalized yxyx.
        scores: `(A, C)`.
    """
    index, labels = multiclass_nms(boxes, scores, score_threshold=LEAST, iou_threshold=NMS)
    kept = boxes[index]
    weights = scores.T[labels] * (iou(kept, boxes) >= VOTE)
    mean = weights @ boxes / np.maximum(weights.sum(1, keepdims=True), LEAST)
    return clip(mean.astype(np.float32), 1, 1), scores[index, labels], labels
