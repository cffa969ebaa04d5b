"""MobileNet v1 (Howard et al. 2017, table 1).

Layers have the names of the Object Detection API's variables, so that weights can be loaded by
name.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from boxwright.models.layers.conv_norm import ConvNorm

SCOPE = "MobilenetV1"  # in the API's variable names
LAST = "Conv2d_13_pointwise"  # the API's name of the coarser map
LAST_BLOCK = 13  # its number
# (filters, stride) of blocks 1 to 13, each a depthwise and a pointwise convolution.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
TAPS = (11, 13)
LEVELS = {2: 3, 3: 5, 4: 11, 5: 13}  # the last block with a stride of 2 ** level
NARROW = {12: 512, 13: 256}  # filters of the last blocks of the API's separable pyramid


def backbone_maps(
    inputs: Any,
    depth_multiplier: float,
    min_depth: int,
    precision: str,
    frozen_through: int = -1,
    levels: Sequence[int] = (),
    narrow: bool = False,
    **options: Any,
) -> list[Any]:
    """The two feature maps for a detector, the finer first; or with `levels` the last map of each
    stride `2 ** level`.

    Args:
        inputs: `(B, S, S, 3)` in the network's input range.
        depth_multiplier: multiplies every number of filters.
        min_depth: smallest number of filters of a layer.
        precision: Keras dtype policy of the convolutions.
        frozen_through: blocks up to this one do not train; -1 trains all.
        levels: levels of a feature pyramid, ascending, each 2 to 5, the last one 5.
        narrow: True for last blocks with NARROW filters.
        options: options of all layers, see `ConvNorm`.
    """

    def depth(filters: int) -> int:
        return max(int(filters * depth_multiplier), min_depth)

    layer: Any = functools.partial(ConvNorm, dtype=precision, **options)

    def conv(block: int, name: str, *shape: int, **own: Any) -> Any:
        return layer(*shape, name=name, trainable=block > frozen_through, **own)

    x = conv(0, "Conv2d_0", depth(32), 3, 2)(inputs)
    taps = [LEVELS[level] for level in levels] or TAPS
    maps = []
    for block, (filters, stride) in enumerate(BLOCKS, start=1):
        name = f"Conv2d_{block}"
        filters = NARROW.get(block, filters) if narrow else filters
        x = conv(block, f"{name}_depthwise", 0, 3, stride, depthwise=True)(x)
        x = conv(block, f"{name}_pointwise", depth(filters), 1)(x)
        if block in taps:
            maps.append(x)
    return maps
