"""The single-shot detector: a backbone's feature maps, a box head and a class head on each; or a
feature pyramid, with heads that its maps share."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from boxwright.backend import framework
from boxwright.models.backbones import mobilenet_v1, mobilenet_v2
from boxwright.models.layers.conv_norm import ConvNorm, LayerSpec
from boxwright.models.layers.initializers import Initializers, Normal, initializer_of
from boxwright.models.layers.quantized import Predictor, Quantizer
from boxwright.models.ssd.extra_maps import extra_maps
from boxwright.models.ssd.fpn import as_rows, fpn_maps, shared_heads
from boxwright.models.ssd.spec import HeadSpec, ModelSpec

keras: Any = framework.keras()
ops: Any = keras.ops

PRIOR_PROBABILITY = 0.01  # initial probability of an object (Lin et al. 2017, 4.1)
PRIOR_BIAS = -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY)
HEADS = Normal(0.01)  # initializer of their kernels
BACKBONES: dict[str, Any] = {
    "ssd_mobilenet_v1": mobilenet_v1,
    "ssd_mobilenet_v2": mobilenet_v2,
    "ssd_mobilenet_v1_fpn": mobilenet_v1,
    "ssd_mobilenet_v2_fpn": mobilenet_v2,
}


def build(
    spec: ModelSpec,
    *,
    precision: str = "float32",
    frozen_through: int = -1,
    initializers: Initializers | None = None,
) -> Any:
    """The network: `(B, S, S, 3)` scaled pixels to `box_encodings (B, A, 4)` and
    `class_logits (B, A, C)`, float32; where the spec has a background column, also to
    `background_logits (B, A, 1)`. Its attribute `quantizer` is the shared state of a QAT
    network, else None.

    Args:
        spec: the architecture.
        precision: Keras dtype policy of the convolutions; variables are float32 in any case, and so
            is a QAT network, since bfloat16 cannot represent 256 steps.
        frozen_through: backbone blocks up to this one do not train; -1 trains all.
        initializers: initializers of the weights; by default those best for short trainings.
    """
    side = spec.input_size
    inputs = keras.Input((side, side, 3), name="images")
    quantizer = Quantizer(spec.quantization) if spec.quantization else None
    precision = "float32" if quantizer else precision
    kernel = initializer_of(initializers.heads if initializers else HEADS)
    prior = keras.initializers.Constant(initializers.class_bias if initializers else PRIOR_BIAS)
    if spec.pyramid:
        maps = fpn_maps(
            inputs, spec, spec.pyramid, BACKBONES[spec.name], precision, frozen_through,
            initializers,
        )  # fmt: skip
        boxes, logits = shared_heads(maps, spec, precision, kernel, prior, initializers)
    else:
        maps = _ssd_maps(inputs, spec, precision, frozen_through, initializers, quantizer)
        begin = initializer_of(initializers.heads) if initializers else None
        layers = spec.heads.convolutions
        convolution = functools.partial(
            ConvNorm, spec=layers, initializer=begin, quantizer=quantizer
        )
        predictor = functools.partial(Predictor, quantizer=quantizer, kernel_initializer=kernel)
        boxes, logits = _own_heads(maps, spec, precision, convolution, predictor, prior)
    outputs = {"box_encodings": boxes, "class_logits": logits}
    if spec.background:
        outputs |= {"background_logits": logits[..., :1], "class_logits": logits[..., 1:]}
    model = keras.Model(inputs, outputs, name=spec.name)
    model.quantizer = quantizer
    return model


def _ssd_maps(
    inputs: Any,
    spec: ModelSpec,
    precision: str,
    frozen_through: int,
    initializers: Initializers | None,
    quantizer: Quantizer | None,
) -> list[Any]:
    """Two maps of the backbone, and the extra maps after them."""
    size, backbone = (spec.depth_multiplier, spec.min_depth, precision), BACKBONES[spec.name]

    def options(part: str, layers: LayerSpec) -> dict[str, Any]:
        begin = initializer_of(getattr(initializers, part)) if initializers else None
        return {"spec": layers, "initializer": begin, "quantizer": quantizer}

    own = options("backbone", spec.backbone_convolutions)
    maps: list[Any] = backbone.backbone_maps(inputs, *size, frozen_through, **own)
    own = options("extras", spec.extra_convolutions)
    count, depthwise = spec.maps - len(maps), spec.depthwise_maps
    maps += extra_maps(maps[-1], backbone.LAST, *size, count=count, depthwise=depthwise, **own)
    return maps


def _own_heads(
    maps: list[Any],
    spec: ModelSpec,
    precision: str,
    convolution: Callable[..., Any],
    predictor: Callable[..., Any],
    prior: Any,
) -> tuple[Any, Any]:
    """Box encodings and logits from heads that each map has for itself."""
    maps = [_before_heads(x, i, spec.heads, precision, convolution) for i, x in enumerate(maps)]
    boxes = _head(maps, spec, "BoxEncodingPredictor", 4, precision, convolution, predictor)
    if spec.heads.dropout:
        maps = [keras.layers.Dropout(spec.heads.dropout, dtype=precision)(x) for x in maps]
    predictor = functools.partial(predictor, bias_initializer=prior)
    columns = spec.class_columns
    logits = _head(maps, spec, "ClassPredictor", columns, precision, convolution, predictor)
    return boxes, logits


def _before_heads(
    x: Any, i: int, heads: HeadSpec, precision: str, convolution: Callable[..., Any]
) -> Any:
    """The input of the heads of map `i`."""
    depth = max(min(x.shape[-1], heads.max_depth), heads.min_depth)
    for layer in range(heads.layers if depth else 0):
        name = f"BoxPredictor_{i}_Conv2d_{layer}_1x1_{depth}"
        x = convolution(depth, 1, name=name, dtype=precision)(x)
    return x


def _head(
    maps: list[Any],
    spec: ModelSpec,
    name: str,
    columns: int,
    precision: str,
    convolution: Callable[..., Any],
    predictor: Callable[..., Any],
) -> Any:
    """A predictor on every map, its outputs in anchor order: `(B, A, columns)`.

    Kernels larger than 1x1 stay in float32; see `extra_maps` for the reason.
    """
    parts, side = [], spec.heads.kernel
    wide = "float32" if side > 1 else precision
    for i, (x, count) in enumerate(zip(maps, spec.anchors.per_location(len(maps)), strict=True)):
        layer = f"BoxPredictor_{i}_{name}"
        if spec.heads.depthwise:
            own = f"{layer}_depthwise"
            x = convolution(0, side, depthwise=True, name=own, dtype=wide)(x)
            part = predictor(count * columns, 1, name=layer, dtype=precision)(x)
        else:
            part = predictor(count * columns, side, name=layer, dtype=wide)(x)
        parts.append(as_rows(part, columns))
    return ops.concatenate(parts, axis=1)
