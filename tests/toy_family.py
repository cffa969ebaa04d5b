"""A detector family without anchors: a heat map of centers with box sizes (after Zhou et al. 2019,
"Objects as Points"). It is what an author of a family writes, and no more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.model import (
    Candidates,
    DetectionModel,
    ExportHead,
    Loss,
    Outputs,
    Suppress,
    Truth,
)
from boxwright.ops.operations import Operations

keras: Any = framework.keras()
k: Any = keras.ops
STRIDE, USUAL_SIZE = 8, 0.3  # pixels to a cell; of a box, in parts of the image


@dataclass(frozen=True)
class CenterSpec:
    num_classes: int
    input_size: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class CenterModel(DetectionModel):
    family = "centers"
    spec: CenterSpec

    @classmethod
    def spec_from_json(cls, value: dict[str, Any]) -> CenterSpec:
        return CenterSpec(**value)

    @classmethod
    def spec_for(cls, num_classes: int, input_size: int, **_: Any) -> CenterSpec:
        return CenterSpec(num_classes, input_size)

    @classmethod
    def build_network(cls, spec: CenterSpec, *, precision: str = "float32", **_: Any) -> Any:
        x = images = keras.Input((spec.input_size, spec.input_size, 3), name="images")
        for filters, stride in ((16, 2), (32, 2), (48, 2), (48, 1)):
            x = keras.layers.Conv2D(
                filters, 3, stride, "same", activation="relu6", dtype=precision
            )(x)
        rare = keras.initializers.Constant(-3.0)  # as centers are
        heat = keras.layers.Conv2D(spec.num_classes, 1, bias_initializer=rare, dtype="float32")(x)
        places = keras.layers.Conv2D(4, 1, dtype="float32")(x)  # shift y, x, log height, log width
        return keras.Model(images, {"heat": heat, "places": places}, name="centers")

    def _cells(self) -> int:
        return -(-self.spec.input_size // STRIDE)

    def losses(self, outputs: Outputs, truth: Truth, suppress: Suppress) -> Loss:
        """A cell in the middle half of a box answers for it, of several for the first."""
        low, high = truth.boxes[..., :2], truth.boxes[..., 2:]
        center, size = (low + high) / 2, k.maximum(high - low, 1e-3)
        side = (k.arange(self._cells(), dtype="float32") + 0.5) / self._cells()
        cells = k.stack(k.meshgrid(side, side, indexing="ij"), axis=-1)
        apart = k.abs(cells - center[:, :, None, None])  # (B, G, H, W, 2)
        inside = k.all(apart < size[:, :, None, None] / 4, axis=-1)
        answers = k.cast(inside, "float32") * truth.weights[..., None, None]
        answers = k.where(truth.labels[..., None, None] >= 0, answers, 0.0)
        best = k.argmax(answers, axis=1)[..., None]
        weight = k.max(answers, axis=1)[..., None]  # (B, H, W, 1)

        def of_cell(values: Any) -> Any:
            picked = k.one_hot(best[..., 0], values.shape[1], dtype="float32")
            return k.einsum("bhwg,bgc->bhwc", picked, k.cast(values, "float32"))

        wanted = k.concatenate(
            [(of_cell(center) - cells) * self._cells(), k.log(of_cell(size) / USUAL_SIZE)], axis=-1
        )
        named = of_cell(k.one_hot(truth.labels, self.spec.num_classes)) * k.sign(weight)
        heat = k.sigmoid(outputs["heat"])
        wrong = k.square(named - heat) * k.binary_crossentropy(named, heat)
        count = k.maximum(k.sum(weight), 1.0)
        classes = 4 * k.sum(wrong) / count
        boxes = k.sum(weight * k.abs(outputs["places"] - wanted)) / count
        return Loss(classes + boxes, classes, boxes)

    def decode(self, outputs: Outputs, ops: Operations) -> Candidates:
        """Every cell proposes a box."""
        shift, size = self._places(outputs, ops)[..., :2], self._places(outputs, ops)[..., 2:]
        center = shift / self._cells() + ops.constant(self._middles())
        half = ops.exp(size) * (USUAL_SIZE / 2)
        boxes = ops.concat([center - half, center + half], axis=-1)
        return Candidates(boxes, self._scores(outputs, ops))

    def export_head(self, outputs: Outputs, ops: Operations) -> ExportHead:
        """The network's own numbers, which 8 bits hold better than decoded boxes."""
        middles, shift = self._middles(), USUAL_SIZE * self._cells()
        cells = np.concatenate([middles - USUAL_SIZE / 2, middles + USUAL_SIZE / 2], axis=1)
        places, scores = self._places(outputs, ops), self._scores(outputs, ops)
        return ExportHead(places, scores, cells, (shift, shift, 1.0, 1.0))

    def _middles(self) -> NDArray[np.float32]:
        """`(A, 2)` y and x of the cells' middles, in parts of the image."""
        middles = np.indices((self._cells(), self._cells())).reshape(2, -1).T + 0.5
        return (middles / self._cells()).astype(np.float32)

    def _places(self, outputs: Outputs, ops: Operations) -> Any:
        return ops.reshape(outputs["places"], (self._cells() ** 2, 4))

    def _scores(self, outputs: Outputs, ops: Operations) -> Any:
        heat = ops.sigmoid(outputs["heat"])
        return ops.reshape(heat, (self._cells() ** 2, self.spec.num_classes))
