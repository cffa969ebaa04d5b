"""Anchors (priors) of a single-shot detector.

Source: the Object Detection API's `ssd_anchor_generator` (Liu et al., "SSD: Single Shot MultiBox
Detector", section 2.2) and `multiscale_anchor_generator` (Lin et al., "Focal Loss for Dense Object
Detection", section 4).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAPS = 6  # of SSD MobileNet
FIRST_LEVEL = 4  # its finest map's stride as a power of two

Shape = tuple[float, float]  # height and width, as fractions of the input's side
Pairs = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class AnchorSpec:
    """Sizes and shapes of the anchors, as fractions of the input's side.

    Attributes:
        min_scale, max_scale: side of the square anchor on the finest and the coarsest map, evenly
            spaced between them.
        aspect_ratios: width over height. The API's files contain 0.333299994..., not 1/3.
        scale_factor: multiplies every size; `300 / S` keeps the pixel sizes of a network pretrained
            at 300 px for an input of `S` px.
        scales: side of the square anchor on each map, instead of even spacing.
        between: aspect ratio of an additional anchor with a scale between its map's and the next
            map's; 0 for none.
        fewer_on_finest: True if the finest map has only three shapes, one of them with a scale of
            0.1.
        base: factors of the sizes, height and width.
        strides, offsets: distance of each map's anchors and position of the first, in pixels, y and
            x; by default anchors are centered in the cells.
    """

    min_scale: float = 0.2
    max_scale: float = 0.95
    aspect_ratios: tuple[float, ...] = (1.0, 2.0, 0.5, 3.0, 0.333299994469)
    scale_factor: float = 1.0
    scales: tuple[float, ...] = ()
    between: float = 1.0
    fewer_on_finest: bool = True
    base: tuple[float, float] = (1.0, 1.0)
    strides: Pairs = ()
    offsets: Pairs = ()

    def per_location(self, layers: int) -> tuple[int, ...]:
        """Number of anchors per cell of each of `layers` maps."""
        return tuple(len(shapes) for shapes in self._specs(layers))

    def resized(self, factor: float) -> AnchorSpec:
        """Anchors of the same size in pixels for an input `factor` times as small."""
        return replace(self, scale_factor=self.scale_factor * factor)

    def shapes(self, layers: int, input_size: int) -> list[list[Shape]]:
        """Shapes of each map, in the order of the heads' outputs; `input_size` is not used."""
        height, width = (self.scale_factor * side for side in self.base)
        return [
            [(height * scale / ratio**0.5, width * scale * ratio**0.5) for scale, ratio in specs]
            for specs in self._specs(layers)
        ]

    def grid(self, layer: int, side: int, input_size: int) -> tuple[Shape, Shape]:
        """Stride and offset of a map's anchors, y and x, as fractions of the input's side."""
        stride, offset = (1 / side, 1 / side), None
        if self.strides:
            stride = _fractions(self.strides[layer], input_size)
        if self.offsets:
            offset = _fractions(self.offsets[layer], input_size)
        return stride, offset or (stride[0] / 2, stride[1] / 2)

    def _specs(self, layers: int) -> list[list[tuple[float, float]]]:
        """`(scale, aspect ratio)` of the anchors of each map."""
        even = np.linspace(self.min_scale, self.max_scale, layers).tolist()
        specs = []
        for layer, (scale, following) in enumerate(
            itertools.pairwise([*(self.scales or even), 1.0])
        ):
            own = [(scale, ratio) for ratio in self.aspect_ratios]
            if self.between:
                own.append(((scale * following) ** 0.5, self.between))
            if layer == 0 and self.fewer_on_finest:
                own = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
            specs.append(own)
        return specs


@dataclass(frozen=True)
class PyramidAnchorSpec:
    """Anchors whose sizes are multiples of the stride of their map.

    Attributes:
        scale: side of a map's smallest square anchor, in strides.
        aspect_ratios: width over height.
        scales_per_octave: number of sizes of each shape per map.
        min_level: the finest map's stride as a power of two.
    """

    scale: float = 4.0
    aspect_ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    scales_per_octave: int = 2
    min_level: int = FIRST_LEVEL

    def per_location(self, layers: int) -> tuple[int, ...]:
        """Number of anchors per cell of each of `layers` maps."""
        return (len(self.aspect_ratios) * self.scales_per_octave,) * layers

    def resized(self, factor: float) -> PyramidAnchorSpec:
        """The same anchors: their size in pixels does not depend on the input size."""
        return self

    def shapes(self, layers: int, input_size: int) -> list[list[Shape]]:
        """Shapes of each map, in the order of the heads' outputs."""
        octave = [2 ** (i / self.scales_per_octave) for i in range(self.scales_per_octave)]
        specs = list(itertools.product(self.aspect_ratios, octave))
        sides = [self.scale * self._stride(layer) / input_size for layer in range(layers)]
        return [
            [(side * scale / ratio**0.5, side * scale * ratio**0.5) for ratio, scale in specs]
            for side in sides
        ]

    def grid(self, layer: int, side: int, input_size: int) -> tuple[Shape, Shape]:
        """Stride and offset of a map's anchors, y and x, as fractions of the input's side.

        They are centered in the cells if the stride divides the input's side. Otherwise, as in the
        API, they are at the corners of the cells.
        """
        stride = self._stride(layer)
        offset = 0 if input_size % stride else stride / 2
        return _fractions((stride, stride), input_size), _fractions((offset, offset), input_size)

    def _stride(self, layer: int) -> int:
        return int(1 << self.min_level + layer)


Anchors = AnchorSpec | PyramidAnchorSpec


def anchors_from_json(value: dict[str, Any]) -> Anchors:
    """Create either kind from its JSON fields; runs of older versions lack newer fields."""
    kind = PyramidAnchorSpec if "scales_per_octave" in value else AnchorSpec
    return kind(**{name: _tuples(item) for name, item in value.items()})


def map_sides(
    input_size: int, layers: int = MAPS, first_level: int = FIRST_LEVEL
) -> tuple[int, ...]:
    """Side in cells of each map: every one halves the one before, rounded up."""
    return tuple(-(-input_size // (1 << first_level + layer)) for layer in range(layers))


def grid_anchors(
    spec: Anchors, input_size: int, layers: int = MAPS, first_level: int = FIRST_LEVEL
) -> NDArray[np.float32]:
    """All anchors, `(A, 4)` normalized `[ymin, xmin, ymax, xmax]`, not clipped.

    Order: map, row, column, shape, as the heads' outputs are reshaped.

    Args:
        spec: sizes and shapes.
        input_size: side of the network's input, pixels.
        layers: number of feature maps.
        first_level: the finest map's stride as a power of two.
    """
    grids = []
    shapes = spec.shapes(layers, input_size)
    for layer, side in enumerate(map_sides(input_size, layers, first_level)):
        (stride_y, stride_x), (offset_y, offset_x) = spec.grid(layer, side, input_size)
        cells = np.arange(side)
        y, x = np.meshgrid(cells * stride_y + offset_y, cells * stride_x + offset_x, indexing="ij")
        half_height, half_width = np.asarray(shapes[layer], np.float64).T / 2
        y, x = y[..., None], x[..., None]
        boxes = [y - half_height, x - half_width, y + half_height, x + half_width]
        grids.append(np.stack(boxes, axis=-1).reshape(-1, 4))
    return np.concatenate(grids).astype(np.float32)


def _fractions(pixels: Sequence[float], input_size: int) -> Shape:
    return pixels[0] / input_size, pixels[1] / input_size


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list | tuple) else value
