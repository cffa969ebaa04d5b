"""Losses of a single-shot detector, per anchor and per batch.

Source: the Object Detection API's `losses.py`; Lin et al. 2017, "Focal Loss for Dense Object
Detection", equation 5; Zhang et al. 2021, "VarifocalNet", equation 2; Girshick 2015, "Fast R-CNN",
equation 3 for smooth L1.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework
from boxwright.backend.boxes import iou_of_pairs
from boxwright.models.model import Loss, Suppress
from boxwright.models.ssd.assigner import BACKGROUND, Targets, assign
from boxwright.models.ssd.mining import hard_examples
from boxwright.models.ssd.objective import Focal, Mining, Objective, Varifocal
from boxwright.ops import box_coder

ops: Any = framework.keras().ops


def sigmoid_cross_entropy(logits: Any, targets: Any) -> Any:
    """`-t log(p) - (1 - t) log(1 - p)` with `p = sigmoid(logits)`, same shape as `logits`."""
    return ops.maximum(logits, 0.0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def sigmoid_focal(
    logits: Any, targets: Any, *, alpha: float | None = 0.25, gamma: float = 2.0
) -> Any:
    """Cross entropy, down-weighted for well-classified examples; same shape as `logits`."""
    probability = ops.sigmoid(logits)
    wrongness = targets * (1 - probability) + (1 - targets) * probability
    balance = 1.0 if alpha is None else targets * alpha + (1 - targets) * (1 - alpha)
    return balance * wrongness**gamma * sigmoid_cross_entropy(logits, targets)


def varifocal(logits: Any, targets: Any, *, alpha: float = 0.75, gamma: float = 2.0) -> Any:
    """Cross entropy with targets in [0, 1], weighted by the target for objects and down-weighted
    for well-classified background; same shape as `logits`."""
    background = alpha * ops.sigmoid(logits) ** gamma
    weights = ops.where(targets > 0, targets, background)
    return weights * sigmoid_cross_entropy(logits, targets)


def smooth_l1(encodings: Any, targets: Any, *, huber_delta: float = 1.0) -> Any:
    """Huber loss, summed over the four coordinates: `(..., 4)` gives `(...)`."""
    distance = ops.abs(encodings - targets)
    quadratic = ops.minimum(distance, huber_delta)
    return ops.sum(0.5 * quadratic**2 + huber_delta * (distance - quadratic), axis=-1)


def detection_loss(
    outputs: Any,
    boxes: Any,
    labels: Any,
    weights: Any,
    anchors: Any,
    objective: Objective,
    suppress: Suppress,
    scales: box_coder.Scales = box_coder.SCALES,
    *,
    verified: Any = None,
) -> Loss:
    """The losses of the classes and of the boxes.

    Args:
        outputs: `box_encodings (B, A, 4)` and `class_logits (B, A, C)`; `background_logits
            (B, A, 1)` if the objective has a background column.
        boxes: `(B, G, 4)` normalized yxyx; labels and weights `(B, G)`, see `Truth`.
        anchors: `(A, 4)` normalized yxyx.
        objective: the losses and their weights.
        suppress: the engine's NMS, for hard example mining.
        scales: scales of the box coder.
        verified: `(B, C)`, see `Truth`. A background anchor of an image with unknown classes does
            not train the background column either.
    """
    matching = objective.matching
    logits = outputs["class_logits"]
    targets = assign(
        boxes, labels, weights, anchors, logits.shape[-1],
        positive_iou=matching.positive_iou, negative_iou=matching.negative_iou,
        ignore_between=matching.ignore_between, force_match=matching.force_match, scales=scales,
    )  # fmt: skip
    wanted = targets.class_targets
    if isinstance(objective.classification_loss, Varifocal):
        encodings, objects = outputs["box_encodings"], boxes.shape[1]
        wanted = wanted * _quality(encodings, targets, objects, anchors, scales)
    if objective.background is not None:
        logits = ops.concatenate([outputs["background_logits"], logits], axis=-1)
        background = ops.cast(targets.match == BACKGROUND, "float32") * objective.background
        wanted = ops.concatenate([background[..., None], wanted], axis=-1)
    match objective.classification_loss:
        case None:
            wrong = sigmoid_cross_entropy(logits, wanted)
        case Focal(alpha, gamma):
            wrong = sigmoid_focal(logits, wanted, alpha=alpha, gamma=gamma)
        case Varifocal(alpha, gamma):
            wrong = varifocal(logits, wanted, alpha=alpha, gamma=gamma)
    if verified is not None:
        wrong = wrong * _verified_columns(verified, targets, logits.shape[-1])
    classes = ops.sum(wrong, axis=-1) * targets.class_weights
    distance = smooth_l1(
        outputs["box_encodings"], targets.box_targets, huber_delta=objective.huber_delta
    )
    box_losses = distance * targets.box_weights
    if objective.mining is not None:
        decoded = box_coder.decode(outputs["box_encodings"], anchors, ops, scales)
        hard = _hard(objective, objective.mining, classes, box_losses, decoded, targets, suppress)
        classes, box_losses = classes * hard, box_losses * hard
    share = (
        ops.maximum(ops.sum(targets.box_weights), 1.0)
        if objective.normalize_by_num_matches
        else 1.0
    )
    coordinates = 4.0 if objective.normalize_by_code_size else 1.0
    class_loss = objective.class_weight * ops.sum(classes) / share
    box_loss = objective.box_weight * ops.sum(box_losses) / (share * coordinates)
    return Loss(class_loss + box_loss, class_loss, box_loss)


def _verified_columns(verified: Any, targets: Targets, columns: int) -> Any:
    """`(B, 1, C)`: 1 for columns of logits that an image trains; `(B, A, 1 + C)` with a background
    column."""
    each = verified[:, None]
    if columns == verified.shape[-1]:
        return each
    every = ops.min(verified, axis=-1)[:, None]
    background = ops.where(targets.match == BACKGROUND, every, 1.0)[..., None]
    each = ops.broadcast_to(each, (*background.shape[:2], verified.shape[-1]))
    return ops.concatenate([background, each], axis=-1)


def _quality(
    encodings: Any, targets: Targets, objects: int, anchors: Any, scales: box_coder.Scales
) -> Any:
    """`(B, A, 1)`: the IoU of each anchor's box with the labeled one, relative to the best IoU of
    any anchor for that object. It has no gradient."""
    found, labeled = (
        box_coder.decode(each, anchors, ops, scales) for each in (encodings, targets.box_targets)
    )
    overlap = iou_of_pairs(found, labeled)
    answering = targets.match[:, None] == ops.arange(objects, dtype="int32")[:, None]  # (B, G, A)
    best = ops.max(ops.where(answering, overlap[:, None], 0.0), axis=2)
    best = ops.take_along_axis(best, ops.maximum(targets.match, 0), axis=1)
    return ops.stop_gradient(overlap / ops.maximum(best, 1e-6))[..., None]


def _hard(
    objective: Objective,
    mining: Mining,
    classes: Any,
    box_losses: Any,
    decoded: Any,
    targets: Targets,
    suppress: Suppress,
) -> Any:
    ranking = {
        "classes": classes,
        "boxes": box_losses,
        "both": objective.class_weight * classes + objective.box_weight * box_losses,
    }
    return hard_examples(
        ranking[mining.by],
        decoded,
        targets.match,
        suppress,
        max_anchors=mining.max_anchors,
        iou_threshold=mining.iou_threshold,
        negatives_per_positive=mining.negatives_per_positive,
        min_negatives=mining.min_negatives,
    )
