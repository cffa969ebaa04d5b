"""Boxes that an SSD can learn: those with an IoU of at least 0.5 with an anchor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.stats import PRETRAINED_SIZE, Reach
from boxwright.ops.anchors import AnchorSpec, grid_anchors, map_sides
from boxwright.parallel.cores import on_all_cores

Fractions = NDArray[np.float32]
BLOCK = 1 << 12  # boxes at once, which fit into the processor's cache


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
    shapes, start = [], 0
    for side, count in zip(grids, spec.per_location(len(grids)), strict=True):
        first = anchors[start : start + count]
        shapes.append((side, (first[:, 2:] - first[:, :2])[:, ::-1] / np.float32(2)))
        start += side * side * count
    blocks = [boxes[i : i + BLOCK].T.reshape(2, 2, -1) for i in range(0, len(boxes), BLOCK)]
    best = on_all_cores(lambda block: _best_overlap(block, shapes), blocks)
    return np.concatenate([*best, np.zeros(0, np.float32)])


def _best_overlap(boxes: Fractions, maps: Sequence[tuple[int, Fractions]]) -> Fractions:
    """`(m,)` as `anchor_overlap`.

    Args:
        boxes: `(2, 2, m)`, the corners' x and y.
        maps: side in cells of each map, and half the width and height of its anchors, `(n, 2)`.
    """
    low, high = boxes
    centers, area = (high + low) / 2, _product(high - low)
    best = np.zeros(boxes.shape[-1], np.float32)
    for side, halves in maps:
        nearest = (np.clip(np.floor(centers * side), 0, side - 1) + np.float32(0.5)) / side
        first, last = nearest - halves[:, :, None], nearest + halves[:, :, None]
        anchor_area = _product(last - first)
        last = np.minimum(last, high, out=last)
        last -= np.maximum(first, low, out=first)
        shared = _product(np.maximum(last, 0, out=last))
        anchor_area += area
        anchor_area -= shared
        shared /= anchor_area
        np.maximum(best, shared.max(axis=0), out=best)
    return best


def _product(sides: Fractions) -> Fractions:
    """The products of sides `(..., 2, m)`, `(..., m)`; many times as fast as NumPy's."""
    return sides[..., 0, :] * sides[..., 1, :]


REACH = Reach(anchor_overlap, "have an IoU below 0.5 with every anchor")
