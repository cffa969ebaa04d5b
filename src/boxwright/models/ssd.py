"""The single-shot detector: a backbone's feature maps, a box head and a class head on each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.boxes.anchors import AnchorSpec, map_sides, ssd_anchors
from boxwright.models import framework
from boxwright.models.backbones import mobilenet_v1, mobilenet_v2
from boxwright.models.backbones.extra_maps import extra_maps
from boxwright.models.norm import ConvNorm

keras: Any = framework.keras()
ops: Any = keras.ops

PRIOR_PROBABILITY = 0.01  # of an anchor being an object, before training (Lin et al. 2017, 4.1)
BACKBONES: dict[str, Any] = {
    "ssd_mobilenet_v1": mobilenet_v1,
    "ssd_mobilenet_v2": mobilenet_v2,
}


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
        depthwise_heads: whether each head begins with a depthwise convolution; with
            `depthwise_maps` and a `head_kernel` of 3 this is SSDLite.
        head_kernel: side of the heads' (depthwise) convolutions.
    """

    num_classes: int
    depth_multiplier: float = 1.0
    input_size: int = 300
    anchors: AnchorSpec = field(default_factory=AnchorSpec)
    name: str = "ssd_mobilenet_v1"
    min_depth: int = 16
    background: bool = False
    depthwise_maps: bool = False
    depthwise_heads: bool = False
    head_kernel: int = 1

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
        factor = self.anchors.scale_factor * self.input_size / input_size
        return replace(
            self, input_size=input_size, anchors=replace(self.anchors, scale_factor=factor)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "num_classes": self.num_classes,
            "depth_multiplier": self.depth_multiplier,
            "input_size": self.input_size,
            "anchors": self.anchors.to_json(),
            "min_depth": self.min_depth,
            "background": self.background,
            "depthwise_maps": self.depthwise_maps,
            "depthwise_heads": self.depthwise_heads,
            "head_kernel": self.head_kernel,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ModelSpec:
        return cls(
            int(value["num_classes"]),
            float(value["depth_multiplier"]),
            int(value["input_size"]),
            AnchorSpec.from_json(value["anchors"]),
            str(value["name"]),
            int(value.get("min_depth", cls.min_depth)),
            bool(value.get("background", cls.background)),
            bool(value.get("depthwise_maps", cls.depthwise_maps)),
            bool(value.get("depthwise_heads", cls.depthwise_heads)),
            int(value.get("head_kernel", cls.head_kernel)),
        )


def anchors(spec: ModelSpec) -> NDArray[np.float32]:
    """The network's `A` anchors, `(A, 4)` normalised `[ymin, xmin, ymax, xmax]`."""
    return ssd_anchors(spec.anchors, map_sides(spec.input_size))


def build(spec: ModelSpec, *, precision: str = "float32", frozen_through: int = -1) -> Any:
    """The network: `(B, S, S, 3)` scaled pixels to `box_encodings (B, A, 4)` and
    `class_logits (B, A, C)`, float32; where the spec has a background column, also to
    `background_logits (B, A, 1)`.

    Args:
        spec: what to build.
        precision: Keras dtype policy of the convolutions; variables are float32 in any case.
        frozen_through: backbone blocks up to this one do not train; -1 trains all.
    """
    side = spec.input_size
    inputs = keras.Input((side, side, 3), name="images")
    size, backbone = (spec.depth_multiplier, spec.min_depth, precision), spec.backbone
    maps = backbone.backbone_maps(inputs, *size, frozen_through)
    maps += extra_maps(maps[-1], backbone.LAST, *size, depthwise=spec.depthwise_maps)
    prior = -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY)
    outputs = {
        "box_encodings": _head(maps, spec, "BoxEncodingPredictor", 4, precision, 0.0),
        "class_logits": _head(maps, spec, "ClassPredictor", spec.class_columns, precision, prior),
    }
    if spec.background:
        logits = outputs["class_logits"]
        outputs |= {"background_logits": logits[..., :1], "class_logits": logits[..., 1:]}
    return keras.Model(inputs, outputs, name=spec.name)


def _head(
    maps: list[Any], spec: ModelSpec, name: str, columns: int, precision: str, bias: float
) -> Any:
    """A convolution on every map, its outputs in anchor order: `(B, A, columns)`.

    Wider ones than 1x1 stay in float32, for the reason given in `extra_maps`.
    """
    parts, kernel = [], spec.head_kernel
    for i, (x, count) in enumerate(zip(maps, spec.anchors.per_location(len(maps)), strict=True)):
        layer, cells = f"BoxPredictor_{i}_{name}", x.shape[1] * x.shape[2]
        wide = "float32" if kernel > 1 else precision
        if spec.depthwise_heads:
            x = ConvNorm(0, kernel, depthwise=True, name=f"{layer}_depthwise", dtype=wide)(x)
        part = keras.layers.Conv2D(
            count * columns,
            1 if spec.depthwise_heads else kernel,
            padding="same",
            name=layer,
            dtype=precision if spec.depthwise_heads else wide,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(bias),
        )(x)
        parts.append(ops.reshape(ops.cast(part, "float32"), (-1, cells * count, columns)))
    return ops.concatenate(parts, axis=1)
