"""The single-shot detector: a backbone's feature maps, a box head and a class head on each."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.backbones import mobilenet_v1, mobilenet_v2
from boxwright.models.backbones.extra_maps import extra_maps
from boxwright.models.layers.conv_norm import PLAIN, ConvNorm, LayerSpec
from boxwright.models.layers.initializers import Initialisers, Normal, initialiser_of
from boxwright.models.layers.quantized import Bits, Predictor, Quantiser
from boxwright.ops import box_coder
from boxwright.ops.anchors import MAPS, Anchors, AnchorSpec, anchors_from_json, grid_anchors

keras: Any = framework.keras()
ops: Any = keras.ops

PRIOR_PROBABILITY = 0.01  # of an anchor being an object, before training (Lin et al. 2017, 4.1)
PRIOR_BIAS = -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY)
HEADS = Normal(0.01)  # what their kernels begin at
BACKBONES: dict[str, Any] = {
    "ssd_mobilenet_v1": mobilenet_v1,
    "ssd_mobilenet_v2": mobilenet_v2,
}


@dataclass(frozen=True)
class HeadSpec:
    """What the heads are like.

    Attributes:
        kernel: side of their (depthwise) convolutions.
        depthwise: whether each begins with a depthwise convolution; with a `kernel` of 3 and
            `depthwise_maps` the network is SSDLite.
        layers: how many 1x1 convolutions stand between a map and its two heads.
        min_depth, max_depth: the fewest and the most filters that these have; as many as the map's
            between. Without any there are no such layers.
        dropout: the part of the class heads' inputs that training drops.
        convolutions: what all but the last convolutions are like.
    """

    kernel: int = 1
    depthwise: bool = False
    layers: int = 0
    min_depth: int = 0
    max_depth: int = 0
    dropout: float = 0.0
    convolutions: LayerSpec = PLAIN


@dataclass(frozen=True)
class ModelSpec:
    """All that is needed to build a detector's network again.

    Attributes:
        num_classes: `C`, the background not counted.
        depth_multiplier: multiplies every number of filters.
        input_size: `S`, side of the square input in pixels.
        anchors: sizes and shapes of the anchors.
        name: the architecture, one of `BACKBONES`.
        min_depth: the fewest filters that the multiplier leaves of a layer.
        background: whether the class head has a column for the background before those of the
            classes, as the Object Detection API's has. It is trained and stored; detecting
            needs none.
        depthwise_maps: whether the extra maps come from depthwise convolutions.
        maps: how many feature maps there are, 2 to 6.
        backbone_convolutions, extra_convolutions: what the convolutions of the backbone and those
            of the extra maps are like.
        heads: what the heads are like.
        box_scales: of the box coder, see `ops.box_coder`.
        bits: of the numbers of a network that is trained for a quantised file, which rounds as that
            file will; None for floats.
    """

    num_classes: int
    depth_multiplier: float = 1.0
    input_size: int = 300
    anchors: Anchors = field(default_factory=AnchorSpec)
    name: str = "ssd_mobilenet_v1"
    min_depth: int = 16
    background: bool = False
    depthwise_maps: bool = False
    maps: int = MAPS
    backbone_convolutions: LayerSpec = PLAIN
    extra_convolutions: LayerSpec = PLAIN
    heads: HeadSpec = field(default_factory=HeadSpec)
    box_scales: box_coder.Scales = box_coder.SCALES
    bits: Bits | None = None

    @property
    def class_columns(self) -> int:
        """Columns of the class head for each anchor."""
        return self.num_classes + self.background

    @property
    def backbone(self) -> Any:
        """The module of its feature extractor."""
        return BACKBONES[self.name]

    def resized(self, input_size: int) -> ModelSpec:
        """The same network for another input, its anchors keeping their size in pixels."""
        anchors = self.anchors.resized(self.input_size / input_size)
        return replace(self, input_size=input_size, anchors=anchors)

    def to_json(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return known

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ModelSpec:
        """The inverse of `to_json`; a run of before lacks what came later."""
        known = _without_flat_heads(value)
        heads = dict(known.pop("heads", {}))
        convolutions = LayerSpec(**heads.pop("convolutions", {}))
        parts = ("backbone_convolutions", "extra_convolutions")
        layers: dict[str, Any] = {part: LayerSpec(**known.pop(part, {})) for part in parts}
        bits = known.pop("bits", None)
        return cls(
            anchors=anchors_from_json(known.pop("anchors")),
            heads=HeadSpec(**heads, convolutions=convolutions),
            box_scales=tuple(known.pop("box_scales", box_coder.SCALES)),
            bits=None if bits is None else Bits(**bits),
            **layers,
            **known,
        )


def _without_flat_heads(value: dict[str, Any]) -> dict[str, Any]:
    """A specification as runs have it, also of those before the heads had their own."""
    moved = {"depthwise_heads": "depthwise", "head_kernel": "kernel"}
    flat = {new: value[old] for old, new in moved.items() if old in value}
    known = {name: item for name, item in value.items() if name not in moved}
    return {**known, "heads": flat} if flat else known


def anchors(spec: ModelSpec) -> NDArray[np.float32]:
    """The network's `A` anchors, `(A, 4)` normalised `[ymin, xmin, ymax, xmax]`."""
    return grid_anchors(spec.anchors, spec.input_size, spec.maps)


def build(
    spec: ModelSpec,
    *,
    precision: str = "float32",
    frozen_through: int = -1,
    initialisers: Initialisers | None = None,
) -> Any:
    """The network: `(B, S, S, 3)` scaled pixels to `box_encodings (B, A, 4)` and
    `class_logits (B, A, C)`, float32; where the spec has a background column, also to
    `background_logits (B, A, 1)`. Its attribute `box_scales` is the spec's, and `quantiser` what
    the layers of a quantised one share, else None.

    Args:
        spec: what to build.
        precision: Keras dtype policy of the convolutions; variables are float32 in any case, and so
            is a quantised network: bfloat16 cannot tell 256 values apart.
        frozen_through: backbone blocks up to this one do not train; -1 trains all.
        initialisers: what its weights begin at; by default what short trainings learn best from.
    """
    side = spec.input_size
    inputs = keras.Input((side, side, 3), name="images")
    quantiser = Quantiser(spec.bits) if spec.bits else None
    precision = "float32" if quantiser else precision
    size, backbone = (spec.depth_multiplier, spec.min_depth, precision), spec.backbone

    def options(part: str, layers: LayerSpec) -> dict[str, Any]:
        begin = initialiser_of(getattr(initialisers, part)) if initialisers else None
        return {"spec": layers, "initialiser": begin, "quantiser": quantiser}

    own = options("backbone", spec.backbone_convolutions)
    maps = backbone.backbone_maps(inputs, *size, frozen_through, **own)
    own = options("extras", spec.extra_convolutions)
    count, depthwise = spec.maps - len(maps), spec.depthwise_maps
    maps += extra_maps(maps[-1], backbone.LAST, *size, count=count, depthwise=depthwise, **own)
    convolution = functools.partial(ConvNorm, **options("heads", spec.heads.convolutions))
    maps = [_before_heads(x, i, spec.heads, precision, convolution) for i, x in enumerate(maps)]
    kernels = initialiser_of(initialisers.heads if initialisers else HEADS)
    predictor = functools.partial(Predictor, quantiser=quantiser, kernel_initializer=kernels)
    boxes = _head(maps, spec, "BoxEncodingPredictor", 4, precision, convolution, predictor)
    if spec.heads.dropout:
        maps = [keras.layers.Dropout(spec.heads.dropout, dtype=precision)(x) for x in maps]
    prior = keras.initializers.Constant(initialisers.class_bias if initialisers else PRIOR_BIAS)
    predictor = functools.partial(predictor, bias_initializer=prior)
    columns = spec.class_columns
    logits = _head(maps, spec, "ClassPredictor", columns, precision, convolution, predictor)
    outputs = {"box_encodings": boxes, "class_logits": logits}
    if spec.background:
        outputs |= {"background_logits": logits[..., :1], "class_logits": logits[..., 1:]}
    model = keras.Model(inputs, outputs, name=spec.name)
    model.box_scales = spec.box_scales
    model.quantiser = quantiser
    return model


def _before_heads(
    x: Any, i: int, heads: HeadSpec, precision: str, convolution: Callable[..., Any]
) -> Any:
    """What the heads of map `i` look at."""
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

    Kernels wider than 1x1 stay in float32, for the reason given in `extra_maps`.
    """
    parts, side = [], spec.heads.kernel
    wide = "float32" if side > 1 else precision
    for i, (x, count) in enumerate(zip(maps, spec.anchors.per_location(len(maps)), strict=True)):
        layer, cells = f"BoxPredictor_{i}_{name}", x.shape[1] * x.shape[2]
        if spec.heads.depthwise:
            own = f"{layer}_depthwise"
            x = convolution(0, side, depthwise=True, name=own, dtype=wide)(x)
            part = predictor(count * columns, 1, name=layer, dtype=precision)(x)
        else:
            part = predictor(count * columns, side, name=layer, dtype=wide)(x)
        parts.append(ops.reshape(ops.cast(part, "float32"), (-1, cells * count, columns)))
    return ops.concatenate(parts, axis=1)
