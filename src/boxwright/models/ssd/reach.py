"""Boxes that an SSD can learn: those with an IoU of at least 0.5 with an anchor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.stats import PRETRAINED_SIZE, Reach
from boxwright.ops.anchors import AnchorSpec, grid_anchors, map_sides
from boxwright.ops.boxes import iou_of_pairs

Fractions = NDArray[np.float32]


def anchor_overlap(boxes: Fractions, input_size: int) -> Fractions:
    """`(M,)` intersection over union of each box with the anchor that fits it best.

    Of the anchors of one shape the one with the nearest center overlaps a box most, so only that
    one is evaluated. Anchors have the size in pixels of the published network.

    Args:
        boxes: `(M, 4)` xyxy as fractions of the image's sides.
        input_size: side of the network's input in pixels.
    """
    spec = AnchorSpec(scale_factor=PRETRAINED_SIZE / input_size)
    grids = map_sides(input_size)
    anchors = grid_anchors(spec, input_size)
    centers = (boxes[:, 2:] + boxes[:, :2]) / 2
    best = np.zeros(len(boxes), np.float32)
    start = 0
    for side, count in zip(grids, spec.per_location(len(grids)), strict=True):
        nearest = (np.clip(np.floor(centers * side), 0, side - 1) + 0.5) / side
        for ymin, xmin, ymax, xmax in anchors[start : start + count]:
            half = np.array([xmax - xmin, ymax - ymin], np.float32) / 2
            anchor = np.concatenate([nearest - half, nearest + half], axis=1)
            best = np.maximum(best, iou_of_pairs(boxes, anchor))
        start += side * side * count
    return best.astype(np.float32)


REACH = Reach(anchor_overlap, "have an IoU below 0.5 with every anchor")
