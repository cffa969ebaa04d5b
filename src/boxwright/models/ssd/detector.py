"""SSD MobileNet as a `DetectionModel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

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
from boxwright.models.ssd.objective import OBJECTIVE_CLASSES, Objective, Varifocal
from boxwright.models.ssd.reach import REACH
from boxwright.ops import box_coder
from boxwright.ops.operations import Operations

if TYPE_CHECKING:
    from boxwright.datasets.stats import Reach
    from boxwright.models.layers.quantized import QuantizationSpec
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights.pretrained import Pretrained


class SsdModel(DetectionModel):
    """An SSD with a MobileNet v1 or v2 backbone.

    Attributes:
        anchors: `(A, 4)` NumPy float32, normalized yxyx.
    """

    family = "ssd"
    objective_classes = OBJECTIVE_CLASSES
    quantization_aware = True
    reach: ClassVar[Reach | None] = REACH
    spec: ModelSpec

    def __init__(self, spec: ModelSpec, network: Any, objective: Objective | None = None) -> None:
        from boxwright.backend import framework
        from boxwright.models.ssd.spec import anchors

        super().__init__(spec, network, objective or Objective())
        self.anchors = anchors(spec)
        self._tensor = framework.keras().ops.convert_to_tensor(self.anchors)

    # ---- Architecture ----------------------------------------------------------------------------

    @classmethod
    def spec_from_json(cls, value: dict[str, Any]) -> ModelSpec:
        from boxwright.models.ssd.spec import ModelSpec

        return ModelSpec.from_json(value)

    @classmethod
    def spec_for(
        cls,
        num_classes: int,
        input_size: int,
        *,
        depth_multiplier: float | None = None,
        objective: Objective | None = None,
        quantization: QuantizationSpec | None = None,
        like: ModelSpec | None = None,
    ) -> ModelSpec:
        """Anchors keep the pixel sizes of the pretrained or published network, and so its
        spacing."""
        spec = like or cls.published_spec(num_classes, depth_multiplier or 1.0)
        return replace(
            spec.resized(input_size),
            num_classes=num_classes,
            background=objective is not None and objective.background is not None,
            quantization=quantization,
        )

    @classmethod
    def published_spec(cls, num_classes: int, depth_multiplier: float) -> ModelSpec:
        """The spec of the published network."""
        from boxwright.models.ssd.spec import ModelSpec

        return ModelSpec(num_classes, depth_multiplier)

    @classmethod
    def build_network(cls, spec: ModelSpec, *, precision: str = "float32", **options: Any) -> Any:
        """Options are `frozen_through` and `initializers`, see `network.build`."""
        from boxwright.models.ssd.network import build

        return build(spec, precision=precision, **options)

    # ---- Training --------------------------------------------------------------------------------

    @classmethod
    def usual_objective(cls, *, pretrained: bool) -> tuple[Objective, dict[str, str]]:
        if pretrained:
            return Objective(classification_loss=Varifocal()), {}
        drowned = "from scratch, the box loss dominates the gradients"
        return Objective(class_weight=4.0), {"objective.class_weight": drowned}

    def losses(self, outputs: Outputs, truth: Truth, suppress: Suppress) -> Loss:
        from boxwright.models.ssd.losses import detection_loss

        boxes, labels, weights, verified = truth
        return detection_loss(
            outputs,
            boxes,
            labels,
            weights,
            self._tensor,
            self.objective,
            suppress,
            self.spec.box_scales,
            verified=verified,
        )

    def layer_group_of(self, layer: str) -> LayerGroup:
        from boxwright.models.ssd.extra_maps import EXTRA_MAP

        if layer.startswith("BoxPredictor"):
            return "heads"
        return "extras" if EXTRA_MAP.search(layer) else "backbone"

    def named_variables(self) -> dict[str, Any]:
        """The variables by their Object Detection API names."""
        from boxwright.models.weights.variables import variables_by_name

        return variables_by_name(self.network)

    # ---- A pretrained start ----------------------------------------------------------------------

    @classmethod
    def reads(cls, path: Path) -> bool:
        from boxwright.models.weights.loading import readable

        return readable(path)

    @classmethod
    def read_pretrained(cls, path: str | Path) -> Pretrained:
        from boxwright.models.weights.loading import read_pretrained

        return read_pretrained(path)

    def load(self, pretrained: Pretrained) -> object:
        from boxwright.models.weights.loading import load

        return load(self.network, pretrained)

    def start_classes(
        self,
        pretrained: Pretrained,
        images: NDArray[np.float32],
        truth: Truth,
        classes: tuple[str, ...],
    ) -> Sequence[object]:
        from boxwright.models.ssd.class_head import apply_class_head_init, pretrained_scores
        from boxwright.models.weights.class_head import find_class_head_init

        if not pretrained.classes:  # a classifier has no class head to start from
            return ()
        scores = pretrained_scores(self.network, pretrained, images)
        anchors = np.broadcast_to(self.anchors, (len(images), *self.anchors.shape))
        starts = find_class_head_init(
            pretrained.classes, scores, anchors, truth.boxes, truth.labels, classes
        )
        apply_class_head_init(self.network, pretrained, starts, classes)
        return starts

    # ---- Inference and export --------------------------------------------------------------------

    def decode(self, outputs: Outputs, ops: Operations) -> Candidates:
        boxes = box_coder.decode(
            outputs["box_encodings"], ops.constant(self.anchors), ops, self.spec.box_scales
        )
        return Candidates(boxes, ops.sigmoid(outputs["class_logits"]))

    def export_head(self, outputs: Outputs, ops: Operations) -> ExportHead:
        """The network's own encodings, relative to the anchors."""
        scores = ops.sigmoid(outputs["class_logits"])
        return ExportHead(outputs["box_encodings"], scores, self.anchors, self.spec.box_scales)

    def shows_part_of(self, layer: str) -> bool:
        """True for box heads, whose range covers confident anchors only."""
        return "BoxEncoding" in layer
