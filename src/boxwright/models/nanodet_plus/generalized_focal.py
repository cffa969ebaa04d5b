"""The parts of generalized focal loss, elementwise.

Source: Li et al. 2020, "Generalized Focal Loss", equations 4 and 6.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops


def quality_focal(logits: Any, quality: Any, gamma: float = 2.0) -> Any:
    """Cross entropy with targets in [0, 1], weighted by the distance to the target to the power of
    `gamma`; same shape as `logits`."""
    distance = ops.abs(quality - ops.sigmoid(logits))
    return distance**gamma * cross_entropy(logits, quality)


def cross_entropy(logits: Any, targets: Any) -> Any:
    """`-t log(p) - (1 - t) log(1 - p)` with `p = sigmoid(logits)`."""
    return ops.relu(logits) - logits * targets + ops.softplus(-ops.abs(logits))


def distribution_focal(logits: Any, targets: Any) -> Any:
    """Cross entropy between bins and a target between two of them: `(..., bins)` and `(...)`, in
    bins, give `(...)`."""
    bins = ops.arange(logits.shape[-1], dtype="float32")
    shares = ops.relu(1 - ops.abs(targets[..., None] - bins))
    return -ops.sum(shares * ops.log_softmax(logits, axis=-1), axis=-1)
