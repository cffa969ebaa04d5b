"""The extra feature maps that the SSD feature extractors put on top of a MobileNet.

Source: the Object Detection API's `multi_resolution_feature_maps` with its MobileNet layout,
after Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.1; with depthwise
convolutions Sandler et al. 2018, "MobileNetV2", section 6.2.
"""

from __future__ import annotations

import re
from typing import Any

from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.necks import fpn

DEPTHS = (512, 256, 256, 128)  # each a 1x1 convolution to half as many, then a 3x3 of stride 2
# What is in the names of their layers, and of a feature pyramid's.
EXTRA_MAP = re.compile(rf"_[12]_Conv2d_\d+_|^{fpn.SCOPE}")


def extra_maps(
    x: Any,
    base: str,
    depth_multiplier: float,
    min_depth: int,
    precision: str,
    *,
    count: int = len(DEPTHS),
    depthwise: bool = False,
    **options: Any,
) -> list[Any]:
    """Build the extra maps, each with half the side of the previous one.

    The 3x3 convolutions stay in float32: oneDNN's bfloat16 filter gradient leaves the taps that a
    1x1 map never touches uninitialized.

    Args:
        x: the backbone's last map.
        base: the name of its layer, prefix of the new layer names.
        depth_multiplier: multiplies every number of filters.
        min_depth: smallest number of filters of a layer.
        precision: Keras dtype policy of the 1x1 convolutions.
        count: number of maps, at most four.
        depthwise: True for depthwise 3x3 convolutions, each followed by a pointwise one.
        options: options of all layers, see `ConvNorm`.
    """

    def depth(filters: int) -> int:
        return max(int(filters * depth_multiplier), min_depth)

    def conv(name: str, *shape: int, dtype: str = precision, depthwise: bool = False) -> Any:
        name = f"{base}_{name}"
        return ConvNorm(*shape, name=name, dtype=dtype, depthwise=depthwise, **options)

    maps = []
    for i, filters in enumerate(DEPTHS[:count], start=2):
        half, whole = depth(filters // 2), depth(filters)
        x = conv(f"1_Conv2d_{i}_1x1_{half}", half, 1)(x)
        name = f"2_Conv2d_{i}_3x3_s2_{whole}"
        if depthwise:
            x = conv(f"{name}_depthwise", 0, 3, 2, depthwise=True)(x)
            x = conv(name, whole, 1)(x)
        else:
            x = conv(name, whole, 3, 2, dtype="float32")(x)
        maps.append(x)
    return maps
