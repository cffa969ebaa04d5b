"""How images are decoded, where more than one way is possible."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MAX_PIXELS = 178_956_970  # Pillow's limit against decompression bombs


class DepthRange(NamedTuple):
    """The values of images of more than 8 bits that become black and white.

    Attributes:
        low, high: values as stored; values beyond them are clipped.
    """

    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> DepthRange:
        """A checked range from two numbers. Raises ValueError."""
        low, high = map(float, values)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"{low:g}:{high:g} is not a range of finite numbers")
        return cls(low, high)

    def __str__(self) -> str:
        return f"{self.low:.10g}:{self.high:.10g}"


@dataclass(frozen=True)
class DecodeOptions:
    """How images are decoded.

    Attributes:
        max_pixels: larger images are refused.
        depth_range: the values that become 0 and 255 in images of more than 8 bits; None takes all
            values that the file can store.
    """

    max_pixels: int = MAX_PIXELS
    depth_range: DepthRange | None = None
