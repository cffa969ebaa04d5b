"""The architecture of a NanoDet-Plus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32, 64)
SIZE_MULTIPLE = 32  # of the input's side: maps of neighboring strides are twice as large
BINS = 8  # of the distribution of a side's distance: 0 to 7 strides
HEADS = "head_"  # the names of the layers of the heads start with it
SIDES = 4  # left, top, right, bottom


@dataclass(frozen=True)
class NanoDetSpec:
    """The architecture of a NanoDet-Plus, enough to rebuild it.

    Attributes:
        num_classes: `C`.
        input_size: `S`, side of the square input in pixels, a multiple of 32.
        depth_multiplier: multiplies the numbers of filters; 1 and 1.5 are published.
        name: the architecture.
    """

    num_classes: int
    input_size: int = 320
    depth_multiplier: float = 1.0
    name: str = "nanodet_plus_m"

    @property
    def filters(self) -> int:
        """Filters of the pyramid and of the heads."""
        return 8 * round(4 + 8 * self.depth_multiplier)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def name_of(depth_multiplier: float) -> str:
    """The architecture's published name."""
    suffix = "" if depth_multiplier == 1 else f"_{depth_multiplier:g}x"
    return f"nanodet_plus_m{suffix}"


def map_sides(input_size: int) -> tuple[int, ...]:
    """The sides of the four maps in cells."""
    return tuple(-(-input_size // stride) for stride in STRIDES)


def priors(input_size: int) -> NDArray[np.float32]:
    """`(A, 3)`: y, x and stride of every cell in pixels, map by map, finest first.

    The position of a cell is its corner, as in the published networks.
    """
    parts = []
    for side, stride in zip(map_sides(input_size), STRIDES, strict=True):
        positions = np.indices((side, side)).reshape(2, -1).T * stride
        parts.append(np.concatenate([positions, np.full((side * side, 1), stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)
