"""SSD MobileNet with a feature pyramid, as FPNLite, as a `DetectionModel`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd_fpn.tuning import TUNING

if TYPE_CHECKING:
    from boxwright.models.ssd.spec import ModelSpec


class SsdFpnModel(SsdModel):
    """An SSD whose maps are a feature pyramid's and share their heads.

    It is an `SsdModel` with `ModelSpec.pyramid`: targets, losses and decoding are the same.
    """

    family = "ssd_fpn"
    quantization_aware = False
    reach = None
    tuning = TUNING
    size_multiple = 32  # maps of neighboring levels of the backbone are twice as large, exactly

    @classmethod
    def published_spec(cls, num_classes: int, depth_multiplier: float) -> ModelSpec:
        from boxwright.models.ssd.spec import fpnlite

        return fpnlite(num_classes, depth_multiplier)

    @classmethod
    def reads(cls, path: Path) -> bool:
        from boxwright.models.weights.loading import has_pyramid

        return super().reads(path) and has_pyramid(path)
