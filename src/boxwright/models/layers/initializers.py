"""Initializers of network weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from boxwright.backend import framework


@dataclass(frozen=True)
class Normal:
    """Normal distribution; `truncated` redraws values beyond two standard deviations."""

    stddev: float
    mean: float = 0.0
    truncated: bool = False


@dataclass(frozen=True)
class VarianceScaling:
    """Variance `factor` divided by a layer's inputs, its outputs or the mean of both
    (He et al. 2015, "Delving deep into rectifiers", section 2.2; Glorot and Bengio 2010).

    The distribution is `uniform` or a truncated normal, with a variance correction of 1.3.
    """

    factor: float = 2.0
    mode: Literal["FAN_IN", "FAN_OUT", "FAN_AVG"] = "FAN_IN"
    uniform: bool = False


Distribution = Normal | VarianceScaling


@dataclass(frozen=True)
class Initializers:
    """Initializers of the kernels of each part of the network, and the initial bias of the class
    heads."""

    backbone: Distribution
    extras: Distribution
    heads: Distribution
    class_bias: float = 0.0


def initializer_of(distribution: Distribution) -> Callable[..., Any]:
    """A function `(shape, dtype) -> values` for kernels `(k, k, in, out)`."""

    random = framework.keras().random

    def draw(shape: tuple[int, ...], dtype: Any = None) -> Any:
        match distribution:
            case Normal(stddev, mean, truncated):
                pass
            case VarianceScaling(factor, mode, uniform):
                variance = factor / _fan(shape, mode)
                if uniform:
                    limit = math.sqrt(3 * variance)
                    return random.uniform(shape, -limit, limit, dtype)
                stddev, mean, truncated = math.sqrt(1.3 * variance), 0.0, True
        drawn = random.truncated_normal if truncated else random.normal
        return drawn(shape, mean, stddev, dtype)

    return draw


def _fan(shape: tuple[int, ...], mode: str) -> float:
    """Fan-in, fan-out or their mean of a layer."""
    *window, inputs, outputs = shape
    taps = math.prod(window)
    return taps * {"FAN_IN": inputs, "FAN_OUT": outputs, "FAN_AVG": (inputs + outputs) / 2}[mode]
