"""The feature pyramid of the Object Detection API: from coarse to fine (Lin et al. 2017, "Feature
Pyramid Networks for Object Detection", section 3), and coarser maps after it.

Layers have the names of the API's variables, `fpn_projection_3` for `fpn/projection_3`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from boxwright.backend import framework

keras: Any = framework.keras()

SCOPE = "fpn_"  # what the names of its layers begin with
# (map, name, filters, strides) -> map: a 3x3 convolution with batch norm, separable or not.
Block = Callable[[Any, str, int, int], Any]
Projection = Callable[[Any, str, int], Any]  # a 1x1 convolution with bias


def pyramid(
    maps: Sequence[Any],
    filters: int,
    *,
    coarser: int,
    last_block: int,
    smoothed: bool,
    block: Block,
    projection: Projection,
) -> list[Any]:
    """The maps of the pyramid, finest first, all with the same number of filters.

    Args:
        maps: the backbone's, each half as large as the one before, exactly.
        filters: number of filters.
        coarser: number of maps to add, each half as large as the one before, rounded up.
        last_block: number of the backbone's last block, after which the added maps are named.
        smoothed: True to add a finer map to the smoothed map, False to the sum before it.
        block, projection: create the layers.
    """
    below = projection(maps[-1], f"{SCOPE}projection_{len(maps)}", filters)
    found = [below]
    for number, finer in reversed(list(enumerate(maps[:-1], start=1))):
        side = projection(finer, f"{SCOPE}projection_{number}", filters)
        own = {"name": f"{SCOPE}upsampling_{number}", "dtype": side.dtype}
        x = keras.layers.UpSampling2D(2, interpolation="nearest", **own)(below)
        x = keras.layers.Add(name=f"{SCOPE}top_down_{number}", dtype=side.dtype)([x, side])
        found.insert(0, block(x, f"{SCOPE}smoothing_{number}", filters, 1))
        below = found[0] if smoothed else x
    for number in range(last_block + 1, last_block + 1 + coarser):
        found.append(block(found[-1], f"{SCOPE}bottom_up_Conv2d_{number}", filters, 2))
    return found
