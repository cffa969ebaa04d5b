"""Anchors (priors): the boxes that a single-shot detector starts from.

Source: the Object Detection API's multiple-grid anchor generator with its SSD defaults
(`ssd_anchor_generator`), after Liu et al., "SSD: Single Shot MultiBox Detector", section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAPS, FIRST_STRIDE = 6, 16  # of SSD MobileNet; in maps and pixels


@dataclass(frozen=True)
class AnchorSpec:
    """Sizes and shapes of the anchors, as fractions of the input's side.

    Attributes:
        min_scale, max_scale: side of the square anchor on the finest and the coarsest map;
            the maps between are spaced evenly.
        aspect_ratios: width over height. The API's files hold 0.333299994..., not 1/3.
        scale_factor: multiplies every size; `300 / S` keeps the pixel sizes that a network
            pretrained at 300 px knows when its input becomes `S` px.
    """

    min_scale: float = 0.2
    max_scale: float = 0.95
    aspect_ratios: tuple[float, ...] = field(default=(1.0, 2.0, 0.5, 3.0, 0.333299994469))
    scale_factor: float = 1.0

    def per_location(self, layers: int) -> tuple[int, ...]:
        """How many anchors stand on each cell of each of `layers` maps."""
        return (3, *[len(self.aspect_ratios) + 1] * (layers - 1))

    def to_json(self) -> dict[str, Any]:
        return {
            "min_scale": self.min_scale,
            "max_scale": self.max_scale,
            "aspect_ratios": list(self.aspect_ratios),
            "scale_factor": self.scale_factor,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AnchorSpec:
        return cls(
            float(value["min_scale"]),
            float(value["max_scale"]),
            tuple(float(ratio) for ratio in value["aspect_ratios"]),
            float(value["scale_factor"]),
        )


def map_sides(input_size: int) -> tuple[int, ...]:
    """Side in cells of each map of SSD MobileNet: every one halves the one before, rounded up."""
    return tuple(-(-input_size // (FIRST_STRIDE << level)) for level in range(MAPS))


def ssd_anchors(spec: AnchorSpec, sides: Sequence[int]) -> NDArray[np.float32]:
    """All anchors, `(A, 4)` normalised `[ymin, xmin, ymax, xmax]`, not clipped.

    Order: map, row, column, shape, as the heads' outputs are reshaped. The finest map carries
    three shapes, one of them at half the scale; each other map carries every aspect ratio and
    one more square whose scale lies between its own and the next map's.

    Args:
        spec: sizes and shapes.
        sides: side of each square feature map in cells, finest first.
    """
    layers = len(sides)
    scales = [*np.linspace(spec.min_scale, spec.max_scale, layers), 1.0]
    grids = []
    for layer, side in enumerate(sides):
        scale, next_scale = scales[layer], scales[layer + 1]
        if layer == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [(scale, ratio) for ratio in spec.aspect_ratios]
            shapes.append((np.sqrt(scale * next_scale), 1.0))
        grids.append(_grid(side, shapes, spec.scale_factor))
    return np.concatenate(grids).astype(np.float32)


def centred(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes `(A, 4)` yxyx as centre y, centre x, height, width, as TFLite wants its anchors."""
    near, far = boxes[:, :2], boxes[:, 2:]
    converted: NDArray[np.float32] = np.concatenate([(near + far) / 2, far - near], axis=1)
    return converted


def _grid(side: int, shapes: list[tuple[float, float]], factor: float) -> NDArray[np.float64]:
    """Every shape `(scale, aspect ratio)` on every cell centre: `(side * side * shapes, 4)`."""
    centres = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(centres, centres, indexing="ij")
    scale, ratio = np.asarray(shapes, np.float64).T
    half_height = factor * scale / np.sqrt(ratio) / 2
    half_width = factor * scale * np.sqrt(ratio) / 2
    y, x = y[..., None], x[..., None]
    boxes = [y - half_height, x - half_width, y + half_height, x + half_width]
    return np.stack(boxes, axis=-1).reshape(-1, 4)
