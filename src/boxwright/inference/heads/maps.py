"""Heads that are recognized so that people know what they have, but not run."""

from __future__ import annotations

from boxwright.inference.heads.grids import STRIDES
from boxwright.inference.heads.head import Facts, Head

ENCODED = "encoded on each feature map"
DETR = {"labels", "boxes", "scores"}


def recognize(facts: Facts) -> Head | None:
    """The heads that are feature maps, one or more a stride, or a DETR's labels, boxes, scores."""
    names = {each.name for each in facts.outputs}
    if names == DETR:
        boxes = "xmin, ymin, xmax, ymax, in pixels of the size that is its second input"
        return Head("DETR with decoding inside (RT-DETR, D-FINE, DEIM)", boxes, ids="from 0")
    maps = [each.shape[1:] for _, each in facts.of_rank(4)]
    maps += [each.shape[1:3] for _, each in facts.of_rank(5)]
    for strides in STRIDES:
        sides = [-(-facts.side // stride) for stride in strides]
        if len(maps) >= len(sides) and all(
            any(shape.count(side) >= 2 for shape in maps) for side in sides
        ):
            listed = ", ".join(map(str, strides))
            return Head(f"feature maps of the strides {listed}, as of YOLO and others", ENCODED)
    return None
