"""The network of the Object Detection API that some layers belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.necks import fpn
from boxwright.models.ssd.extra_maps import EXTRA_MAP
from boxwright.models.ssd.fpn import SHARED_TOWER
from boxwright.models.ssd.spec import LAST_OF_BACKBONE, HeadSpec, ModelSpec, PyramidSpec
from boxwright.models.weights import coco_names
from boxwright.models.weights.pretrained import Arrays
from boxwright.models.weights.variables import EVERY_MAP

PREPROCESSING = Preprocessing(300, scale=2 / 255)  # of networks that compute in floats

# A layer of each network whose filters are exactly this number times the depth multiplier.
_HEAD = "BoxPredictor_0_BoxEncodingPredictor"
_WIDEST = {
    "ssd_mobilenet_v1": ("Conv2d_13_pointwise", 1024),
    "ssd_mobilenet_v2": ("expanded_conv_16_project", 320),
}
_OF_PYRAMID = {"ssd_mobilenet_v1": ("Conv2d_11_pointwise", 512)}  # later blocks may be narrower
_MAP = re.compile(r"BoxPredictor_(\d+)_")
_TOWER = re.compile(r"BoxPredictor_0_(\w*PredictionTower)_conv2d_(\d+)")


def spec_of(layers: Mapping[str, Arrays], source: Path) -> ModelSpec:
    """The spec of the network with these layers.

    The smallest depth works as `min_depth`, whatever that was: no layer is below it. The class
    head has a background column.

    Raises:
        WeightsError: BW202 it is another network.
    """
    has_pyramid = f"{fpn.SCOPE}projection_1" in layers
    widest = _WIDEST | _OF_PYRAMID if has_pyramid else _WIDEST
    for name, (layer, filters) in widest.items():
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
        spec = ModelSpec(
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
        return _with_pyramid(spec, layers) if has_pyramid else spec
    known = " nor ".join(_WIDEST)
    raise WeightsError("BW202", f"contains neither {known}.", where=source)


def for_every_map(layers: Mapping[str, Arrays]) -> dict[str, Arrays]:
    """The layers, with those that the maps of a pyramid share once for each map."""
    own = {name: arrays for name, arrays in layers.items() if not name.startswith(EVERY_MAP)}
    maps = {found[1] for name in own if (found := _MAP.match(name))}
    for name, arrays in layers.items():
        for number in maps if name.startswith(EVERY_MAP) else ():
            layer = name.replace(EVERY_MAP, f"BoxPredictor_{number}_")
            own[layer] = own.get(layer, {}) | arrays
    return own


def _with_pyramid(spec: ModelSpec, layers: Mapping[str, Arrays]) -> ModelSpec:
    """The spec of a network with a feature pyramid, and the anchors of the API's samples."""
    projections, coarser = (
        sum(bool(re.fullmatch(rf"{fpn.SCOPE}{part}_\d+", name)) for name in layers)
        for part in ("projection", "bottom_up_Conv2d")
    )
    filters = layers[f"{fpn.SCOPE}projection_1"]["kernel"].shape[-1]
    pyramid = PyramidSpec(
        LAST_OF_BACKBONE + 1 - projections,
        LAST_OF_BACKBONE + coarser,
        round(filters / spec.depth_multiplier),
    )
    towers = [found for name in layers if (found := _TOWER.fullmatch(name))]
    depth = max((layers[found[0]]["kernel"].shape[-1] for found in towers), default=0)
    heads = replace(
        spec.heads,
        layers=len({found[2] for found in towers}),
        min_depth=depth,
        max_depth=depth,
        shared_tower=any(found[1] == SHARED_TOWER for found in towers),
    )
    return spec.with_pyramid(pyramid, heads)


def classes_of(spec: ModelSpec) -> tuple[str, ...]:
    """The class names of a file that has none: those of COCO, if there are as many."""
    if spec.num_classes == len(coco_names.NAMES):
        return coco_names.NAMES
    return tuple(f"class {i}" for i in range(1, spec.num_classes + 1))
