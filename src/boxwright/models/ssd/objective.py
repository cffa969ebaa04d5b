"""What training an SSD lowers, as a recipe has it; what it computes is in `losses`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Focal:
    """The focal loss (Lin et al. 2017): `alpha` None leaves objects and background unbalanced."""

    alpha: float | None = 0.25
    gamma: float = 2.0


@dataclass(frozen=True)
class Varifocal:
    """The varifocal loss (Zhang et al. 2021), targets normalised (Feng et al. 2021, "TOOD", 3.3):
    of the anchors that answer for an object, the one whose box lies best should score 1, and the
    others less in proportion to their IoU with the labelled box, so that non-maximum suppression
    keeps the best. `alpha` and `gamma` are of the anchors without an object."""

    alpha: float = 0.75
    gamma: float = 2.0


@dataclass(frozen=True)
class Matching:
    """Which anchors answer for a labelled box: those whose IoU with it is at least
    `positive_iou`, and, with `force_match`, the best anchor of each box. Anchors below
    `negative_iou` are background.

    Between the two an anchor counts neither way if `ignore_between`; else it is background, and
    those below `negative_iou` count neither way.
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
        by: which loss ranks the anchors.
        max_anchors: how many anchors of a photo take part at most; None for all.
        iou_threshold: an anchor goes if its box overlaps a worse one's by more than this.
        negatives_per_positive: so many background anchors stay for each with an object; None
            for all.
        min_negatives: so many stay in any case.
    """

    by: Ranking = "both"
    max_anchors: int | None = 64
    iou_threshold: float = 0.7
    negatives_per_positive: float | None = None
    min_negatives: int = 0


@dataclass(frozen=True)
class Objective:
    """What training lowers.

    Attributes:
        classification_loss: the loss of the classes; None for plain cross entropy.
        background: what the background column should say of an anchor without an object, 1 or 0;
            None if the network has no such column.
        huber_delta: where the box loss turns from a square to a line.
        matching: which anchors answer for a box.
        mining: which anchors take part; None for all.
        class_weight, box_weight: how much the two losses count.
        normalize_by_num_matches: whether they are divided by the number of anchors with an object.
        normalize_by_code_size: whether the box loss is divided by 4 too.
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
