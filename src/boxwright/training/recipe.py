"""The recipe: every decision of a training run, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from boxwright.data.dataset import Dataset
from boxwright.data.geometry import area

PRETRAINED_SIZE = 300
SMALLER_SIZE = 224
LARGE_OBJECT = 64  # pixels: at this side an object covers several cells of the finest map
DICE = 10  # random numbers in [0, 1) that augmentation takes per photo
CACHE_MARGIN = 4 / 3  # room for windows that enlarge
UNTIL_STOPPED = 20 * 60.0  # seconds, where no budget is given


@dataclass(frozen=True)
class Augmentation:
    """How far augmentation goes.

    Attributes:
        window: smallest and largest side of the window, as a fraction of the photo; above 1 the
            photo becomes smaller on a grey ground.
        aspect: largest change of the aspect ratio, as a logarithm.
        whole: probability of the whole photo instead of a window.
        contrast, saturation: largest relative change; brightness: largest shift of [0, 1].
        visible: a box stays an object if at least this part of it is in the window.
        uncertain: below `visible` but above this, its anchors count neither way.
    """

    window: tuple[float, float] = (0.4, 1.3)
    aspect: float = 0.25
    whole: float = 0.15
    contrast: float = 0.25
    brightness: float = 0.15
    saturation: float = 0.3
    visible: float = 0.4
    uncertain: float = 0.1


# From scratch a network is far from knowing its photos by heart; harder ones only slow it down.
GENTLE = Augmentation(
    window=(0.8, 1.05), aspect=0.1, whole=0.2, contrast=0.1, brightness=0.05, saturation=0.1
)


@dataclass(frozen=True)
class Recipe:
    """How a detector is trained.

    Attributes:
        input_size: side of the network's input, pixels.
        depth_multiplier: of the network's filters; None takes the pretrained weights' own.
        batch_size: photos per step.
        learning_rate: of Adam, at its highest.
        warmup_steps: steps in which the rate rises to it; then it falls along a cosine.
        frozen_through: backbone blocks up to this one keep their weights; -1 trains all.
        train_depthwise: whether depthwise kernels train.
        train_norm: whether batch norm uses the batch's statistics; else it is folded.
        class_weight: how much the class loss counts beside the box loss.
        average: decay of the exponential moving average of the weights.
        augmentation: how far it goes.
        cache_side: side of the cached photos, pixels.
        seconds: the budget, None when `steps` counts instead.
        steps: how many steps, None when the budget decides.
        seed: of everything random.
        reasons: why each field is what it is.
    """

    input_size: int
    depth_multiplier: float | None = None
    batch_size: int = 16
    learning_rate: float = 1e-3
    warmup_steps: int = 20
    frozen_through: int = 5
    train_depthwise: bool = False
    train_norm: bool = False
    class_weight: float = 1.0
    average: float = 0.99
    augmentation: Augmentation = field(default_factory=Augmentation)
    cache_side: int = 400
    seconds: float | None = None
    steps: int | None = None
    seed: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False)

    def explained(self) -> list[str]:
        """One line per decision that has a reason."""
        return [f"{name} {getattr(self, name)}: {why}" for name, why in self.reasons.items()]

    def to_json(self) -> dict[str, Any]:
        plain = {k: v for k, v in vars(self).items() if k not in {"augmentation", "reasons"}}
        plain["augmentation"] = dict(vars(self.augmentation))
        return {**plain, "reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        limits = dict(value["augmentation"])
        limits["window"] = tuple(limits["window"])
        return cls(**{**value, "augmentation": Augmentation(**limits)})


def recipe_for(
    train: Dataset,
    *,
    pretrained: bool,
    seconds: float | None = None,
    steps: int | None = None,
    input_size: int | None = None,
    depth_multiplier: float | None = None,
    seed: int = 0,
) -> Recipe:
    """Decide how to train on these photos.

    Args:
        train: the photos to train on.
        pretrained: whether training starts from pretrained weights.
        seconds, steps: the budget, in one or the other.
        input_size, depth_multiplier: what the user insists on.
        seed: of everything random.
    """
    reasons = {}
    if input_size is not None:
        size = input_size
        reasons["input_size"] = "asked for"
    else:
        size, reasons["input_size"] = _input_size(train)
    recipe = Recipe(
        input_size=size,
        depth_multiplier=depth_multiplier,
        cache_side=int(np.ceil(size * CACHE_MARGIN)),
        seconds=seconds if steps is None else None,
        steps=steps,
        seed=seed,
    )
    if pretrained:
        reasons["frozen_through"] = "edges and textures are already known; twice the speed"
        reasons["train_norm"] = "a folded batch norm costs nothing and small batches would blur it"
        return replace(recipe, reasons=reasons)
    reasons["frozen_through"] = "from scratch, everything has to be learnt"
    reasons["train_norm"] = "from scratch, statistics have to be found"
    reasons["class_weight"] = "from scratch, the classes' gradients drown in those of the boxes"
    return replace(
        recipe,
        frozen_through=-1,
        train_depthwise=True,
        train_norm=True,
        learning_rate=1e-2,
        warmup_steps=50,
        class_weight=4.0,
        augmentation=GENTLE,
        reasons=reasons,
    )


def _input_size(train: Dataset) -> tuple[int, str]:
    """224 px where nine of ten objects stay large even then, else the pretrained 300."""
    sizes = train.sizes[train.photo_of_box].astype(np.float64)
    relative = np.sqrt(area(train.boxes) / (sizes[:, 0] * sizes[:, 1]))
    small = float(np.quantile(relative, 0.1))
    for size in (SMALLER_SIZE, PRETRAINED_SIZE):
        if small * size >= LARGE_OBJECT:
            return size, f"nine of ten objects are larger than {small * size:.0f} px then"
    return PRETRAINED_SIZE, (
        f"the pretrained network's; one object in ten is below {small * PRETRAINED_SIZE:.0f} px"
    )
