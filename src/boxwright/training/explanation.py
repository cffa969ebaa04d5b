"""A recipe in words: what its fields mean for a person who trains, and why they are so."""

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
        path: of the field.
        value: as `--set` takes it.
        meaning: what it does, in words.
        reason: why it is so; empty if that is the usual value.
    """

    path: str
    value: str
    meaning: str
    reason: str

    def __str__(self) -> str:
        return f"{self.meaning}: {self.reason}" if self.reason else self.meaning


def explained(recipe: Recipe) -> list[Line]:
    """The fields that most people may want to set, and others that have a reason.

    A field that is none, such as one of a part or transform that is not there, has no line.
    """
    lines = [
        Line(path, shown(value), _meaning(path, value), _reason(recipe, path))
        for path in dict.fromkeys([*_MEANINGS, *recipe.reasons])
        if (value := value_at(recipe, path)) is not None or path in recipe.reasons
    ]
    if recipe.seconds is None and recipe.steps is None:
        lines.insert(1, Line("seconds", NONE, "training ends when the AP stops rising", ""))
    return lines


def shown(value: Any) -> str:
    """A value of a recipe as `--set` takes it."""
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
    """That of the field, or of a part that it is in."""
    while path not in recipe.reasons and "." in path:
        path = path.rpartition(".")[0]
    return recipe.reasons.get(path, "")


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"


def _either(yes: str, no: str) -> Callable[[bool], str]:
    return lambda value: yes if value else no


# What each means, the weightiest first.
_MEANINGS: Mapping[str, Callable[[Any], str]] = {
    "input_size": lambda side: f"images of {side} x {side} pixels go into the network",
    "depth_multiplier": lambda factor: f"{factor:g} times as many filters as published",
    "seconds": lambda seconds: f"training takes {seconds:g} seconds",
    "steps": lambda steps: f"training takes {steps:,} steps",
    "batch_size": lambda images: f"{images} images a step",
    "optimizer": lambda kind: f"the optimizer is {type(kind).__name__}",
    "learning_rate": lambda kind: f"the learning rate follows {type(kind).__name__}",
    "learning_rate.peak": lambda rate: f"the learning rate is {rate:g} at its peak",
    "learning_rate.rate": lambda rate: f"the learning rate is {rate:g} at every step",
    "learning_rate.warmup_steps": lambda steps: f"the learning rate rises for {steps} steps",
    "frozen_through": lambda block: (
        "all of the backbone trains"
        if block < 0
        else f"blocks 0 to {block} of the backbone keep their pretrained weights"
    ),
    "train_depthwise": _either(
        "depthwise convolutions train too", "depthwise convolutions keep their weights"
    ),
    "train_norm": _either(
        "batch norm uses the statistics of each batch", "batch norm keeps its statistics"
    ),
    "averaging.decay": lambda decay: f"weights are kept as a moving average that decays by {decay}",
    "class_head_init": _either(
        "new classes start from the pretrained classes that fit best", "new classes start from zero"
    ),
    f"{CROP}.side": lambda side: (
        f"crops have {_percent(side[0])} to {_percent(side[1])} of an image's sides"
    ),
    f"{CROP}.full_image": lambda part: f"{_percent(part)} of images are not cropped",
    f"{FLIP}.probability": lambda part: f"{_percent(part)} of images are flipped left to right",
    f"{COLOR}.contrast": lambda part: f"contrast changes by up to {_percent(part)}",
    f"{COLOR}.brightness": lambda part: f"brightness changes by up to {_percent(part)}",
    f"{COLOR}.saturation": lambda part: f"saturation changes by up to {_percent(part)}",
    "rare_below": lambda part: (
        f"images of classes that fewer than {_percent(part)} of images show come more often"
        if part
        else "images of rare classes come as often as others"
    ),
    "held_out": lambda part: (
        f"{_percent(part)} of the images are held out for validation"
        if part
        else "no image is held out for validation"
    ),
    "max_images": lambda images: f"at most {images:,} images are read",
    "cache_side": lambda side: f"images are kept in memory at {side} x {side} pixels",
    "objective.class_weight": lambda weight: f"the class loss is multiplied by {weight:g}",
    "quantization": lambda _: "weights and feature maps are rounded to 8 bits while training",
    "deterministic": _either(
        "the same steps give the same weights, to the last bit", "steps may differ in the last bits"
    ),
    "seed": lambda seed: f"random numbers come from seed {seed}",
}
