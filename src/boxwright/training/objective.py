"""The training objective: raw outputs and labelled boxes to one number."""

from __future__ import annotations

from typing import Any, NamedTuple

from boxwright.models import framework
from boxwright.models.assigner import assign
from boxwright.models.losses import sigmoid_focal, smooth_l1

ops: Any = framework.keras().ops


class Loss(NamedTuple):
    """Mean losses per positive anchor; `total` is their sum."""

    total: Any
    classes: Any
    boxes: Any


def detection_loss(
    outputs: Any, boxes: Any, labels: Any, weights: Any, anchors: Any, class_weight: float = 1.0
) -> Loss:
    """Focal loss of the classes and smooth L1 of the boxes, over the number of positives.

    Args:
        outputs: `box_encodings (B, A, 4)` and `class_logits (B, A, C)`.
        boxes: `(B, G, 4)` normalised yxyx; labels `(B, G)`, -1 on padding; weights `(B, G)`.
        anchors: `(A, 4)` normalised yxyx.
        class_weight: how much the class loss counts beside the box loss.
    """
    logits = outputs["class_logits"]
    targets = assign(boxes, labels, weights, anchors, logits.shape[-1])
    positives = ops.maximum(ops.sum(targets.box_weights), 1.0)
    focal = ops.sum(sigmoid_focal(logits, targets.class_targets), axis=-1)
    located = smooth_l1(outputs["box_encodings"], targets.box_targets)
    classes = class_weight * ops.sum(focal * targets.class_weights) / positives
    places = ops.sum(located * targets.box_weights) / positives
    return Loss(classes + places, classes, places)
