"""A recipe in words: the meaning of its fields and the reasons for their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, NamedTuple

from boxwright.training.recipe import Recipe
from boxwright.training.setting_values import NONE, snake_case
from boxwright.training.settings import AUGMENTATION, value_at

CROP, FLIP, COLOR = (
    f"{AUGMENTATION}.{name}" for name in ("crop_around_object", "horizontal_flip", "color_mix")
)


class Line(NamedTuple):
    """A field of a recipe.

    Attributes:
        path: the field's path.
        value: as `--set` takes it.
        meaning: its effect, in words.
        reason: the reason for the value; empty for the usual value.
    """

    path: str
    value: str
    meaning: str
    reason: str

    def __str__(self) -> str:
        return f"{self.meaning}: {self.reason}" if self.reason else self.meaning


def explained(recipe: Recipe) -> list[Line]:
    """Return lines for the commonly set fields and for all others that have a reason.

    Fields without a value, such as those of a missing part or transform, have no line.
    """
    lines = [
        Line(path, shown(value), _meaning(path, value), _reason(recipe, path))
        for path in dict.fromkeys([*_MEANINGS, *recipe.reasons])
        if (value := value_at(recipe, path)) is not None or path in recipe.reasons
    ]
    if recipe.seconds is None and recipe.steps is None:
        lines.insert(
            1, Line("seconds", NONE, "training ends when the validation AP stops rising", "")
        )
    return lines


def shown(value: Any) -> str:
    """Return a value of a recipe as `--set` takes it."""
    if value is None or value == ():
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(shown(item) for item in value)
    if is_dataclass(value):
        return snake_case(type(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _meaning(path: str, value: Any) -> str:
    if path in _MEANINGS and value is not None:
        return _MEANINGS[path](value)
    words = path.removeprefix(f"{AUGMENTATION}.").replace("_", " ").replace(".", " ")
    return f"no {words}" if value is None else f"{words} {shown(value)}"


def _reason(recipe: Recipe, path: str) -> str:
    """Return the reason of the field, or of the part that contains it."""
    while path not in recipe.reasons and "." in path:
        path = path.rpartition(".")[0]
    return recipe.reasons.get(path, "")


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"


def _either(yes: str, no: str) -> Callable[[bool], str]:
    return lambda value: yes if value else no


# The meaning of each, most important first.
_MEANINGS: Mapping[str, Callable[[Any], str]] = {
    "input_size": lambda side: f"the input size is {side} x {side} pixels",
    "tile": lambda sides: f"images are cut into tiles of {sides[1]} x {sides[0]} pixels",
    "depth_multiplier": lambda factor: f"the network has {factor:g} times the published filters",
    "seconds": lambda seconds: f"training takes {seconds:g} seconds",
    "steps": lambda steps: f"training takes {steps:,} steps",
    "batch_size": lambda images: f"{images} images per step",
    "optimizer": lambda kind: f"the optimizer is {type(kind).__name__}",
    "learning_rate": lambda kind: f"the learning rate schedule is {type(kind).__name__}",
    "learning_rate.peak": lambda rate: f"the peak learning rate is {rate:g}",
    "learning_rate.rate": lambda rate: f"the learning rate is constant at {rate:g}",
    "learning_rate.warmup_steps": lambda steps: f"the learning rate warms up for {steps} steps",
    "frozen_through": lambda block: (
        "the whole backbone is trained"
        if block < 0
        else f"blocks 0 to {block} of the backbone are frozen"
    ),
    "train_depthwise": _either(
        "depthwise convolutions are trained", "depthwise convolutions are frozen"
    ),
    "train_norm": _either("batch norm uses batch statistics", "batch norm statistics are frozen"),
    "averaging.decay": lambda decay: f"the kept weights are a moving average with decay {decay}",
    "class_head_init": _either(
        "new classes are initialized from the best-matching pretrained classes",
        "new classes start untrained",
    ),
    f"{CROP}.side": lambda side: (
        f"crops have {_percent(side[0])} to {_percent(side[1])} of the image's side"
    ),
    f"{CROP}.full_image": lambda part: f"{_percent(part)} of images are not cropped",
    f"{FLIP}.probability": lambda part: f"{_percent(part)} of images are flipped horizontally",
    f"{COLOR}.contrast": lambda part: f"contrast changes by up to {_percent(part)}",
    f"{COLOR}.brightness": lambda part: f"brightness changes by up to {_percent(part)}",
    f"{COLOR}.saturation": lambda part: f"saturation changes by up to {_percent(part)}",
    "rare_below": lambda part: (
        f"classes in fewer than {_percent(part)} of the images are oversampled"
        if part
        else "rare classes are not oversampled"
    ),
    "held_out": lambda part: (
        f"{_percent(part)} of the images are the validation set"
        if part
        else "no images are held out for validation"
    ),
    "max_images": lambda images: f"at most {images:,} images are read",
    "cache_side": lambda side: f"images are cached at {side} x {side} pixels",
    "objective.class_weight": lambda weight: f"the class loss is multiplied by {weight:g}",
    "quantization": lambda _: "quantization-aware training (QAT)",
    "deterministic": _either(
        "training is reproducible to the last bit", "training is not reproducible to the last bit"
    ),
    "seed": lambda seed: f"the random seed is {seed}",
}
