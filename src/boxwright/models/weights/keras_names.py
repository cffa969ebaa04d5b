"""Names of the Object Detection API's TensorFlow 2 models, as names of its TensorFlow 1 models.

Both have the same layers. `block_1_expand/kernel` of Keras is
`FeatureExtractor/MobilenetV2/expanded_conv_1/expand/weights`, and
`PredictionTower/conv2d_0/BatchNorm/feature_3/gamma` has the same name below
`WeightSharedConvolutionalBoxPredictor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from boxwright.models.backbones import mobilenet_v1, mobilenet_v2
from boxwright.models.weights.variables import EXTRACTOR, SHARED

VARIABLES = {
    "kernel": "weights",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
    "bias": "biases",
    **{name: f"BatchNorm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")},
}
_Rules = tuple[tuple[str, str], ...]  # the end of a Keras layer's name, and the scope
_V1: _Rules = (
    (r"conv1(?:_bn)?", "Conv2d_0"),
    (r"conv_dw_(\d+)(?:_bn)?", r"Conv2d_\1_depthwise"),
    (r"conv_pw_(\d+)(?:_bn)?", r"Conv2d_\1_pointwise"),
)
_V2: _Rules = (
    (r"Conv1|bn_Conv1", "Conv"),
    (r"expanded_conv_(depthwise|project)(?:_BN)?", r"expanded_conv/\1"),
    (r"block_(\d+)_(expand|depthwise|project)(?:_BN)?", r"expanded_conv_\1/\2"),
    (r"Conv_1(?:_bn)?", "Conv_1"),
)
_ON_TOP: _Rules = (
    (r"(projection_\d+)", r"fpn/\1"),
    (r"(smoothing_\d+|bottom_up_Conv2d_\d+)_(?:depthwise_conv|conv|batchnorm)", r"fpn/\1"),
    (
        rf"((?:{mobilenet_v1.LAST}|{mobilenet_v2.LAST})_[12]_Conv2d_\w+?)_(?:conv|batchnorm)",
        r"\1",
    ),
)
_HEADS: _Rules = (
    (r"(\w*PredictionTower/conv2d_\d+(?:/BatchNorm/feature_\d+)?)", rf"{SHARED}/\1"),
    (r"WeightSharedConvolutional\w+Head/(BoxPredictor|ClassPredictor)", rf"{SHARED}/\1"),
    (
        r"Convolutional\w+Head_(\d+)/(\w+?Predictor(?:_depthwise)?)(?:_batchnorm)?",
        r"BoxPredictor_\1/\2",
    ),
    (r"SharedConvolutions_(\d+)/(Conv2d_\d+_1x1_\d+)(?:_norm)?", r"BoxPredictor_\1/\2"),
)


def scopes_of(layers: Iterable[str]) -> dict[str, str]:
    """The scopes of the layers of one network, by their Keras names; other names are left out."""
    names = list(layers)
    second = any(_translated(name, _V2) for name in names)
    rules, network = (_V2, mobilenet_v2.SCOPE) if second else (_V1, mobilenet_v1.SCOPE)
    found = {}
    for name in names:
        if scope := _translated(name, rules + _ON_TOP):
            found[name] = f"{EXTRACTOR}/{network}/{scope}"
        elif scope := _translated(name, _HEADS):
            found[name] = scope
    return found


def api_names(variables: Iterable[str]) -> dict[str, str]:
    """The API's TensorFlow 1 names of the variables of one network, by their Keras names."""
    parts = {name: name.rpartition("/") for name in variables}
    scopes = scopes_of(layer for layer, _, _ in parts.values())
    found = {}
    for name, (layer, _, variable) in parts.items():
        if layer in scopes and variable in VARIABLES:
            end = variable if "/BatchNorm/" in layer else VARIABLES[variable]
            found[name] = f"{scopes[layer]}/{end}"
    return found


def _translated(name: str, rules: _Rules) -> str | None:
    for pattern, scope in rules:
        if found := re.search(rf"(?:^|/)(?:{pattern})$", name):
            return found.expand(scope)
    return None
