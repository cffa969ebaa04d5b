"""The extra feature maps that the SSD feature extractors put on top of a MobileNet.

Source: the Object Detection API's `multi_resolution_feature_maps` with its MobileNet layout,
after Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boxwright.models.norm import ConvNorm

DEPTHS = (512, 256, 256, 128)  # each a 1x1 convolution to half as many, then a 3x3 of stride 2


def extra_maps(x: Any, base: str, depth: Callable[[int], int], precision: str) -> list[Any]:
    """Four maps, each half the side of the one before.

    The 3x3 convolutions stay in float32: oneDNN's bfloat16 filter gradient leaves the taps that a
    1x1 map never touches uninitialised.

    Args:
        x: the backbone's last map.
        base: its layer's name, which the layers' names begin with.
        depth: number of filters to the number that this network has instead.
        precision: Keras dtype policy of the 1x1 convolutions.
    """
    maps = []
    for i, filters in enumerate(DEPTHS, start=2):
        half, whole = depth(filters // 2), depth(filters)
        x = ConvNorm(half, 1, name=f"{base}_1_Conv2d_{i}_1x1_{half}", dtype=precision)(x)
        name = f"{base}_2_Conv2d_{i}_3x3_s2_{whole}"
        x = ConvNorm(whole, 3, 2, name=name, dtype="float32")(x)
        maps.append(x)
    return maps
