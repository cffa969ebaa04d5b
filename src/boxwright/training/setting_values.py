"""Values of settings: converted from text by the field's annotation, and checked for limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from boxwright.errors import TrainingError
from boxwright.training.budget import SHORTEST

Limits = tuple[float, float]

NONE = "none"
WORDS = {"yes": True, "true": True, "on": True, "1": True}
WORDS |= {"no": False, "false": False, "off": False, "0": False}

ANY, PART, FACTOR, COUNT = (0.0, math.inf), (0.0, 1.0), (0.0, 100.0), (1.0, math.inf)
BELOW_1 = (0.0, 0.999999)  # for decays: at 1 nothing would ever change
RATE = (1e-9, 10.0)
# By field, or by class and field where classes differ; applies to each number of a tuple.
LIMITS: Mapping[str, Limits] = {
    "input_size": (64, 1024),
    "depth_multiplier": (0.1, 2.0),
    "tile": (64, 16384),
    "batch_size": (1, 1024),
    "clip_norm": (1e-6, math.inf),
    "bias_gradients": FACTOR,
    "frozen_through": (-1, 17),
    "cache_side": (64, 2048),
    "rare_below": PART,
    "max_images": COUNT,
    "held_out": (0.0, 0.9),
    "seconds": (SHORTEST, math.inf),
    "steps": COUNT,
    "seed": (0, 2**32 - 1),
    # Numbers by part of the network.
    "backbone": PART,
    "extras": PART,
    "heads": PART,
    "depthwise": PART,
    # Optimizers, averages, learning rates.
    "beta_1": BELOW_1,
    "beta_2": BELOW_1,
    "epsilon": (1e-12, 1.0),
    "decay": BELOW_1,
    "momentum": BELOW_1,
    "peak": RATE,
    "rate": RATE,
    "rates": RATE,
    "initial": RATE,
    "factor": (1e-6, 1.0),
    "burn_in": (0.0, 10.0),
    "lowest": (0.0, 10.0),
    "warmup": (0.0, 10.0),
    "warmup_steps": ANY,
    "burn_in_steps": ANY,
    "hold_steps": ANY,
    "decay_steps": COUNT,
    "total_steps": COUNT,
    "boundaries": COUNT,
    # Quantization.
    "delay": ANY,
    "weight_bits": (2, 16),
    "activation_bits": (2, 16),
    # Losses.
    "alpha": PART,
    "gamma": (0.0, 10.0),
    "gain": (0.0, 10.0),
    "background": PART,
    "huber_delta": (1e-3, 100.0),
    "class_weight": FACTOR,
    "box_weight": FACTOR,
    "positive_iou": PART,
    "negative_iou": PART,
    "max_anchors": COUNT,
    "iou_threshold": PART,
    "negatives_per_positive": ANY,
    "min_negatives": ANY,
    # Transforms.
    "probability": PART,
    "full_image": PART,
    "min_visibility": PART,
    "ignore_below": PART,
    "below": PART,
    "beside": PART,
    "ratio": PART,
    "max_shift": PART,
    "contrast": PART,
    "brightness": PART,
    "saturation": PART,
    "CropAroundObject.side": (0.05, 4.0),
    "BlackPatches.side": PART,
    "max_log_aspect": (0.0, 3.0),
    "aspect": (0.1, 10.0),
    "low": (0.0, 10.0),
    "high": (0.0, 10.0),
    "Scale.low": (0.05, 10.0),
    "min_size": ANY,
    "max_size": ANY,
    "min_pixels": ANY,
    "max_pixels": ANY,
    "color": (0.0, 255.0),
    "max_count": (0, 1000),
}


def snake_case(kind: type) -> str:
    """`CropAroundObject` as `crop_around_object`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def limits_of(kind: type, name: str) -> Limits | None:
    """Return the minimum and maximum of a field; None if it is not a number."""
    return LIMITS.get(f"{kind.__name__}.{name}", LIMITS.get(name))


def kinds_in(wanted: Any) -> list[type]:
    """Return the dataclasses that an annotation allows."""
    allowed = get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)
    return [kind for kind in allowed if is_dataclass(kind) and isinstance(kind, type)]


def converted(value: Any, wanted: Any, path: str, limits: Limits | None = None) -> Any:
    """Convert a value to its field's type.

    Args:
        value: text, or a value of the type.
        wanted: the field's annotation.
        path: the field's path, for the error.
        limits: minimum and maximum of numbers.

    Raises:
        TrainingError: BW313 the value is invalid.
    """
    try:
        return _converted(value, wanted, limits)
    except ValueError:
        raise TrainingError(
            "BW313", f"{path} must be {_described(wanted, limits)}, not {_shown(value)}."
        ) from None


def _converted(value: Any, wanted: Any, limits: Limits | None) -> Any:
    origin, allowed = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        return _first_fit(value, allowed, limits)
    if origin is tuple:
        return _tuple(value, allowed, limits)
    if origin is Literal:
        return _required(value, value in allowed)
    if wanted is NoneType:
        return _required(None, value is None or _is_text(value, NONE))
    if is_dataclass(wanted) and isinstance(wanted, type):
        if isinstance(value, wanted):
            return value
        return _required(wanted, _is_text(value, snake_case(wanted)))()
    if wanted is bool:
        return _required(WORDS.get(str(value).lower()), str(value).lower() in WORDS)
    if wanted in (int, float):
        return _number(value, wanted, limits)
    return _required(value, isinstance(value, str) and value != "")


def _first_fit(value: Any, allowed: tuple[Any, ...], limits: Limits | None) -> Any:
    for each in allowed:
        try:
            return _converted(value, each, limits)
        except ValueError:
            continue
    raise ValueError


def _tuple(value: Any, allowed: tuple[Any, ...], limits: Limits | None) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",")] if value else []
    items = list(_required(value, isinstance(value, list | tuple)))
    if allowed[1:] == (...,):
        allowed = (allowed[0],) * len(items)
    _required(items, len(items) == len(allowed))
    return tuple(_converted(*pair, limits) for pair in zip(items, allowed, strict=True))


def _number(value: Any, wanted: type, limits: Limits | None) -> Any:
    _required(value, isinstance(value, int | float | str) and not isinstance(value, bool))
    number = wanted(value)  # int("1.5") raises ValueError, int(1.5) does not
    _required(number, not isinstance(value, float) or number == value)
    low, high = limits or (-math.inf, math.inf)
    return _required(number, math.isfinite(number) and low <= number <= high)


def _required(value: Any, holds: bool) -> Any:
    if not holds:
        raise ValueError
    return value


def _is_text(value: Any, text: str) -> bool:
    return isinstance(value, str) and value.lower() == text


def _described(wanted: Any, limits: Limits | None) -> str:
    """Describe the valid values of a field."""
    origin, allowed = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        return " or ".join(_described(each, limits) for each in allowed)
    if origin is Literal:
        return " or ".join(allowed)
    if origin is tuple:
        several = "several" if allowed[1:] == (...,) else f"{len(allowed)}"
        return f"{several} values separated by commas, each {_described(allowed[0], limits)}"
    if wanted is NoneType:
        return NONE
    if wanted in (int, float):
        number = "a whole number" if wanted is int else "a number"
        low, high = limits or (-math.inf, math.inf)
        return (
            number
            + (f" from {low:g}" if low > -math.inf else "")
            + (f" to {high:.10g}" if high < math.inf else "")
        )
    if wanted is bool:
        return "yes or no"
    return snake_case(wanted) if is_dataclass(wanted) and isinstance(wanted, type) else "text"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
