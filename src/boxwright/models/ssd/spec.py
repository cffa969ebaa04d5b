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
from boxwright.ops.anchors import (
    FIRST_LEVEL,
    MAPS,
    Anchors,
    AnchorSpec,
    PyramidAnchorSpec,
    anchors_from_json,
    grid_anchors,
)
from boxwright.structures.old_keys import LAYERS, renamed

PYRAMID = "_fpn"  # what the names of networks with a feature pyramid end with
TOWER_LAYERS = 4  # of FPNLite, between a map and its heads
LAST_OF_BACKBONE = 5  # the coarsest level of a backbone's own maps


@dataclass(frozen=True)
class PyramidSpec:
    """Settings of a feature pyramid. The map of a level has a stride of `2 ** level`.

    Attributes:
        min_level: level of the finest map, 2 to 5.
        max_level: level of the coarsest map, 5 to 7.
        depth: number of filters of its maps, before the depth multiplier.
        smoothed: True if a finer map is added to the smoothed map below it, as in the API's
            TensorFlow 2 networks; False if to the sum before the smoothing, as in TensorFlow 1's.
    """

    min_level: int = 3
    max_level: int = 7
    depth: int = 128
    smoothed: bool = True

    @property
    def maps(self) -> int:
        """The number of maps."""
        return self.max_level - self.min_level + 1


@dataclass(frozen=True)
class HeadSpec:
    """Settings of the heads.

    Attributes:
        kernel: kernel size of their (depthwise) convolutions.
        depthwise: True if each starts with a depthwise convolution; with a `kernel` of 3 and
            `depthwise_maps` the network is SSDLite.
        layers: number of 1x1 convolutions between a map and its two heads; with a pyramid, of
            convolutions with `kernel`.
        min_depth, max_depth: limits of their number of filters, which is otherwise that of the map.
            Without limits there are no such layers.
        dropout: fraction of the class heads' inputs that training drops.
        convolutions: settings of all but the last convolutions.
        shared_tower: with a pyramid, True if boxes and classes share the layers before them.
    """

    kernel: int = 1
    depthwise: bool = False
    layers: int = 0
    min_depth: int = 0
    max_depth: int = 0
    dropout: float = 0.0
    convolutions: LayerSpec = PLAIN
    shared_tower: bool = False


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
        maps: number of feature maps, 2 to 6; of a pyramid as many as it has levels.
        pyramid: the feature pyramid, whose maps share the heads; None for an SSD without one.
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
    pyramid: PyramidSpec | None = None
    backbone_convolutions: LayerSpec = PLAIN
    extra_convolutions: LayerSpec = PLAIN
    heads: HeadSpec = field(default_factory=HeadSpec)
    box_scales: box_coder.Scales = box_coder.SCALES
    quantization: QuantizationSpec | None = None

    @property
    def class_columns(self) -> int:
        """Number of columns of the class head per anchor."""
        return self.num_classes + self.background

    @property
    def levels(self) -> range:
        """The levels of the maps, finest first."""
        first = self.pyramid.min_level if self.pyramid else FIRST_LEVEL
        return range(first, first + self.maps)

    def resized(self, input_size: int) -> ModelSpec:
        """The same network for another input size; anchors keep their size in pixels."""
        anchors = self.anchors.resized(self.input_size / input_size)
        return replace(self, input_size=input_size, anchors=anchors)

    def with_pyramid(self, pyramid: PyramidSpec, heads: HeadSpec) -> ModelSpec:
        """The same backbone with a feature pyramid, and the anchors of the API's samples."""
        return replace(
            self,
            name=f"{self.name}{PYRAMID}",
            anchors=PyramidAnchorSpec(min_level=pyramid.min_level),
            maps=pyramid.maps,
            pyramid=pyramid,
            heads=heads,
        )

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
        pyramid = known.pop("pyramid", None)
        spec = cls(
            anchors=anchors_from_json(known.pop("anchors")),
            heads=HeadSpec(**heads, convolutions=convolutions),
            box_scales=tuple(known.pop("box_scales", box_coder.SCALES)),
            quantization=None if quantization is None else QuantizationSpec(**quantization),
            pyramid=None if pyramid is None else PyramidSpec(**pyramid),
            **layers,
            **known,
        )
        check_ranges(spec)
        return spec


def fpnlite(num_classes: int, depth_multiplier: float = 1.0) -> ModelSpec:
    """The published SSD MobileNet v2 FPNLite of 320 px, without a background column."""
    spec = ModelSpec(
        num_classes, depth_multiplier, 320, name="ssd_mobilenet_v2", depthwise_maps=True
    )
    pyramid = PyramidSpec()
    depth = pyramid.depth
    heads = HeadSpec(3, True, TOWER_LAYERS, depth, depth, shared_tower=True)
    return spec.with_pyramid(pyramid, heads)


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
    return grid_anchors(spec.anchors, spec.input_size, spec.maps, spec.levels[0])
