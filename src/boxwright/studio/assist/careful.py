"""Proposals that need less correction: two detections of an image, and the mean of their boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.engines import KerasEngine
from boxwright.ops.boxes import Boxes, clip, iou
from boxwright.ops.nms import multiclass_nms
from boxwright.ops.postprocess import RawDetections

LEAST = 0.05  # score of a candidate
VOTE = 0.7  # IoU of a candidate with the box that it moves


class CarefulEngine:
    """Detects in an image and in its mirror image, and lets all candidates of an object vote on its
    box: see docs/experiments/0042.

    Args:
        engine: of the network.
    """

    def __init__(self, engine: KerasEngine) -> None:
        self._engine = engine

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        plain, mirrored = map(self._engine.candidates, (inputs, inputs[:, :, ::-1]))
        top, left, bottom, right = np.moveaxis(np.asarray(mirrored.boxes), -1, 0)
        turned = np.stack([top, 1 - right, bottom, 1 - left], axis=-1)
        boxes = np.concatenate([plain.boxes, turned], axis=1)
        scores = np.concatenate([plain.scores, mirrored.scores], axis=1)
        return [voted(*one) for one in zip(boxes, scores, strict=True)]


def voted(boxes: Boxes, scores: NDArray[np.float32]) -> RawDetections:
    """NMS in which each box becomes the mean of the candidates of its class that overlap it,
    weighted by their scores.

    Args:
        boxes: `(A, 4)` normalized yxyx.
        scores: `(A, C)`.
    """
    index, labels = multiclass_nms(boxes, scores, score_threshold=LEAST)
    kept = boxes[index]
    weights = scores.T[labels] * (iou(kept, boxes) >= VOTE)
    mean = weights @ boxes / np.maximum(weights.sum(1, keepdims=True), LEAST)
    return clip(mean.astype(np.float32), 1, 1), scores[index, labels], labels
