"""MobileNet v1 (Howard et al. 2017, table 1) with the extra maps of the SSD feature extractor.

Layers carry the names of the Object Detection API's variables, so that weights find their place
by name.
"""

from __future__ import annotations

from typing import Any

from boxwright.models.norm import ConvNorm

# (filters, stride) of blocks 1 to 13, each a depthwise and a pointwise convolution.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
TAPS = (11, 13)
EXTRAS = (512, 256, 256, 128)  # each a 1x1 convolution to half as many, then a 3x3 of stride 2
MIN_DEPTH = 16


def map_sides(input_size: int) -> tuple[int, ...]:
    """Side of each feature map in cells, for a square input of `input_size` pixels."""
    sides = [input_size]
    for _ in range(9):
        sides.append(-(-sides[-1] // 2))
    return tuple(sides[4:10])


def feature_maps(
    inputs: Any, depth_multiplier: float, precision: str, frozen_through: int = -1
) -> list[Any]:
    """The six feature maps of `ssd_mobilenet_v1`, finest first.

    Args:
        inputs: `(B, S, S, 3)` in the range that the network was trained on.
        depth_multiplier: multiplies every number of filters.
        precision: Keras dtype policy of the convolutions. The extra maps' 3x3 convolutions stay
            in float32: oneDNN's bfloat16 filter gradient leaves the taps that a 1x1 map never
            touches uninitialised.
        frozen_through: blocks up to this one do not train; -1 trains all.
    """

    def depth(filters: int) -> int:
        return max(int(filters * depth_multiplier), MIN_DEPTH)

    def conv(block: int, name: str, *shape: int, dtype: str = precision, **options: Any) -> Any:
        return ConvNorm(*shape, name=name, dtype=dtype, trainable=block > frozen_through, **options)

    x = conv(0, "Conv2d_0", depth(32), 3, 2)(inputs)
    maps = []
    for block, (filters, stride) in enumerate(BLOCKS, start=1):
        name = f"Conv2d_{block}"
        x = conv(block, f"{name}_depthwise", 0, 3, stride, depthwise=True)(x)
        x = conv(block, f"{name}_pointwise", depth(filters), 1)(x)
        if block in TAPS:
            maps.append(x)
    for i, filters in enumerate(EXTRAS, start=2):
        half, whole = depth(filters // 2), depth(filters)
        block = len(BLOCKS) + 1
        x = conv(block, f"Conv2d_13_pointwise_1_Conv2d_{i}_1x1_{half}", half, 1)(x)
        name = f"Conv2d_13_pointwise_2_Conv2d_{i}_3x3_s2_{whole}"
        x = conv(block, name, whole, 3, 2, dtype="float32")(x)
        maps.append(x)
    return maps
