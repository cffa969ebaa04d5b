"""The training objective of an SSD in a recipe; `losses` computes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Focal:
    """The focal loss (Lin et al. 2017): `alpha` None for no class balancing."""

    alpha: float | None = 0.25
    gamma: float = 2.0


@dataclass(frozen=True)
class Varifocal:
    """The varifocal loss (Zhang et al. 2021), targets normalized (Feng et al. 2021, "TOOD", 3.3):
    of the positive anchors of an object, the one with the best box has the target score 1, the
    others less in proportion to their IoU with the labeled box, so that NMS keeps the best. `alpha`
    and `gamma` apply to negative anchors."""

    alpha: float = 0.75
    gamma: float = 2.0


@dataclass(frozen=True)
class Matching:
    """Assignment of anchors to labeled boxes. Anchors with an IoU of at least `positive_iou` are
    positive, and with `force_match` also the best anchor of each box. Anchors below `negative_iou`
    are background.

    Anchors between the two are ignored if `ignore_between`; else they are background, and those
    below `negative_iou` are ignored.
    """

    positive_iou: float = 0.5
    negative_iou: float = 0.5
    ignore_between: bool = True
    force_match: bool = True


Ranking = Literal["classes", "boxes", "both"]


@dataclass(frozen=True)
class Mining:
    """Hard example mining: see `mining`.

    Attributes:
        by: the loss that ranks the anchors.
        max_anchors: largest number of anchors per image; None for all.
        iou_threshold: an anchor is dropped if its box overlaps that of an anchor with a larger loss
            by more than this.
        negatives_per_positive: number of background anchors per positive one; None for all.
        min_negatives: smallest number of background anchors.
    """

    by: Ranking = "both"
    max_anchors: int | None = 64
    iou_threshold: float = 0.7
    negatives_per_positive: float | None = None
    min_negatives: int = 0


@dataclass(frozen=True)
class Objective:
    """The training objective.

    Attributes:
        classification_loss: the classification loss; None for cross entropy.
        background: target of the background column for a negative anchor, 1 or 0; None if the
            network has no such column.
        huber_delta: transition of the box loss from quadratic to linear.
        matching: assignment of anchors to boxes.
        mining: hard example mining; None for all anchors.
        class_weight, box_weight: weights of the two losses.
        normalize_by_num_matches: True to divide both by the number of positive anchors.
        normalize_by_code_size: True to also divide the box loss by 4.
    """

    classification_loss: Focal | Varifocal | None = field(default_factory=Focal)
    background: float | None = None
    huber_delta: float = 1.0
    matching: Matching = field(default_factory=Matching)
    mining: Mining | None = None
    class_weight: float = 1.0
    box_weight: float = 1.0
    normalize_by_num_matches: bool = True
    normalize_by_code_size: bool = False


OBJECTIVE_CLASSES = (Focal, Matching, Mining, Objective, Varifocal)
