"""Detections as the tensors of an exported model of the Object Detection API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxwright.structures.detections import Detections

BOXES, CLASSES = "detection_boxes", "detection_classes"
SCORES, COUNT = "detection_scores", "num_detections"
DECIMALS = 6  # of numbers as text; float32 has 7 digits

Tensors: TypeAlias = dict[str, NDArray[np.float32]]


def shapes_of(rows: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors by name, with -1 for the number of images."""
    return {BOXES: (-1, rows, 4), CLASSES: (-1, rows), SCORES: (-1, rows), COUNT: (-1,)}


def tensors_of(found: Sequence[Detections], rows: int) -> Tensors:
    """The detections of several images, all tensors float32.

    Args:
        found: one for each image, with the sizes of the images.
        rows: for an image; those after `num_detections` are zero.

    Returns:
        `detection_boxes` `(n, rows, 4)`, ymin, xmin, ymax, xmax from 0 to 1; `detection_classes`
        `(n, rows)`, from 1; `detection_scores` `(n, rows)`; `num_detections` `(n,)`.
    """
    shapes = shapes_of(rows)
    tensors = {
        name: np.zeros((len(found), *shape[1:]), np.float32) for name, shape in shapes.items()
    }
    for i, each in enumerate(found):
        count = min(len(each), rows)
        normalized = each.resized((1, 1)).boxes
        tensors[BOXES][i, :count] = normalized[:count, [1, 0, 3, 2]]
        tensors[CLASSES][i, :count] = each.labels[:count] + 1
        tensors[SCORES][i, :count] = each.scores[:count]
        tensors[COUNT][i] = count
    return tensors


def numbers(tensor: NDArray[np.float32]) -> list[object]:
    """A tensor as nested lists for JSON."""
    listed: list[object] = tensor.astype(np.float64).round(DECIMALS).tolist()
    return listed
