"""The training objective of a NanoDet-Plus in a recipe; `losses` computes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """The training objective.

    Attributes:
        max_cells: largest number of cells that answer for an object.
        iou_cost: weight of the overlap beside the class in the choice of those cells.
        center_radius: strides from an object's center from which cells are chosen reluctantly.
        quality_gamma: exponent of the quality focal loss.
        class_weight, box_weight, side_weight: weights of the quality focal loss, the GIoU loss and
            the distribution focal loss.
    """

    max_cells: int = 13
    iou_cost: float = 3.0
    center_radius: float = 3.0
    quality_gamma: float = 2.0
    class_weight: float = 1.0
    box_weight: float = 2.0
    side_weight: float = 0.25
