"""The box coder: a box as its offset from an anchor, and back.

Source: the Object Detection API's `faster_rcnn_box_coder`, after Ren et al., "Faster R-CNN",
section 3.1.2, equation 2. The functions use only arithmetic and `xp`, the array module
(`numpy` or `keras.ops`), so training, evaluation and exports share them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scales = tuple[float, float, float, float]
SCALES: Scales = (
    10.0,
    10.0,
    5.0,
    5.0,
)  # y, x, height, width: units per anchor size
EPSILON = 1e-8  # keeps the logarithm finite for a box or an anchor without area


def encode(boxes: Any, anchors: Any, xp: Any = np, scales: Scales = SCALES) -> Any:
    """Boxes relative to anchors, `[ty, tx, th, tw]` times `scales`.

    Args:
        boxes, anchors: `(..., 4)` normalized `[ymin, xmin, ymax, xmax]`; they broadcast.
        xp: the array module that both belong to.
        scales: units per anchor size.
    """
    y, x, height, width = _center_and_size(boxes)
    anchor_y, anchor_x, anchor_height, anchor_width = _center_and_size(anchors)
    height, width = height + EPSILON, width + EPSILON
    anchor_height, anchor_width = anchor_height + EPSILON, anchor_width + EPSILON
    codes = [
        (y - anchor_y) / anchor_height * scales[0],
        (x - anchor_x) / anchor_width * scales[1],
        xp.log(height / anchor_height) * scales[2],
        xp.log(width / anchor_width) * scales[3],
    ]
    return xp.stack(codes, axis=-1)


def decode(
    encodings: Any,
    anchors: Any,
    xp: Any = np,
    scales: Scales = SCALES,
) -> Any:
    """The inverse of `encode`: `(..., 4)` normalized `[ymin, xmin, ymax, xmax]`, not clipped.

    Args:
        scales: the ones used in `encode`.
    """
    anchor_y, anchor_x, anchor_height, anchor_width = _center_and_size(anchors)
    y = encodings[..., 0] / scales[0] * anchor_height + anchor_y
    x = encodings[..., 1] / scales[1] * anchor_width + anchor_x
    half_height = xp.exp(encodings[..., 2] / scales[2]) * anchor_height / 2
    half_width = xp.exp(encodings[..., 3] / scales[3]) * anchor_width / 2
    return xp.stack([y - half_height, x - half_width, y + half_height, x + half_width], axis=-1)


def centered(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes `(A, 4)` yxyx as center y, center x, height, width, TFLite's format of anchors."""
    near, far = boxes[:, :2], boxes[:, 2:]
    converted: NDArray[np.float32] = np.concatenate([(near + far) / 2, far - near], axis=1)
    return converted


def _center_and_size(boxes: Any) -> tuple[Any, Any, Any, Any]:
    ymin, xmin, ymax, xmax = (boxes[..., side] for side in range(4))
    height, width = ymax - ymin, xmax - xmin
    return ymin + height / 2, xmin + width / 2, height, width
