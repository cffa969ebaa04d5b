"""The network of the Object Detection API that some layers belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.ssd.extra_maps import EXTRA_MAP
from boxwright.models.ssd.network import BACKBONES
from boxwright.models.ssd.spec import HeadSpec, ModelSpec
from boxwright.models.weights import coco_names
from boxwright.models.weights.pretrained import Arrays

PREPROCESSING = Preprocessing(300, scale=2 / 255)  # of networks that compute in floats

# A layer of each network whose filters are exactly this number times the depth multiplier.
_HEAD = "BoxPredictor_0_BoxEncodingPredictor"
_WIDEST = {
    "ssd_mobilenet_v1": ("Conv2d_13_pointwise", 1024),
    "ssd_mobilenet_v2": ("expanded_conv_16_project", 320),
}


def spec_of(layers: Mapping[str, Arrays], source: Path) -> ModelSpec:
    """The spec of the network with these layers.

    The smallest depth works as `min_depth`, whatever that was: no layer is below it. The class
    head has a background column.

    Raises:
        WeightsError: BW202 it is another network.
    """
    for name, (layer, filters) in _WIDEST.items():
        if layer not in layers:
            continue
        depths = [
            arrays["kernel"].shape[-1]
            for at, arrays in layers.items()
            if "kernel" in arrays and not at.endswith(("Predictor", "depthwise"))
        ]
        columns, boxes = (
            layers.get(f"BoxPredictor_1_{head}", {}).get("bias", np.zeros(0)).size
            for head in ("ClassPredictor", "BoxEncodingPredictor")
        )
        head = layers.get(f"{_HEAD}_depthwise", layers.get(_HEAD, {}))
        return ModelSpec(
            num_classes=max(0, 4 * columns // max(1, boxes) - 1),
            depth_multiplier=layers[layer]["kernel"].shape[-1] / filters,
            name=name,
            min_depth=min(ModelSpec.min_depth, *depths),
            background=True,
            depthwise_maps=any(EXTRA_MAP.search(at) and at.endswith("depthwise") for at in layers),
            heads=HeadSpec(
                kernel=head["kernel"].shape[0] if head else 1,
                depthwise=f"{_HEAD}_depthwise" in layers,
            ),
        )
    known = " nor ".join(BACKBONES)
    raise WeightsError("BW202", f"contains neither {known}.", where=source)


def classes_of(spec: ModelSpec) -> tuple[str, ...]:
    """The class names of a file that has none: those of COCO, if there are as many."""
    if spec.num_classes == len(coco_names.NAMES):
        return coco_names.NAMES
    return tuple(f"class {i}" for i in range(1, spec.num_classes + 1))
