"""An SSD with a feature pyramid and the heads that all of its maps share.

Source: the Object Detection API's `SSDMobileNetV1FpnKerasFeatureExtractor`,
`SSDMobileNetV2FpnKerasFeatureExtractor` and `WeightSharedConvolutionalBoxPredictor`, after Lin et
al. 2017, "Focal Loss for Dense Object Detection", section 4.
"""

from __future__ import annotations

import functools
from typing import Any

from boxwright.backend import framework
from boxwright.models.layers.conv_norm import Initializer, near_identity
from boxwright.models.layers.initializers import Initializers, VarianceScaling, initializer_of
from boxwright.models.layers.quantized import Predictor
from boxwright.models.necks.fpn import pyramid
from boxwright.models.ssd.blocks import Blocks, Kernels
from boxwright.models.ssd.spec import LAST_OF_BACKBONE, ModelSpec, PyramidSpec

keras: Any = framework.keras()
ops: Any = keras.ops

GLOROT = initializer_of(VarianceScaling(1.0, "FAN_AVG", uniform=True))  # TensorFlow's default
KERNEL_SIZE = 3  # of the pyramid's convolutions
TOWERS = ("BoxPredictionTower", "ClassPredictionTower")
SHARED_TOWER = "PredictionTower"
BOXES, CLASSES = "BoxEncodingPredictor", "ClassPredictor"  # the heads


def fpn_maps(
    inputs: Any,
    spec: ModelSpec,
    pyramid_spec: PyramidSpec,
    backbone: Any,
    precision: str,
    frozen_through: int = -1,
    initializers: Initializers | None = None,
) -> list[Any]:
    """The maps of the pyramid, finest first; arguments as in `network.build`."""
    own = initializer_of(initializers.backbone) if initializers else None
    narrow = {"narrow": True} if spec.depthwise_maps and hasattr(backbone, "NARROW") else {}
    maps = backbone.backbone_maps(
        inputs,
        spec.depth_multiplier,
        spec.min_depth,
        precision,
        frozen_through,
        levels=[level for level in spec.levels if level <= LAST_OF_BACKBONE],
        spec=spec.backbone_convolutions,
        initializer=own,
        **narrow,
    )
    kernels = _kernels(initializers.extras if initializers else None)
    projection = functools.partial(Predictor, kernel_initializer=kernels.first, dtype=precision)
    return pyramid(
        maps,
        max(int(pyramid_spec.depth * spec.depth_multiplier), spec.min_depth),
        coarser=len(spec.levels) - len(maps),
        last_block=backbone.LAST_BLOCK,
        smoothed=pyramid_spec.smoothed,
        block=Blocks(spec.depthwise_maps, KERNEL_SIZE, spec.extra_convolutions, precision, kernels),
        projection=lambda x, name, filters: projection(filters, 1, name=name)(x),
    )


def shared_heads(
    maps: list[Any],
    spec: ModelSpec,
    precision: str,
    kernel: Initializer,
    prior: Any,
    initializers: Initializers | None = None,
) -> tuple[Any, Any]:
    """Box encodings `(B, A, 4)` and logits `(B, A, columns)` of all maps.

    The heads' convolutions are shared by the maps; each map has batch norms of its own.

    Args:
        maps: the pyramid, finest first.
        spec: the architecture.
        precision: as in `network.build`.
        kernel, prior: initializers of the last kernels, and of the class head's bias.
        initializers: as in `network.build`.
    """
    heads, counts = spec.heads, spec.anchors.per_location(len(maps))
    own = _kernels(initializers.heads if initializers else None)
    block = Blocks(heads.depthwise, heads.kernel, heads.convolutions, precision, own)
    last = Kernels(kernel, kernel)
    if heads.depthwise:
        last = Kernels(GLOROT, GLOROT) if initializers else Kernels(near_identity, kernel)
    towers = (SHARED_TOWER,) if heads.shared_tower else TOWERS
    boxes, logits = [], []
    for i, (x, count) in enumerate(zip(maps, counts, strict=True)):
        tops = []
        for tower in towers:
            top = x
            for layer in range(heads.layers):
                shared = f"{tower}_conv2d_{layer}"
                top = block(top, f"BoxPredictor_{i}_{shared}", heads.min_depth, shared=shared)
            tops.append(top)
        name = f"BoxPredictor_{i}_{BOXES}"
        box = block.head(tops[0], name, 4 * count, shared=BOXES, kernels=last, bias="zeros")
        boxes.append(as_rows(box, 4))
        if heads.dropout:
            tops[-1] = keras.layers.Dropout(heads.dropout, dtype=precision)(tops[-1])
        name, columns = f"BoxPredictor_{i}_{CLASSES}", spec.class_columns
        head = block.head(tops[-1], name, columns * count, shared=CLASSES, kernels=last, bias=prior)
        logits.append(as_rows(head, columns))
    return ops.concatenate(boxes, axis=1), ops.concatenate(logits, axis=1)


def as_rows(x: Any, columns: int) -> Any:
    """A head's output on a map as a row for each anchor, `(B, A, columns)` float32."""
    _, height, width, channels = x.shape
    rows = height * width * channels // columns
    return ops.reshape(ops.cast(x, "float32"), (-1, rows, columns))


def _kernels(distribution: Any) -> Kernels:
    """Those of a config, which in the API do not reach pointwise kernels; else our own."""
    if distribution is None:
        return Kernels(near_identity, near_identity)
    return Kernels(initializer_of(distribution), GLOROT)
