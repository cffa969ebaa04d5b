"""Initialization of a new class head from the pretrained one, using the labeled boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.models.model import IGNORED_REGION, PADDING
from boxwright.ops.boxes import iou

POSITIVE_IOU, BACKGROUND = 0.5, 0.3  # IoU with a labeled box: at least, and below


class ClassHeadInit(NamedTuple):
    """The initialization of one new class: a pretrained class and its scores.

    `on_boxes` is the mean over labeled boxes of the best score near the box, `elsewhere` the mean
    over images of the best score away from all boxes.
    """

    name: str
    origin: str
    column: int
    on_boxes: float
    elsewhere: float

    def __str__(self) -> str:
        return (
            f'"{self.name}" starts from the pretrained "{self.origin}", which scores '
            f"{self.on_boxes:.2f} on its boxes and {self.elsewhere:.2f} elsewhere"
        )


def find_class_head_init(
    known: tuple[str, ...],
    scores: NDArray[np.float32],
    positions: NDArray[np.float32],
    boxes: NDArray[np.float32],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
) -> list[ClassHeadInit]:
    """For each new class, find the pretrained class that fits its labeled boxes best.

    It has the largest difference between its scores on the boxes and elsewhere.

    Args:
        known: names of the `K` pretrained classes; `""` for one that is not to be used.
        scores: `(n, A, K)` of the pretrained classes on `n` images.
        positions: `(n, A, 4)` normalized yxyx: what the scores are about.
        boxes, labels: `(n, G, 4)` normalized yxyx and `(n, G)`, as in `Truth`.
        classes: the new classes' names.
    """
    fires: list[list[Any]] = [[] for _ in classes]
    quiet: list[list[Any]] = [[] for _ in classes]
    for image in range(len(scores)):
        present = labels[image] != PADDING
        overlap = iou(boxes[image][present], positions[image])
        near = overlap >= np.minimum(POSITIVE_IOU, overlap.max(axis=1, keepdims=True))
        away = (overlap < BACKGROUND).all(axis=0) & ~near.any(axis=0)
        background = scores[image][away].max(axis=0, initial=0)
        for row, label in zip(near, labels[image][present], strict=True):
            if label != IGNORED_REGION:
                fires[label].append(scores[image][row].max(axis=0))
        for label in range(len(classes)):
            quiet[label].append(background)
    usable = np.array([name != "" for name in known])
    starts = []
    for name, on_boxes, elsewhere in zip(classes, fires, quiet, strict=True):
        if not on_boxes:  # a class without an example in these images
            continue
        hit, miss = np.mean(on_boxes, axis=0), np.mean(elsewhere, axis=0)
        best = int(np.argmax(np.where(usable, hit - miss, -np.inf)))
        starts.append(ClassHeadInit(name, known[best], best, float(hit[best]), float(miss[best])))
    return starts


def with_columns(
    value: NDArray[np.float32],
    known: NDArray[np.float32],
    starts: Sequence[ClassHeadInit],
    classes: tuple[str, ...],
) -> NDArray[np.float32]:
    """A new head's variable `(..., C)` with the chosen columns of the pretrained one `(..., K)`."""
    columns = {start.name: start.column for start in starts}
    new = value.copy()
    for label, name in enumerate(classes):
        if name in columns:
            new[..., label] = known[..., columns[name]]
    return new
