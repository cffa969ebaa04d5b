"""Losses of a single-shot detector, one value per anchor.

Source: the Object Detection API's `losses.py`; Lin et al. 2017, "Focal Loss for Dense Object
Detection", equation 5; Zhang et al. 2021, "VarifocalNet", equation 2; Girshick 2015, "Fast R-CNN",
equation 3 for smooth L1.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops


def sigmoid_cross_entropy(logits: Any, targets: Any) -> Any:
    """`-t log(p) - (1 - t) log(1 - p)` with `p = sigmoid(logits)`, same shape as `logits`."""
    return ops.maximum(logits, 0.0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def sigmoid_focal(
    logits: Any, targets: Any, *, alpha: float | None = 0.25, gamma: float = 2.0
) -> Any:
    """Cross entropy, turned down where the answer is already right; same shape as `logits`."""
    probability = ops.sigmoid(logits)
    wrongness = targets * (1 - probability) + (1 - targets) * probability
    balance = 1.0 if alpha is None else targets * alpha + (1 - targets) * (1 - alpha)
    return balance * wrongness**gamma * sigmoid_cross_entropy(logits, targets)


def varifocal(logits: Any, targets: Any, *, alpha: float = 0.75, gamma: float = 2.0) -> Any:
    """Cross entropy with targets between 0 and 1, an object's weighed by its target, background's
    turned down where the answer is already right; same shape as `logits`."""
    background = alpha * ops.sigmoid(logits) ** gamma
    weights = ops.where(targets > 0, targets, background)
    return weights * sigmoid_cross_entropy(logits, targets)


def smooth_l1(encodings: Any, targets: Any, *, delta: float = 1.0) -> Any:
    """Huber's loss summed over the four coordinates: `(..., 4)` gives `(...)`."""
    distance = ops.abs(encodings - targets)
    quadratic = ops.minimum(distance, delta)
    return ops.sum(0.5 * quadratic**2 + delta * (distance - quadratic), axis=-1)
