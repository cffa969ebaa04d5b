"""The object-based checkpoints of TensorFlow 2, with the names of TensorFlow 1's.

Such a file has a graph of objects. Its values are named by their paths from the root, such as
`model/_feature_extractor/classification_backbone/layer_with_weights-0/kernel`, and TensorFlow
restores them along the edges of the graph. A variable of the graph also has a name, by which it is
read here: that of Keras (`keras_names`), or in our files that of TensorFlow 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.models.weights.keras_names import VARIABLES, api_names
from boxwright.models.weights.variables import EXTRACTOR, SHARED, place_of

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
STEP, GLOBAL_STEP = "step", "global_step"
OPTIMIZER, MODEL = "optimizer", "model"
# Slots of Keras' optimizers, and of TensorFlow 1's.
SLOTS = {"rms": "RMSProp", "m": "Adam", "v": "Adam_1"}
MOMENTUM, WITH_RMS = "Momentum", "RMSProp_1"  # both are called momentum in Keras

Values = Mapping[str, NDArray[Any]]


def named(values: Values) -> dict[str, NDArray[Any]]:
    """The values of an object-based checkpoint, by the names that TensorFlow 1 would give them;
    those of other objects by their paths.

    Args:
        values: all values of the file by their paths.

    Raises:
        ValueError: the graph is damaged.
    """
    graph = _graph(np.asarray(values[GRAPH]).item())
    keys = {}  # of variables, by node
    names = {}  # of Keras, by node
    for number, node in enumerate(graph.nodes):
        for attribute in node.attributes:
            if attribute.name == VALUE and attribute.checkpoint_key in values:
                keys[number], names[number] = attribute.checkpoint_key, attribute.full_name
    own = api_names(names.values()) | {name: name for name in names.values() if place_of(name)}
    if MODEL not in {child.local_name for child in graph.nodes[0].children}:  # a classifier
        own = {name: ours.removeprefix(f"{EXTRACTOR}/") for name, ours in own.items()}
    found = {own[name]: keys[number] for number, name in names.items() if name in own}
    for child in graph.nodes[0].children:
        if child.local_name == STEP and child.node_id in keys:
            found[GLOBAL_STEP] = keys[child.node_id]
    for number, slot, variable in _slots(graph):
        if names.get(number) in own and variable in keys:
            found[f"{own[names[number]]}/{slot}"] = keys[variable]
    others = values.keys() - set(found.values()) - {GRAPH}
    return {name: values[key] for name, key in found.items()} | {key: values[key] for key in others}


def _slots(graph: Any) -> list[tuple[int, str, int]]:
    """Variable, name and node of each optimizer slot."""
    slots = [slot for node in graph.nodes for slot in node.slot_variables]
    momentum = WITH_RMS if any(slot.slot_name == "rms" for slot in slots) else MOMENTUM
    return [
        (
            slot.original_variable_node_id,
            SLOTS.get(slot.slot_name, momentum),
            slot.slot_variable_node_id,
        )
        for slot in slots
    ]


def _graph(content: bytes) -> Any:
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        graph = TrackableObjectGraph.FromString(content)
    except Exception as error:  # protobuf's error class is not public
        raise ValueError("its object graph is damaged") from error
    if not graph.nodes:
        raise ValueError("its object graph is empty")
    return graph


def graph_of(
    names: Sequence[str], slots: Sequence[str], dropout: bool
) -> tuple[bytes, dict[str, str]]:
    """The object graph of a training's checkpoint as the API writes it, and the path of each value.

    Args:
        names: TensorFlow 1 names of all variables of a network, in the order of its layers.
        slots: of these, with the optimizer's: `VARIABLE/SLOT`.
        dropout: True if the class head drops inputs.
    """
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    graph = TrackableObjectGraph()
    nodes: dict[tuple[str, ...], int] = {(): 0}  # by path
    graph.nodes.add()

    def node_of(path: tuple[str, ...]) -> int:
        if path not in nodes:
            above = node_of(path[:-1])
            graph.nodes.add()
            nodes[path] = len(graph.nodes) - 1
            graph.nodes[above].children.add(node_id=nodes[path], local_name=path[-1])
        return nodes[path]

    def keep(path: str, name: str) -> str:
        node = graph.nodes[node_of(tuple(path.split("/")))]
        key = f"{path}/.ATTRIBUTES/{VALUE}"
        node.attributes.add(name=VALUE, full_name=name, checkpoint_key=key)
        return key

    paths = {name: f"{MODEL}/{path}" for name, path in _paths(names, dropout).items()}
    keys = {name: keep(path, name) for name, path in paths.items()}
    keys[GLOBAL_STEP] = keep(STEP, GLOBAL_STEP)
    keras = {theirs: ours for ours, theirs in SLOTS.items()} | dict.fromkeys(
        (MOMENTUM, WITH_RMS), "momentum"
    )
    optimizer = graph.nodes[node_of((OPTIMIZER,))]
    for name in slots:
        variable, _, slot = name.rpartition("/")
        if variable in paths and slot in keras:
            graph.nodes.add()
            number, own = len(graph.nodes) - 1, paths[variable]
            key = f"{own}/.OPTIMIZER_SLOT/{OPTIMIZER}/{keras[slot]}/.ATTRIBUTES/{VALUE}"
            graph.nodes[number].attributes.add(name=VALUE, full_name=name, checkpoint_key=key)
            optimizer.slot_variables.add(
                original_variable_node_id=nodes[tuple(own.split("/"))],
                slot_name=keras[slot],
                slot_variable_node_id=number,
            )
            keys[name] = key
    return graph.SerializeToString(deterministic=True), keys


def _paths(names: Sequence[str], dropout: bool) -> dict[str, str]:
    """The path below the model of each variable; arguments as of `graph_of`."""
    attributes = {theirs: ours for ours, theirs in VARIABLES.items()}
    scopes = {name: _split(name) for name in names}
    ordered = list(dict.fromkeys(scope for scope, _ in scopes.values()))
    of_layers = _backbone(ordered) | _pyramid(ordered) | _extra_maps(ordered)
    of_layers |= _own_heads(ordered, dropout)
    shared = f"{SHARED}/"
    found = {}
    for name, (scope, part) in scopes.items():
        if scope.startswith(shared):
            found[name] = _shared_head(scope.removeprefix(shared), part, dropout)
        else:
            convolution, norm = of_layers[scope]
            path = norm if part.startswith("BatchNorm/") else convolution
            found[name] = f"{path}/{attributes[part]}"
    return found


def _split(name: str) -> tuple[str, str]:
    """The scope of a variable's layer, and the rest."""
    scope, _, variable = name.rpartition("/")
    if "/BatchNorm" in scope:
        scope, _, map_ = scope.partition("/BatchNorm")
        variable = f"BatchNorm{map_}/{variable}"
    return scope, variable


LayerPaths = dict[str, tuple[str, str]]  # of a scope: the convolution and its batch norm
_EXTRACTOR, _PREDICTOR = "_feature_extractor", "_box_predictor"
_HEADS = {
    "BoxEncodingPredictor": ("box_encodings", "_box_encoder_layers"),
    "ClassPredictor": ("class_predictions_with_background", "_class_predictor_layers"),
}
_EXTRA = re.compile(rf"{EXTRACTOR}/(\w+)/\w+_[12]_Conv2d_(\d+)_\w+")
_OWN_HEAD = re.compile(r"BoxPredictor_(\d+)/(?:Conv2d_(\d+)_1x1_\d+|(\w+?Predictor)(_depthwise)?)$")
_FPN = re.compile(rf"{EXTRACTOR}/\w+/fpn/(\w+?)_(\d+)")


def _backbone(scopes: Sequence[str]) -> LayerPaths:
    own = [
        scope
        for scope in scopes
        if scope.startswith(f"{EXTRACTOR}/") and not (_EXTRA.match(scope) or _FPN.match(scope))
    ]
    path = f"{_EXTRACTOR}/classification_backbone/layer_with_weights"
    return {scope: (f"{path}-{2 * i}", f"{path}-{2 * i + 1}") for i, scope in enumerate(own)}


def _pyramid(scopes: Sequence[str]) -> LayerPaths:
    parts = {scope: found for scope in scopes if (found := _FPN.match(scope))}
    numbers = [int(found[2]) for found in parts.values() if found[1] == "projection"]
    coarser = sorted(int(found[2]) for found in parts.values() if found[1] == "bottom_up_Conv2d")
    of_layers: LayerPaths = {}
    for scope, found in parts.items():
        kind, number = found[1], int(found[2])
        at = max(numbers) - 1 - number
        path = {
            "projection": f"_fpn_features_generator/residual_blocks/{at}",
            "smoothing": f"_fpn_features_generator/conv_layers/{at}",
        }.get(kind) or f"_coarse_feature_layers/{coarser.index(number)}"
        if at < 0 and kind == "projection":
            path = "_fpn_features_generator/top_layers"
        of_layers[scope] = (f"{_EXTRACTOR}/{path}/0", f"{_EXTRACTOR}/{path}/1")
    return of_layers


def _extra_maps(scopes: Sequence[str]) -> LayerPaths:
    of_layers: LayerPaths = {}
    layers: dict[str, int] = {}
    for scope in scopes:
        if found := _EXTRA.match(scope):
            network, number = found.groups()
            own = "_feature_map_generator" if network == "MobilenetV1" else "feature_map_generator"
            path = f"{_EXTRACTOR}/{own}/convolutions/{number}"
            at = layers.get(number, 0)
            of_layers[scope] = (f"{path}/{at}", f"{path}/{at + 1}")
            layers[number] = at + 3  # convolution, batch norm, activation
    return of_layers


def _own_heads(scopes: Sequence[str], dropout: bool) -> LayerPaths:
    of_layers: LayerPaths = {}
    for scope in scopes:
        found = _OWN_HEAD.match(scope)
        if not found:
            continue
        number, before, layer, depthwise = found.groups()
        if before:
            path, at = f"{_PREDICTOR}/_shared_nets/{number}", 3 * int(before)
        else:
            head, layers = _HEADS[layer]
            path = f"{_PREDICTOR}/_prediction_heads/{head}/{number}/{layers}"
            at = int(dropout and layer == "ClassPredictor")
            if not depthwise and f"{scope}_depthwise" in scopes:
                at += 3  # after a convolution, a batch norm and an activation
        of_layers[scope] = (f"{path}/{at}", f"{path}/{at + 1}")
    return of_layers


def _shared_head(scope: str, part: str, dropout: bool) -> str:
    """A variable of the heads that all maps share."""
    variable = {theirs: ours for ours, theirs in VARIABLES.items()}.get(part, part.split("/")[-1])
    if scope == "BoxPredictor":
        return f"{_PREDICTOR}/_box_prediction_head/_box_encoder_layers/0/{variable}"
    head, layers = _HEADS["ClassPredictor"]
    if scope == "ClassPredictor":
        return f"{_PREDICTOR}/_prediction_heads/{head}/{layers}/{int(dropout)}/{variable}"
    tower, _, layer = scope.partition("/conv2d_")
    head = head if tower.startswith("Class") else "box_encodings"
    number = re.search(r"feature_(\d+)", part)
    at = 3 * int(layer) + int(number is not None)
    path = f"{_PREDICTOR}/_base_tower_layers_for_heads/{head}/{number[1] if number else 0}"
    return f"{path}/{at}/{variable}"
