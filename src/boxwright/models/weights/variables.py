"""The Object Detection API's variable names for our networks.

A layer's name is the API's scope below the backbone's, with underscores for slashes:
`expanded_conv_1_expand` for `FeatureExtractor/MobilenetV2/expanded_conv_1/expand`,
`BoxPredictor_0_ClassPredictor` for `BoxPredictor_0/ClassPredictor`.

A feature pyramid's maps share the kernels of their heads. We have a layer for each map, the API one
scope for all: `WeightSharedConvolutionalBoxPredictor/PredictionTower/conv2d_0/weights` is the
kernel of `BoxPredictor_0_PredictionTower_conv2d_0`, `BoxPredictor_1_...` and so on, whose batch
norms have the number of their map: `.../conv2d_0/BatchNorm/feature_1/gamma`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.depthwise import Depthwise
from boxwright.models.layers.quantized import is_range
from boxwright.models.ssd.network import BACKBONES
from boxwright.models.ssd.spec import PYRAMID

EXTRACTOR = "FeatureExtractor"
SHARED = "WeightSharedConvolutionalBoxPredictor"
EVERY_MAP = "BoxPredictor_*_"  # what the names of layers with shared kernels begin with
OURS = {
    "weights": "kernel",
    "depthwise_weights": "kernel",
    "pointwise_weights": "kernel",
    "biases": "bias",
    **{f"BatchNorm/{name}": name for name in ("gamma", "beta", "moving_mean", "moving_variance")},
}
_SCOPE = re.compile(
    rf"(?:{EXTRACTOR}/)?(?:{'|'.join(sorted({each.SCOPE for each in BACKBONES.values()}))})/"
    rf"|(?=BoxPredictor_\d+/)|{SHARED}/"
)
_VARIABLE = re.compile(rf"/({'|'.join(OURS)})$")
_GROUP = re.compile(r"^(expanded_conv(?:_\d+)?|BoxPredictor_\d+|fpn)_(?=\D)")
_MAP = re.compile(r"/feature_(\d+)(?=/)")
_DEPTHWISE = "_depthwise"  # suffix of the layer that is the first half of a separable convolution
_SHARED_LAYER = re.compile(r"BoxPredictor_(\d+)_(?:(?P<tower>\w*Tower)_)?(?P<layer>\w+)")
_SHARED_HEADS = {"BoxPredictor": "BoxEncodingPredictor"}  # the API's name, and ours


class Place(NamedTuple):
    """The location of a variable in our networks: layer name and variable name. The name of layers
    that share the variable begins with EVERY_MAP."""

    layer: str
    variable: str


def place_of(name: str) -> Place | None:
    """The location of the API's variable `name`; None for a slot, a step or another network.

    The variables of a classifier's checkpoint, whose names lack `FeatureExtractor`, have the same
    locations.
    """
    number, name = _MAP.search(name), _MAP.sub("", name)
    scope, variable = _SCOPE.match(name), _VARIABLE.search(name)
    if not scope or not variable:
        return None
    layer = name[scope.end() : variable.start()].replace("/", "_")
    shared = name.startswith(f"{SHARED}/")
    if shared:
        start = f"BoxPredictor_{number[1]}_" if number else EVERY_MAP
        layer = f"{start}{_SHARED_HEADS.get(layer, layer)}"
    if variable[1] == "depthwise_weights" and (shared or layer.startswith("fpn_")):
        layer += _DEPTHWISE
    return Place(layer, OURS[variable[1]])


def variables_by_name(model: Any) -> dict[str, Any]:
    """Keras variables by their API name, for a network of `models.ssd`.

    Shapes are the API's too: kernels `(k, k, in, out)`, depthwise `(k, k, in, 1)`.
    """
    pointwise = {
        layer.name.removesuffix(_DEPTHWISE)
        for layer in model.layers
        if isinstance(layer, Depthwise)
    }
    return {
        f"{scope_of(layer, model.name)}/{_variable_of(layer, variable, pointwise)}": variable
        for layer in model.layers
        for variable in stored_variables(layer)
    }


def stored_variables(layer: Any) -> list[Any]:
    """The variables of a layer that exist in the API's files, which omit an unused gamma or
    beta."""
    if not isinstance(layer, ConvNorm):
        return list(layer.weights)
    absent = {"gamma": not layer.spec.scale, "beta": not layer.spec.center}
    return [variable for variable in layer.weights if not absent.get(variable.name)]


def scope_of(layer: Any, network: str) -> str:
    """The API's scope of the variables of a layer, of a network of that name."""
    name = layer.name.removesuffix(_DEPTHWISE) if isinstance(layer, Depthwise) else layer.name
    if network.endswith(PYRAMID) and (found := _SHARED_LAYER.fullmatch(name)):
        heads = {ours: theirs for theirs, ours in _SHARED_HEADS.items()}
        parts = (SHARED, found["tower"], heads.get(found["layer"], found["layer"]))
        return "/".join(filter(None, parts))
    scope = _GROUP.sub(r"\1/", name)
    if scope.startswith("BoxPredictor"):
        return scope
    return f"{EXTRACTOR}/{BACKBONES[network].SCOPE}/{scope}"


def node_scope_of(layer: Any, network: str) -> str:
    """The API's scope of the nodes of a layer: maps that share kernels have nodes of their own."""
    scope, found = scope_of(layer, network), _SHARED_LAYER.match(layer.name)
    if found and int(found[1]) and scope.startswith(SHARED):
        return scope.replace(SHARED, f"{SHARED}_{found[1]}", 1)
    return scope


def _variable_of(layer: Any, variable: Any, pointwise: Collection[str]) -> str:
    if is_range(variable):
        return "/".join(variable.path.split("/")[-2:])  # weights_quant/min
    if variable.name == "kernel":
        if layer.name in pointwise:
            return "pointwise_weights"
        return "depthwise_weights" if getattr(layer, "depthwise", False) else "weights"
    if variable.name == "bias":
        return "biases"
    found = _SHARED_LAYER.fullmatch(layer.name)
    part = f"feature_{found[1]}/" if found and found["tower"] else ""
    return f"BatchNorm/{part}{variable.name}"
