"""MobileNet v2 (Sandler et al. 2018, table 2).

Layers have the names of the Object Detection API's variables, `expanded_conv_1_expand` for
`expanded_conv_1/expand`, so that weights can be loaded by name.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.quantized import Addition

SCOPE = "MobilenetV2"  # in the API's variable names
LAST = "layer_19"  # the API's name of the coarser map
LAST_BLOCK = 19  # its number

# (filters, stride) of the inverted residuals, in order.
BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1),
)  # fmt: skip
EXPANSION = 6
TAP = 14  # block 14's expansion is the finest map
HEAD = 1280  # filters of the last convolution
LEVELS = {2: 3, 3: 6, 4: 13}  # the last block with a stride of 2 ** level, below level 5


def backbone_maps(
    inputs: Any,
    depth_multiplier: float,
    min_depth: int,
    precision: str,
    frozen_through: int = -1,
    levels: Sequence[int] = (),
    **options: Any,
) -> list[Any]:
    """The two feature maps for a detector, the finer first; or with `levels` the last map of each
    stride `2 ** level`.

    Args:
        inputs: `(B, S, S, 3)` in the network's input range.
        depth_multiplier: multiplies every number of filters.
        min_depth: smallest number of filters of a layer.
        precision: Keras dtype policy of the convolutions.
        frozen_through: blocks up to this one do not train; -1 trains all. The stem is block 0,
            `expanded_conv` block 1.
        levels: levels of a feature pyramid, ascending, each 2 to 5, the last one 5.
        options: options of all layers, see `ConvNorm`.
    """

    layer: Any = functools.partial(ConvNorm, dtype=precision, **options)

    def conv(block: int, name: str, *shape: int, **own: Any) -> Any:
        return layer(*shape, name=name, trainable=block > frozen_through, **own)

    x = conv(0, "Conv", _depth(32, depth_multiplier, min_depth), 3, 2)(inputs)
    maps, taps = [], [LEVELS[level] for level in levels if level in LEVELS]
    for block, (filters, stride) in enumerate(BLOCKS, start=1):
        name = "expanded_conv" if block == 1 else f"expanded_conv_{block - 1}"
        out, before = _depth(filters, depth_multiplier, min_depth), x
        if block > 1:
            x = conv(block, f"{name}_expand", EXPANSION * x.shape[-1], 1)(x)
        if block == TAP and not levels:
            maps.append(x)
        x = conv(block, f"{name}_depthwise", 0, 3, stride, depthwise=True)(x)
        x = conv(block, f"{name}_project", out, 1, linear=True)(x)
        if stride == 1 and before.shape[-1] == out:
            quantizer = options.get("quantizer")
            x = Addition(quantizer, name=name, dtype=precision)([before, x])
        if block in taps:
            maps.append(x)
    x = conv(len(BLOCKS) + 1, "Conv_1", _depth(HEAD, depth_multiplier, min_depth), 1)(x)
    return [*maps, x]


def _depth(filters: int, multiplier: float, min_depth: int) -> int:
    """The nearest multiple of 8 that is at most 10 % below `filters * multiplier`."""
    wanted = filters * multiplier
    rounded = max(min_depth, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded
