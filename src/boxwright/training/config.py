"""The parts of a recipe, and their JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args

from boxwright.augment.transforms import CropLimits, Transform
from boxwright.training.learning_rates import LearningRate
from boxwright.training.optimizers import Averaging, Optimizer


@dataclass(frozen=True)
class LayerGroupValues:
    """A number for each part of the network: the backbone, the extra feature maps on top of it, and
    the heads. If `depthwise` is given, it applies to the backbone's depthwise convolutions."""

    backbone: float = 0.0
    extras: float = 0.0
    heads: float = 0.0
    depthwise: float | None = None


@dataclass(frozen=True)
class Quantization:
    """Settings of quantization-aware training (QAT): see `models.layers.quantized`.

    Attributes:
        delay: the first step with rounding; before it only the ranges are tracked.
        weight_bits, activation_bits: bits of kernels and of feature maps.
        by_channel: True for per-channel ranges of kernels.
    """

    delay: int = 0
    weight_bits: int = 8
    activation_bits: int = 8
    by_channel: bool = False


CONFIG_CLASSES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *get_args(Optimizer), *get_args(LearningRate), *get_args(Transform),
        Averaging, LayerGroupValues, CropLimits, Quantization,
    )
}  # fmt: skip


def to_config(value: Any) -> Any:
    """Convert a part to JSON: an object with its fields and its `kind`."""
    if is_dataclass(value):
        own = {item.name: to_config(getattr(value, item.name)) for item in fields(value)}
        return {"kind": type(value).__name__, **own}
    return [to_config(item) for item in value] if isinstance(value, tuple) else value


def from_config(value: Any, classes: Mapping[str, type] = CONFIG_CLASSES) -> Any:
    """Convert JSON to parts of these classes; the inverse of `to_config`."""
    if isinstance(value, Mapping) and "kind" in value:
        own = {name: from_config(item, classes) for name, item in value.items() if name != "kind"}
        return classes[value["kind"]](**own)
    return tuple(from_config(item, classes) for item in value) if isinstance(value, list) else value
