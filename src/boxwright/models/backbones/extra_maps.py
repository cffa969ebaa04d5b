"""The extra feature maps that the SSD feature extractors put on top of a MobileNet.

Source: the Object Detection API's `multi_resolution_feature_maps` with its MobileNet layout,
after Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.1; with depthwise
convolutions Sandler et al. 2018, "MobileNetV2", section 6.2.
"""

from __future__ import annotations

import re
from typing import Any

from boxwright.models.norm import ConvNorm

DEPTHS = (512, 256, 256, 128)  # each a 1x1 convolution to half as many, then a 3x3 of stride 2
EXTRA_MAP = re.compile(r"_[12]_Conv2d_\d+_")  # in the names of their layers


def extra_maps(
    x: Any,
    base: str,
    depth_multiplier: float,
    min_depth: int,
    precision: str,
    *,
    depthwise: bool = False,
) -> list[Any]:
    """Four maps, each half the side of the one before.

    The 3x3 convolutions stay in float32: oneDNN's bfloat16 filter gradient leaves the taps that a
    1x1 map never touches uninitialised.

    Args:
        x: the backbone's last map.
        base: its layer's name, which the layers' names begin with.
        depth_multiplier: multiplies every number of filters.
        min_depth: the fewest filters that are left of one.
        precision: Keras dtype policy of the 1x1 convolutions.
        depthwise: whether the 3x3 convolutions are depthwise, with a pointwise one after each.
    """

    def depth(filters: int) -> int:
        return max(int(filters * depth_multiplier), min_depth)

    maps = []
    for i, filters in enumerate(DEPTHS, start=2):
        half, whole = depth(filters // 2), depth(filters)
        x = ConvNorm(half, 1, name=f"{base}_1_Conv2d_{i}_1x1_{half}", dtype=precision)(x)
        name = f"{base}_2_Conv2d_{i}_3x3_s2_{whole}"
        if depthwise:
            x = ConvNorm(0, 3, 2, depthwise=True, name=f"{name}_depthwise", dtype="float32")(x)
            x = ConvNorm(whole, 1, name=name, dtype=precision)(x)
        else:
            x = ConvNorm(whole, 3, 2, name=name, dtype="float32")(x)
        maps.append(x)
    return maps
