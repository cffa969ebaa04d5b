"""The parts of a recipe, and how they are written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, get_args

from boxwright.augment.transforms import CropLimits, Transform
from boxwright.training.learning_rates import LearningRate
from boxwright.training.optimizers import Averaging, Optimiser


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
    """Which anchors answer for a labelled box: those whose IoU with it is at least `matched`, and,
    where boxes `force`, the best anchor of each. Anchors below `unmatched` are background.

    Between the two an anchor counts neither way if `ignore_between`; else it is background, and
    those below `unmatched` count neither way.
    """

    matched: float = 0.5
    unmatched: float = 0.5
    ignore_between: bool = True
    force: bool = True


Ranking = Literal["classes", "boxes", "both"]


@dataclass(frozen=True)
class Mining:
    """Hard example mining: see `models.mining`.

    Attributes:
        by: which loss ranks the anchors.
        most: how many anchors of a photo take part at most; None for all.
        iou_threshold: an anchor goes if its box overlaps a worse one's by more than this.
        negatives_per_positive: so many background anchors stay for each with an object; None
            for all.
        fewest_negatives: so many stay in any case.
    """

    by: Ranking = "both"
    most: int | None = 64
    iou_threshold: float = 0.7
    negatives_per_positive: float | None = None
    fewest_negatives: int = 0


@dataclass(frozen=True)
class Objective:
    """What training lowers.

    Attributes:
        focus: the loss of the classes; None for plain cross entropy.
        background: what the background column should say of an anchor without an object, 1 or 0;
            None if the network has no such column.
        delta: where the box loss turns from a square to a line.
        matching: which anchors answer for a box.
        mining: which anchors take part; None for all.
        class_weight, box_weight: how much the two losses count.
        per_match: whether they are divided by the number of anchors with an object.
        per_coordinate: whether the box loss is divided by 4 too.
    """

    focus: Focal | Varifocal | None = field(default_factory=Focal)
    background: float | None = None
    delta: float = 1.0
    matching: Matching = field(default_factory=Matching)
    mining: Mining | None = None
    class_weight: float = 1.0
    box_weight: float = 1.0
    per_match: bool = True
    per_coordinate: bool = False


@dataclass(frozen=True)
class ByPart:
    """A number for each part of the network: the backbone, the extra feature maps on top of it,
    and the heads; another one for the backbone's depthwise convolutions where that is not None."""

    backbone: float = 0.0
    extras: float = 0.0
    heads: float = 0.0
    depthwise: float | None = None


@dataclass(frozen=True)
class Quantisation:
    """Training for a file of 8 bits: see `models.layers.quantized`.

    Attributes:
        delay: the step from which training rounds; until then it only watches the ranges.
        weight_bits, activation_bits: of a number of a kernel, and of a feature map.
        by_channel: whether each channel of a kernel has a range of its own.
    """

    delay: int = 0
    weight_bits: int = 8
    activation_bits: int = 8
    by_channel: bool = False


KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *get_args(Optimiser), *get_args(LearningRate), *get_args(Transform),
        Averaging, ByPart, CropLimits, Focal, Matching, Mining, Objective, Quantisation, Varifocal,
    )
}  # fmt: skip


def plain(value: Any) -> Any:
    """A part as JSON has it: an object with its fields and its `kind`."""
    if is_dataclass(value):
        own = {item.name: plain(getattr(value, item.name)) for item in fields(value)}
        return {"kind": type(value).__name__, **own}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def part(value: Any) -> Any:
    """The inverse of `plain`."""
    if isinstance(value, Mapping) and "kind" in value:
        return KINDS[value["kind"]](**{k: part(v) for k, v in value.items() if k != "kind"})
    return tuple(part(item) for item in value) if isinstance(value, list) else value
