"""NanoDet-Plus as a `DetectionModel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models.model import (
    Candidates,
    DetectionModel,
    ExportHead,
    LayerGroup,
    Loss,
    Outputs,
    Suppress,
    Truth,
)
from boxwright.models.nanodet_plus.objective import Objective
from boxwright.models.nanodet_plus.spec import (
    BINS,
    HEADS,
    SIDES,
    SIZE_MULTIPLE,
    NanoDetSpec,
    name_of,
    priors,
)
from boxwright.models.nanodet_plus.tuning import TUNING
from boxwright.models.ranges import check_ranges
from boxwright.ops import box_coder
from boxwright.ops.operations import Operations

if TYPE_CHECKING:
    from boxwright.models.layers.quantized import QuantizationSpec
    from boxwright.models.weights.pretrained import Pretrained

REFERENCE_SIZE = 4.0  # strides: side of the boxes that encodings refer to
SMALLEST_SIZE = 1e-3  # strides: of a decoded box, whose logarithm is exported


class NanoDetModel(DetectionModel):
    """A NanoDet-Plus.

    Attributes:
        priors: `(A, 3)` NumPy float32, see `spec.priors`.
    """

    family = "nanodet_plus"
    objective_classes = (Objective,)
    tuning = TUNING
    size_multiple = SIZE_MULTIPLE
    decodes_exactly = True
    heads = HEADS
    spec: NanoDetSpec

    def __init__(self, spec: NanoDetSpec, network: Any, objective: Objective | None = None) -> None:
        super().__init__(spec, network, objective or Objective())
        self.priors = priors(spec.input_size)

    # ---- Architecture ----------------------------------------------------------------------------

    @classmethod
    def spec_from_json(cls, value: dict[str, Any]) -> NanoDetSpec:
        spec = NanoDetSpec(**value)
        check_ranges(spec)
        return spec

    @classmethod
    def spec_for(
        cls,
        num_classes: int,
        input_size: int,
        *,
        depth_multiplier: float | None = None,
        objective: Objective | None = None,
        quantization: QuantizationSpec | None = None,
        like: NanoDetSpec | None = None,
    ) -> NanoDetSpec:
        multiplier = depth_multiplier or 1.0
        spec = like or NanoDetSpec(num_classes, input_size, multiplier, name_of(multiplier))
        return replace(spec, num_classes=num_classes, input_size=input_size)

    @classmethod
    def build_network(cls, spec: NanoDetSpec, *, precision: str = "float32", **options: Any) -> Any:
        """The option is `frozen_through`, see `network.build`."""
        from boxwright.models.nanodet_plus.network import build

        return build(spec, precision=precision, **options)

    # ---- Training --------------------------------------------------------------------------------

    @classmethod
    def usual_objective(cls, *, pretrained: bool) -> tuple[Objective, dict[str, str]]:
        return Objective(), {}

    def losses(self, outputs: Outputs, truth: Truth, suppress: Suppress) -> Loss:
        from boxwright.models.nanodet_plus.losses import detection_loss

        return detection_loss(outputs, truth, self.priors, self.spec.input_size, self.objective)

    def layer_group_of(self, layer: str) -> LayerGroup:
        if layer.startswith(HEADS):
            return "heads"
        return "backbone" if layer.startswith(("stem", "stage")) else "extras"

    # ---- A pretrained start ----------------------------------------------------------------------

    @classmethod
    def reads(cls, path: Path) -> bool:
        from boxwright.models.weights.ncnn import is_ncnn

        return path.suffix == ".onnx" or is_ncnn(path)

    @classmethod
    def read_pretrained(cls, path: str | Path) -> Pretrained:
        from boxwright.models.nanodet_plus.pretrained import read_pretrained

        return read_pretrained(path)

    def load(self, pretrained: Pretrained) -> object:
        from boxwright.models.nanodet_plus.pretrained import load

        return load(self.network, pretrained)

    def start_classes(
        self,
        pretrained: Pretrained,
        images: NDArray[np.float32],
        truth: Truth,
        classes: tuple[str, ...],
    ) -> Sequence[object]:
        from boxwright.models.nanodet_plus.class_head import start_classes

        return start_classes(self, pretrained, images, truth, classes)

    # ---- Inference and export --------------------------------------------------------------------

    def decode(self, outputs: Outputs, ops: Operations) -> Candidates:
        left, top, right, bottom = self._distances(outputs, ops)
        y, x, stride = (ops.constant(each) for each in self._positions())
        boxes = ops.concat(
            [y - top * stride, x - left * stride, y + bottom * stride, x + right * stride], axis=-1
        )
        return Candidates(boxes, ops.sigmoid(outputs["class_logits"]))

    def export_head(self, outputs: Outputs, ops: Operations) -> ExportHead:
        """Boxes relative to squares around the cells' positions."""
        left, top, right, bottom = self._distances(outputs, ops)
        centers = ops.concat([bottom - top, right - left], axis=-1)
        sizes = ops.maximum(ops.concat([bottom + top, right + left], axis=-1), SMALLEST_SIZE)
        scale, _, log_scale, _ = scales = box_coder.SCALES
        codes = [
            centers * (scale / 2 / REFERENCE_SIZE),
            ops.log(sizes * (1 / REFERENCE_SIZE)) * log_scale,
        ]
        y, x, stride = self._positions()
        half = stride * (REFERENCE_SIZE / 2)
        squares = np.concatenate([y - half, x - half, y + half, x + half], axis=1)
        scores = ops.sigmoid(outputs["class_logits"])
        return ExportHead(ops.concat(codes, axis=-1), scores, squares, scales)

    def _positions(self) -> list[NDArray[np.float32]]:
        """Normalized y, x and stride of the cells, each `(A, 1)`."""
        return np.split(self.priors / np.float32(self.spec.input_size), 3, axis=1)

    def _distances(self, outputs: Outputs, ops: Operations) -> list[Any]:
        """From each cell to the left, top, right and bottom of its box, `(B, A, 1)` in strides:
        the expectation of the side's distribution."""
        logits = ops.reshape(outputs["side_logits"], (len(self.priors), SIDES, BINS))
        weighted = ops.softmax(logits) * ops.constant(np.arange(BINS, dtype=np.float32))
        distances = ops.sum(weighted, axis=-1)
        return [distances[..., side : side + 1] for side in range(SIDES)]
