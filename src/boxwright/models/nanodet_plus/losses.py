"""The losses of a NanoDet-Plus for a batch.

Sources: Li et al. 2020, "Generalized Focal Loss", equation 8, and Lyu 2021, "NanoDet-Plus". Unlike
there, no auxiliary head assigns the cells, and all cells of objects have the same weight.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework
from boxwright.backend.boxes import giou_of_pairs
from boxwright.models.model import Loss, Outputs, Truth
from boxwright.models.nanodet_plus.assigner import assign
from boxwright.models.nanodet_plus.generalized_focal import (
    distribution_focal,
    quality_focal,
)
from boxwright.models.nanodet_plus.objective import Objective
from boxwright.models.nanodet_plus.spec import BINS, SIDES

ops: Any = framework.keras().ops

LAST = BINS - 1.1  # strides: the longest distance that two bins can share


def detection_loss(
    outputs: Outputs, truth: Truth, priors: Any, input_size: int, objective: Objective
) -> Loss:
    """The losses of the classes, and of the boxes and the distributions of their sides.

    Args:
        outputs: `class_logits (B, A, C)` and `side_logits (B, A, 32)`.
        truth: the labels.
        priors: `(A, 3)` y, x and stride of the cells in pixels.
        input_size: side of the input in pixels.
        objective: the settings.
    """
    logits = outputs["class_logits"]
    sides = ops.reshape(outputs["side_logits"], (*logits.shape[:2], SIDES, BINS))
    boxes, labels, weights, verified = truth
    boxes = boxes * float(input_size)
    priors = ops.convert_to_tensor(priors)
    predicted = boxes_of(sides, priors)
    targets = assign(
        ops.stop_gradient(predicted),
        ops.stop_gradient(logits),
        boxes,
        labels,
        weights,
        input_size,
        objective,
        verified,
    )
    label = ops.take_along_axis(labels, targets.row, axis=1)
    kinds = ops.one_hot(label, logits.shape[-1], dtype="float32")
    answers = ops.cast(targets.positive > 0, "float32")
    wanted = kinds * (targets.quality * answers)[..., None]
    of_classes = quality_focal(logits, wanted, objective.quality_gamma)
    if verified is not None:
        of_classes = of_classes * verified[:, None]
    wrong = ops.sum(of_classes, axis=-1)
    wrong = wrong * (targets.positive + targets.negative)
    total = ops.maximum(ops.sum(targets.positive), 1.0)
    class_loss = ops.sum(wrong) / total

    box = ops.take_along_axis(boxes, targets.row[..., None], axis=1)
    box_loss = ops.sum((1 - giou_of_pairs(predicted, box)) * targets.positive) / total
    apart = distribution_focal(sides, ops.clip(distances_to(box, priors), 0.0, LAST))
    side_loss = ops.sum(ops.mean(apart, axis=-1) * targets.positive) / total
    class_loss = objective.class_weight * class_loss
    box_loss = objective.box_weight * box_loss + objective.side_weight * side_loss
    return Loss(class_loss + box_loss, class_loss, box_loss)


def boxes_of(sides: Any, priors: Any) -> Any:
    """Boxes `(B, A, 4)`, yxyx in pixels, from the logits of their sides' distances `(B, A, 4, 8)`:
    left, top, right, bottom."""
    bins = ops.arange(BINS, dtype="float32")
    distances = ops.sum(ops.softmax(sides, axis=-1) * bins, axis=-1) * priors[:, 2:]
    left, top, right, bottom = ops.unstack(distances, SIDES, axis=-1)
    y, x = priors[:, 0], priors[:, 1]
    return ops.stack([y - top, x - left, y + bottom, x + right], axis=-1)


def distances_to(boxes: Any, priors: Any) -> Any:
    """The distances `(B, A, 4)` of a box's left, top, right and bottom from each cell, in
    strides."""
    y, x, stride = priors[:, 0], priors[:, 1], priors[:, 2]
    ymin, xmin, ymax, xmax = (boxes[..., side] for side in range(4))
    return ops.stack([x - xmin, y - ymin, xmax - x, ymax - y], axis=-1) / stride[:, None]
