"""Conversion of a detector's network to ONNX nodes, layer by layer.

Feature maps, `(B, H, W, C)` in Keras, are `(B, C, H, W)` in the graph.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from boxwright.backend.framework import keras
from boxwright.errors import ExportError
from boxwright.export.onnx_graph import FROM_MAP, TO_MAP, Graph, Tensor, resized
from boxwright.models.layers.conv_norm import LEAK
from boxwright.ops.operations import Method


def network(
    graph: Graph, model: Any, images: Tensor, *, channels_first: bool = False
) -> dict[str, Tensor]:
    """The outputs of a model by name.

    Args:
        graph: the graph to add nodes to.
        model: Keras network of a detector.
        images: scaled pixels `(B, S, S, 3)`, or `(B, 3, S, S)` if `channels_first`.
        channels_first: the order of the images' axes.

    Raises:
        ExportError: BW404 a layer type is not supported.
    """
    graph.scope = model.name
    first = images if channels_first else graph("Transpose", images, perm=TO_MAP)
    known = {id(model.input): first}
    for operation in model.operations:
        if operation.output is model.input:
            continue
        writer = WRITERS.get(type(operation).__name__)
        if writer is None:
            raise _foreign(operation)
        graph.scope = operation.name
        taken = operation.input
        several = isinstance(taken, list | tuple)
        inputs = [known[id(each)] for each in (taken if several else [taken])]
        written, output = writer(graph, operation, *inputs), operation.output
        if isinstance(output, list | tuple):
            known |= {id(each): part for each, part in zip(output, written, strict=True)}
        else:
            known[id(output)] = written
    return {
        name: _as_in_keras(graph, known[id(tensor)], tensor)
        for name, tensor in model.output.items()
    }


def _conv_norm(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    kernel, bias = layer.folded()
    if layer.quantizer:
        kernel = layer.weights_quant(kernel)
    x = _convolution(
        graph,
        x,
        layer.input.shape,
        _array(kernel),
        _array(bias),
        layer.strides,
        depthwise=layer.depthwise,
        padding="alike" if layer.spec.explicit_padding else "same",
    )
    x = _activated(graph, layer, x)
    return _rounded(graph, layer.act_quant, x) if layer.quantizer else x


def _keras_convolution(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    stride = layer.strides[0]
    if layer.strides != (stride, stride) or layer.dilation_rate != (1, 1):
        raise _foreign(layer)
    kernel = _array(layer.kernel)
    bias = _array(layer.bias) if layer.use_bias else np.zeros(layer.output.shape[-1], np.float32)
    x = _convolution(
        graph,
        x,
        layer.input.shape,
        kernel,
        bias,
        stride,
        depthwise=isinstance(layer, keras().layers.DepthwiseConv2D),
        padding=layer.padding,
    )
    return _activated(graph, layer, x)


def _predictor(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    kernel = layer.weights_quant(layer.kernel) if layer.quantized else layer.kernel
    x = _convolution(graph, x, layer.input.shape, _array(kernel), _array(layer.bias), 1)
    return _rounded(graph, layer.act_quant, x) if layer.quantized else x


def _addition(graph: Graph, layer: Any, x: Tensor, y: Tensor) -> Tensor:
    total = x + y
    return _rounded(graph, layer.output_quant, total) if layer.quantized else total


def _sum(graph: Graph, operation: Any, *parts: Tensor) -> Tensor:
    if len(parts) < 2 or len({each.shape for each in operation.input}) > 1:
        raise _foreign(operation)  # a constant, or broadcasting
    return functools.reduce(operator.add, parts)


def _batch_norm(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    channels = layer.input.shape[-1]
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        raise _foreign(layer)
    scale = _array(layer.gamma) if layer.scale else np.ones(channels, np.float32)
    shift = _array(layer.beta) if layer.center else np.zeros(channels, np.float32)
    statistics = _array(layer.moving_mean), _array(layer.moving_variance)
    return graph("BatchNormalization", x, scale, shift, *statistics, epsilon=layer.epsilon)


def _max_pooling(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    (size, other), (stride, _) = layer.pool_size, layer.strides
    if size != other or layer.strides != (stride, stride):
        raise _foreign(layer)
    near, far = _padding(layer.input.shape, size, stride, layer.padding)
    return graph("MaxPool", x, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[*near, *far])


def _halving_pool(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    return graph("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0])


def _channel_offset(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    return graph("Add", x, layer.offsets.reshape(-1, 1, 1))


def _channel_shuffle(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    _, height, width, channels = layer.output.shape
    x = graph("Reshape", x, np.array([0, 2, channels // 2, height, width]))
    x = graph("Transpose", x, perm=[0, 2, 1, 3, 4])
    return graph("Reshape", x, np.array([0, channels, height, width]))


def _upsampling(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    factor, other = layer.size
    if factor != other or layer.interpolation not in get_args(Method):
        raise _foreign(layer)
    return resized(graph, x, factor, layer.interpolation)


def _reshape(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    x = _as_in_keras(graph, x, operation.input)
    batch, *sides = operation.output.shape
    x = graph("Reshape", x, np.array([-1 if batch is None else batch, *sides]))
    return _as_in_onnx(graph, x, operation.output)


def _transpose(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    rank = len(operation.input.shape)
    axes = (0, *operation.dims) if hasattr(operation, "dims") else operation.axes
    x = _as_in_keras(graph, x, operation.input)
    x = graph("Transpose", x, perm=list(axes or range(rank)[::-1]))
    return _as_in_onnx(graph, x, operation.output)


def _concatenate(graph: Graph, operation: Any, *parts: Tensor) -> Tensor:
    rank, axis = len(operation.output.shape), operation.axis
    return graph("Concat", *parts, axis=TO_MAP.index(axis % 4) if rank == 4 else axis)


def _split(graph: Graph, operation: Any, x: Tensor) -> list[Tensor]:
    """Equal parts of the channels."""
    rank, count, axis = len(operation.input.shape), operation.indices_or_sections, operation.axis
    if not isinstance(count, int):
        raise _foreign(operation)
    axis = axis % rank
    return graph.outputs(count, "Split", x, axis=TO_MAP.index(axis) if rank == 4 else axis)


def _get_item(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    _, key = operation._inbound_nodes[0].arguments.args  # Keras stores the key nowhere else
    rank = len(operation.input.shape)
    if rank == 4 and len(key) == 2 and key[0] is Ellipsis and isinstance(key[1], slice):
        start, stop, step = key[1].indices(operation.input.shape[-1])
        return graph("Slice", x, *(np.array([i]) for i in (start, stop, 1, step)))
    taken: Tensor = _as_in_keras(graph, x, operation.input)[key]
    return _as_in_onnx(graph, taken, operation.output)


def _unchanged(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    """Layers that only affect training, and casts; all values of the graph are float32."""
    return x


def _relu(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    if layer.negative_slope or layer.threshold:
        raise _foreign(layer)
    upper = layer.max_value
    return graph("Relu", x) if upper is None else graph("Clip", x, 0.0, float(upper))


def _activation(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    """An operation named like its activation."""
    return _activated_as(graph, operation, type(operation).__name__.lower(), x)


def _activated(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    return _activated_as(graph, layer, layer.activation.__name__, x)


def _activated_as(graph: Graph, operation: Any, kind: str, x: Tensor) -> Tensor:
    match kind:
        case "linear":
            return x
        case "relu6":
            return graph("Clip", x, 0.0, 6.0)
        case "leaky_relu":
            return graph("LeakyRelu", x, alpha=LEAK)
        case "silu":
            return x * graph("Sigmoid", x)
        case "softmax":
            return graph("Softmax", x, axis=1 if len(operation.output.shape) == 4 else -1)
    if kind not in ACTIVATIONS:
        raise _foreign(operation)
    return graph(ACTIVATIONS[kind], x)


ACTIVATIONS = {
    "exp": "Exp",
    "exponential": "Exp",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
WRITERS: dict[str, Callable[..., Any]] = {  # a tensor, or a list of several
    "Activation": _activated,
    "Add": _sum,
    "Addition": _addition,
    "BatchNormalization": _batch_norm,
    "Cast": _unchanged,
    "ChannelOffset": _channel_offset,
    "ChannelShuffle": _channel_shuffle,
    "Concatenate": _concatenate,
    "Conv2D": _keras_convolution,
    "ConvNorm": _conv_norm,
    "Depthwise": _keras_convolution,
    "DepthwiseConv2D": _keras_convolution,
    "Dropout": _unchanged,
    "GetItem": _get_item,
    "HalvingPool": _halving_pool,
    "MaxPooling2D": _max_pooling,
    "Permute": _transpose,
    "Predictor": _predictor,
    "ReLU": _relu,
    "Reshape": _reshape,
    "Softmax": _activation,
    "Split": _split,
    "Transpose": _transpose,
    "UpSampling2D": _upsampling,
    **dict.fromkeys(("Exp", "Relu", "Relu6", "Sigmoid", "Silu", "Softplus", "Tanh"), _activation),
}


def _as_in_keras(graph: Graph, x: Tensor, tensor: Any) -> Tensor:
    """A feature map as `(B, H, W, C)`; other tensors are unchanged."""
    return graph("Transpose", x, perm=FROM_MAP) if len(tensor.shape) == 4 else x


def _as_in_onnx(graph: Graph, x: Tensor, tensor: Any) -> Tensor:
    return graph("Transpose", x, perm=TO_MAP) if len(tensor.shape) == 4 else x


def _convolution(
    graph: Graph,
    x: Tensor,
    shape: tuple[int, ...],
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    stride: int,
    *,
    depthwise: bool = False,
    padding: str = "same",
) -> Tensor:
    """A convolution and its bias.

    Args:
        x: a feature map.
        shape: its Keras shape.
        kernel: `(k, k, in, out)`, or `(k, k, in, times)` if depthwise.
        bias: `(out,)`.
        stride: stride in rows and columns.
        padding: `same`, with an odd pixel at the end; `alike`, equal on all sides; or `valid`.
    """
    size = kernel.shape[0]
    near, far = _padding(shape, size, stride, padding)
    if depthwise:
        kernel = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, size, size)
    else:
        kernel = kernel.transpose(3, 2, 0, 1)
    return graph(
        "Conv",
        x,
        kernel,
        bias,
        group=shape[3] if depthwise else 1,
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[*near, *far],
    )


def _padding(
    shape: tuple[int, ...], size: int, stride: int, padding: str
) -> tuple[list[int], list[int]]:
    """Padding before and after the rows and columns of a map of `shape`."""
    added = [size - 1 if padding == "alike" else 0] * 2
    if padding == "same":
        added = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in shape[1:3]]
    near = [pixels // 2 for pixels in added]
    return near, [pixels - each for pixels, each in zip(added, near, strict=True)]


def _rounded(graph: Graph, quant: Any, x: Tensor) -> Tensor:
    """Fake quantization, as in `models.layers.quantized.fake_quant`."""
    low, high = float(quant.min), float(quant.max)
    if high <= low:
        return x
    upper: int = 2**quant.quantizer.spec.activations - 1
    step = (high - low) / upper
    zero = min(max(math.floor(0.5 - low / step), 0), upper)
    x = graph("Clip", x, -zero * step, (upper - zero) * step)
    return graph("Floor", x / step + 0.5) * step


def _array(values: Any) -> NDArray[np.float32]:
    """Values of any Keras backend as an array."""
    return np.asarray(keras().ops.convert_to_numpy(values), np.float32)


def _foreign(operation: Any) -> ExportError:
    return ExportError(
        "BW404",
        f"the layer {operation.name} ({type(operation).__name__}) cannot be exported to ONNX.",
    )
