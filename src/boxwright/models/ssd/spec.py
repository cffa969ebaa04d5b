"""The architecture of an SSD."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models.layers.conv_norm import PLAIN, LayerSpec
from boxwright.models.layers.quantized import QuantizationSpec
from boxwright.models.ranges import check_ranges
from boxwright.ops import box_coder
from boxwright.ops.anchors import MAPS, Anchors, AnchorSpec, anchors_from_json, grid_anchors
from boxwright.structures.old_keys import LAYERS, renamed


@dataclass(frozen=True)
class HeadSpec:
    """Settings of the heads.

    Attributes:
        kernel: kernel size of their (depthwise) convolutions.
        depthwise: True if each starts with a depthwise convolution; with a `kernel` of 3 and
            `depthwise_maps` the network is SSDLite.
        layers: number of 1x1 convolutions between a map and its two heads.
        min_depth, max_depth: limits of their number of filters, which is otherwise that of the map.
            Without limits there are no such layers.
        dropout: fraction of the class heads' inputs that training drops.
        convolutions: settings of all but the last convolutions.
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
    """The architecture of an SSD, enough to rebuild it.

    Attributes:
        num_classes: `C`, without the background.
        depth_multiplier: multiplies every number of filters.
        input_size: `S`, side of the square input in pixels.
        anchors: sizes and shapes of the anchors.
        name: the architecture, one of `network.BACKBONES`.
        min_depth: smallest number of filters of a layer.
        background: True if the class head has a background column before those of the classes, as
            in the Object Detection API. It is trained and stored, but not used in inference.
        depthwise_maps: True if the extra maps use depthwise convolutions.
        maps: number of feature maps, 2 to 6.
        backbone_convolutions, extra_convolutions: settings of the convolutions of the backbone and
            of the extra maps.
        heads: settings of the heads.
        box_scales: scales of the box coder, see `ops.box_coder`.
        quantization: settings for QAT; None for a float network.
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
    quantization: QuantizationSpec | None = None

    @property
    def class_columns(self) -> int:
        """Number of columns of the class head per anchor."""
        return self.num_classes + self.background

    def resized(self, input_size: int) -> ModelSpec:
        """The same network for another input size; anchors keep their size in pixels."""
        anchors = self.anchors.resized(self.input_size / input_size)
        return replace(self, input_size=input_size, anchors=anchors)

    def to_json(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return known

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ModelSpec:
        """The inverse of `to_json`; runs of older versions lack newer fields.

        Raises:
            TooLargeError: the network is larger than any for a CPU.
            KeyError, TypeError, ValueError: another field is invalid.
        """
        known = _without_flat_heads(value)
        heads = dict(known.pop("heads", {}))
        convolutions = _layer(heads.pop("convolutions", {}))
        parts = ("backbone_convolutions", "extra_convolutions")
        layers: dict[str, Any] = {part: _layer(known.pop(part, {})) for part in parts}
        quantization = known.pop("quantization", None)
        spec = cls(
            anchors=anchors_from_json(known.pop("anchors")),
            heads=HeadSpec(**heads, convolutions=convolutions),
            box_scales=tuple(known.pop("box_scales", box_coder.SCALES)),
            quantization=None if quantization is None else QuantizationSpec(**quantization),
            **layers,
            **known,
        )
        check_ranges(spec)
        return spec


def _layer(value: dict[str, Any]) -> LayerSpec:
    return LayerSpec(**renamed(value, LAYERS))


def _without_flat_heads(value: dict[str, Any]) -> dict[str, Any]:
    """Convert the spec of an old run, without separate heads, to the current format."""
    moved = {"depthwise_heads": "depthwise", "head_kernel": "kernel"}
    flat = {new: value[old] for old, new in moved.items() if old in value}
    known = {name: item for name, item in value.items() if name not in moved}
    return {**known, "heads": flat} if flat else known


def anchors(spec: ModelSpec) -> NDArray[np.float32]:
    """The network's `A` anchors, `(A, 4)` normalized `[ymin, xmin, ymax, xmax]`."""
    return grid_anchors(spec.anchors, spec.input_size, spec.maps)
