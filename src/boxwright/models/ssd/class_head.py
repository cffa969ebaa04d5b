"""Initialization of a new class head from the pretrained one, using the labeled boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.model import IGNORED_REGION, PADDING
from boxwright.models.weights.pretrained import Pretrained
from boxwright.ops.boxes import iou

keras: Any = framework.keras()
ops: Any = keras.ops

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
    model: Any,
    pretrained: Pretrained,
    images: NDArray[np.float32],
    boxes: NDArray[np.float32],
    labels: NDArray[np.int32],
    anchors: NDArray[np.float32],
    classes: tuple[str, ...],
    *,
    scores_of: Callable[[Any, Any, Any], NDArray[np.float32]] | None = None,
) -> list[ClassHeadInit]:
    """For each new class, find the pretrained class that fits its labeled boxes best.

    It has the largest difference between its scores on the boxes and elsewhere.

    Args:
        model: the new model with the pretrained weights loaded into all but its class head.
        pretrained: the network with the class head to try.
        images: `(n, S, S, 3)` in the network's input range.
        boxes, labels: `(n, G, 4)` normalized yxyx and `(n, G)`, as in `Truth`.
        anchors: `(A, 4)` normalized yxyx.
        classes: the new classes' names.
        scores_of: computes the scores `(n, A, K)` of the pretrained classes from the first three
            arguments; by default with the pretrained head.
    """
    scores = (scores_of or _pretrained_scores)(model, pretrained, images)
    fires: list[list[Any]] = [[] for _ in classes]
    quiet: list[list[Any]] = [[] for _ in classes]
    for image in range(len(images)):
        present = labels[image] != PADDING
        overlap = iou(boxes[image][present], anchors)
        near = overlap >= np.minimum(POSITIVE_IOU, overlap.max(axis=1, keepdims=True))
        away = (overlap < BACKGROUND).all(axis=0) & ~near.any(axis=0)
        background = scores[image][away].max(axis=0, initial=0)
        for row, label in zip(near, labels[image][present], strict=True):
            if label != IGNORED_REGION:
                fires[label].append(scores[image][row].max(axis=0))
        for label in range(len(classes)):
            quiet[label].append(background)
    usable = np.array([name != "" for name in pretrained.classes])
    starts = []
    for name, on_boxes, elsewhere in zip(classes, fires, quiet, strict=True):
        if not on_boxes:  # a class without an example in these images
            continue
        hit, miss = np.mean(on_boxes, axis=0), np.mean(elsewhere, axis=0)
        best = int(np.argmax(np.where(usable, hit - miss, -np.inf)))
        starts.append(
            ClassHeadInit(name, pretrained.classes[best], best, float(hit[best]), float(miss[best]))
        )
    return starts


def apply_class_head_init(
    model: Any, pretrained: Pretrained, starts: list[ClassHeadInit], classes: tuple[str, ...]
) -> None:
    """Copy the chosen columns of the pretrained class head into the model's."""
    columns = {start.name: start.column for start in starts}
    background = int("background_logits" in model.output)
    for head in _class_heads(model):
        old = pretrained.layers[head.name]
        for variable in (head.kernel, head.bias):
            value = variable.numpy()
            new = value.reshape(*value.shape[:-1], -1, background + len(classes))
            known = old[variable.name]
            known = known.reshape(*known.shape[:-1], -1, len(pretrained.classes))
            for label, name in enumerate(classes):
                if name in columns:
                    new[..., background + label] = known[..., columns[name]]
            variable.assign(new.reshape(value.shape))


def _pretrained_scores(
    model: Any, pretrained: Pretrained, images: NDArray[np.float32]
) -> NDArray[np.float32]:
    heads = _class_heads(model)
    probe = keras.Model(model.input, [head.input for head in heads])
    known = len(pretrained.classes)
    parts = []
    for head, maps in zip(heads, probe.predict(images, batch_size=16, verbose=0), strict=True):
        arrays = pretrained.layers[head.name]
        logits = ops.conv(maps.astype(np.float32), arrays["kernel"], padding="same")
        parts.append(np.asarray(logits + arrays["bias"]).reshape(len(images), -1, known))
    logits = np.concatenate(parts, axis=1, dtype=np.float32)
    scores: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
    return scores


def _class_heads(model: Any) -> list[Any]:
    return [layer for layer in model.layers if layer.name.endswith("ClassPredictor")]
