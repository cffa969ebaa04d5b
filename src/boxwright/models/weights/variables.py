"""The Object Detection API's variable names for our networks.

A layer's name is the API's scope below the backbone's, with underscores for slashes:
`expanded_conv_1_expand` for `FeatureExtractor/MobilenetV2/expanded_conv_1/expand`,
`BoxPredictor_0_ClassPredictor` for `BoxPredictor_0/ClassPredictor`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.quantized import is_range
from boxwright.models.ssd.network import BACKBONES

EXTRACTOR = "FeatureExtractor"
OURS = {
    "weights": "kernel",
    "depthwise_weights": "kernel",
    "biases": "bias",
    **{f"BatchNorm/{name}": name for name in ("gamma", "beta", "moving_mean", "moving_variance")},
}
_SCOPE = re.compile(
    rf"(?:{EXTRACTOR}/)?(?:{'|'.join(module.SCOPE for module in BACKBONES.values())})/"
    r"|(?=BoxPredictor_\d+/)"
)
_VARIABLE = re.compile(rf"/({'|'.join(OURS)})$")
_GROUP = re.compile(r"^(expanded_conv(?:_\d+)?|BoxPredictor_\d+)_(?=\D)")


class Place(NamedTuple):
    """The location of a variable in our networks: layer name and variable name."""

    layer: str
    variable: str


def place_of(name: str) -> Place | None:
    """The location of the API's variable `name`; None for a slot, a step or another network.

    The variables of a classifier's checkpoint, whose names lack `FeatureExtractor`, have the same
    locations.
    """
    scope, variable = _SCOPE.match(name), _VARIABLE.search(name)
    if not scope or not variable:
        return None
    layer = name[scope.end() : variable.start()].replace("/", "_")
    return Place(layer, OURS[variable[1]])


def variables_by_name(model: Any) -> dict[str, Any]:
    """Keras variables by their API name, for a network of `models.ssd`.

    Shapes are the API's too: kernels `(k, k, in, out)`, depthwise `(k, k, in, 1)`.
    """
    network = BACKBONES[model.name].SCOPE
    return {
        f"{_scope_of(layer, network)}/{_variable_of(layer, variable)}": variable
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


def _scope_of(layer: Any, network: str) -> str:
    scope = _GROUP.sub(r"\1/", layer.name)
    return scope if scope.startswith("BoxPredictor") else f"{EXTRACTOR}/{network}/{scope}"


def _variable_of(layer: Any, variable: Any) -> str:
    if is_range(variable):
        return "/".join(variable.path.split("/")[-2:])  # weights_quant/min
    if variable.name == "kernel":
        depthwise = isinstance(layer, ConvNorm) and layer.depthwise
        return "depthwise_weights" if depthwise else "weights"
    return "biases" if variable.name == "bias" else f"BatchNorm/{variable.name}"
