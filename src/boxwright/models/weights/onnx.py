"""Networks in .onnx files, as PyTorch writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.weights.graph import (
    INPUT,
    MAX_LAYERS,
    Convolution,
    NetworkFile,
    Position,
    UnreadableError,
    check_finite,
    check_size,
    damaged,
)
from boxwright.safety.onnx import check_onnx

SLOPE = 0.1  # of leaky ReLU
# Operators without weights that keep the position.
PASSING = {
    "Cast", "Flatten", "Identity", "LeakyRelu", "MaxPool", "Reshape", "Resize", "Sigmoid", "Slice",
    "Split", "Squeeze", "Transpose", "Unsqueeze", "Upsample",
}  # fmt: skip
SHAPES = {"Shape", "Size"}  # their outputs are no maps
Arrays = Mapping[str, NDArray[Any]]


def read_onnx(path: Path) -> NetworkFile:
    """Read the convolutions of a network; batch norm is folded.

    Raises:
        WeightsError: BW202 the file is damaged, or has an operator that no NanoDet-Plus has.
        SystemFaultError: BW901 the package `onnx` is not installed.
    """
    onnx = framework.onnx()
    check_size(path)
    try:
        check_onnx(path)
        model = onnx.load_model(path, load_external_data=False)
        constants = {
            each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer
        }
    except Exception as error:  # of protobuf, NumPy and onnx
        raise damaged(path, "is no .onnx file, or is damaged or without its weights") from error
    inputs = [each.name for each in model.graph.input if each.name not in constants]
    nodes = model.graph.node
    if len(inputs) != 1 or not 0 < len(nodes) <= MAX_LAYERS:
        raise damaged(path, f"has {len(inputs)} inputs and {len(nodes)} nodes")
    file = NetworkFile(path)
    positions = {inputs[0]: INPUT}
    for node in nodes:
        try:
            with np.errstate(all="ignore"):  # what is not finite is refused
                _follow(onnx, node, file, positions, constants)
        except UnreadableError as error:
            raise damaged(path, str(error)) from error
        except Exception as error:  # of NumPy and onnx
            raise damaged(path, f"the node {node.name} is damaged ({error})") from error
    return file


def _follow(
    onnx: Any,
    node: Any,
    file: NetworkFile,
    positions: dict[str, Position],
    constants: dict[str, NDArray[Any]],
) -> None:
    """Add what a node computes to the positions or the constants."""
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    before = [positions[name] for name in node.input if name in positions]
    if node.op_type == "Constant":
        constants[node.output[0]] = onnx.numpy_helper.to_array(attributes["value"])
    elif before and node.op_type not in SHAPES:
        position = _position_after(node, attributes, file, before, constants)
        positions.update(dict.fromkeys(node.output, position))


def _position_after(
    node: Any,
    attributes: Mapping[str, Any],
    file: NetworkFile,
    before: list[Position],
    constants: Arrays,
) -> Position:
    match node.op_type:
        case "Conv":
            return file.add(_convolution(node, attributes, constants), before[0])
        case "BatchNormalization":
            scale, shift, mean, variance = (constants[name] for name in node.input[1:5])
            factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
            position = file.rescale(before[0], factor, shift - mean * factor)
            check_finite(node.name, *file.convolutions[position][:2])
            return position
        case "Concat":
            return file.join("concat", before)
        case "Add" if len(before) == len(node.input):
            return file.join("add", before)
        case "LeakyRelu" if abs(attributes.get("alpha", 0.01) - SLOPE) > 1e-3:
            raise UnreadableError(
                f"its leaky ReLU has a slope of {attributes.get('alpha', 0.01):g}"
            )
    if node.op_type not in PASSING:
        raise UnreadableError(f"the node {node.name} is of the unknown kind {node.op_type}")
    return before[0]


def _convolution(node: Any, attributes: Mapping[str, Any], constants: Arrays) -> Convolution:
    kernel = constants[node.input[1]]
    outputs, inputs, size, other = kernel.shape
    bias = constants[node.input[2]] if len(node.input) > 2 else np.zeros(outputs)
    groups, strides = attributes.get("group", 1), attributes.get("strides", [1, 1])
    depthwise = groups > 1
    if size != other or strides[0] != strides[1] or bias.shape != (outputs,):
        raise UnreadableError(f"the kernel of {node.name} is {kernel.shape}")
    if depthwise and (inputs != 1 or groups != outputs):
        raise UnreadableError(f"the convolution {node.name} is grouped, but not depthwise")
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    kernel = np.ascontiguousarray(kernel.transpose(axes), np.float32)
    check_finite(node.name, kernel, bias)
    return Convolution(kernel, bias.astype(np.float32), int(strides[0]), depthwise)
