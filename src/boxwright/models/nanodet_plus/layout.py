"""How the layers of a NanoDet-Plus are connected, for any builder."""

from __future__ import annotations

from boxwright.models.backbones import shufflenet_v2
from boxwright.models.layers.builder import Builder, Map
from boxwright.models.nanodet_plus.spec import BINS, HEADS, SIDES, STRIDES, NanoDetSpec
from boxwright.models.necks import ghost_pan

HEAD_LAYERS, HEAD_KERNEL = 2, 5
CLASSES, DISTRIBUTIONS = "class", "side"  # names of the heads
# The published networks take BGR, (pixel - mean) / deviation. Ours takes RGB, pixel / 128 - 1; what
# remains of the mean is added in the network, and of the deviation is part of the first kernel.
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
PIXEL_SCALE, PIXEL_OFFSET = 1 / 128, -1.0
OFFSETS = tuple(-PIXEL_OFFSET - mean * PIXEL_SCALE for mean in MEAN)
KERNEL_FACTORS = tuple(1 / (PIXEL_SCALE * deviation) for deviation in DEVIATION)


def heads(x: Map, build: Builder[Map], spec: NanoDetSpec) -> dict[str, list[Map]]:
    """The maps of the two heads, finest first.

    Args:
        x: the input, normalized.
        build: the builder.
        spec: the architecture.
    """
    maps = shufflenet_v2.backbone_maps(x, build, spec.depth_multiplier)
    outputs: dict[str, list[Map]] = {CLASSES: [], DISTRIBUTIONS: []}
    for stride, y in zip(STRIDES, ghost_pan.pyramid(maps, build, spec.filters), strict=True):
        for layer in range(HEAD_LAYERS):
            y = build.depthwise(y, f"{HEADS}{stride}_{layer}_depthwise", HEAD_KERNEL)
            y = build.convolution(y, f"{HEADS}{stride}_{layer}_project", spec.filters, 1)
        outputs[CLASSES].append(build.predictor(y, f"{HEADS}{stride}_classes", spec.num_classes))
        outputs[DISTRIBUTIONS].append(build.predictor(y, f"{HEADS}{stride}_sides", SIDES * BINS))
    return outputs
