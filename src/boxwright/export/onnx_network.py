"""A detector's network as nodes of an ONNX graph, layer by layer.

Maps, `(B, H, W, C)` in Keras, are `(B, C, H, W)` in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend.framework import keras
from boxwright.errors import ExportError
from boxwright.export.onnx_graph import Graph, Tensor

TO_MAP, FROM_MAP = (0, 3, 1, 2), (0, 2, 3, 1)


def network(graph: Graph, model: Any, images: Tensor) -> dict[str, Tensor]:
    """The outputs of a model by name.

    Args:
        graph: that the nodes are added to.
        model: Keras model of `models.ssd.build`'s interface.
        images: scaled pixels `(B, S, S, 3)`.

    Raises:
        ExportError: BW404 a layer is of a kind that no model of Boxwright has.
    """
    graph.scope = model.name
    known = {id(model.input): graph("Transpose", images, perm=TO_MAP)}
    for operation in model.operations:
        if id(operation.output) in known:  # the model's input
            continue
        writer = WRITERS.get(type(operation).__name__)
        if writer is None:
            raise _foreign(operation)
        graph.scope = operation.name
        taken = operation.input
        several = isinstance(taken, list | tuple)
        inputs = [known[id(each)] for each in (taken if several else [taken])]
        known[id(operation.output)] = writer(graph, operation, *inputs)
    return {name: known[id(tensor)] for name, tensor in model.output.items()}


def _conv_norm(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    kernel, bias = layer.folded()
    if layer.quantiser:
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
    return _rounded(graph, layer.act_quant, x) if layer.quantiser else x


def _keras_convolution(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    stride = layer.strides[0]
    if layer.strides != (stride, stride) or layer.dilation_rate != (1, 1) or not layer.use_bias:
        raise _foreign(layer)
    x = _convolution(
        graph,
        x,
        layer.input.shape,
        _array(layer.kernel),
        _array(layer.bias),
        stride,
        depthwise=type(layer).__name__ == "DepthwiseConv2D",
        padding=layer.padding,
    )
    return _activated(graph, layer, x)


def _predictor(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    kernel = layer.weights_quant(layer.kernel) if layer.quantised else layer.kernel
    x = _convolution(graph, x, layer.input.shape, _array(kernel), _array(layer.bias), 1)
    return _rounded(graph, layer.act_quant, x) if layer.quantised else x


def _addition(graph: Graph, layer: Any, x: Tensor, y: Tensor) -> Tensor:
    total = x + y
    return _rounded(graph, layer.output_quant, total) if layer.quantised else total


def _reshape(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    if len(operation.input.shape) == 4:
        x = graph("Transpose", x, perm=FROM_MAP)
    batch, *sides = operation.output.shape
    return graph("Reshape", x, np.array([-1 if batch is None else batch, *sides]))


def _concatenate(graph: Graph, operation: Any, *parts: Tensor) -> Tensor:
    return graph("Concat", *parts, axis=operation.axis)


def _get_item(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    _, key = operation._inbound_nodes[0].arguments.args  # Keras tells the key nowhere else
    taken: Tensor = x[key]
    return taken


def _unchanged(graph: Graph, operation: Any, x: Tensor) -> Tensor:
    """What matters for training alone; all numbers of the graph are float32."""
    return x


WRITERS: dict[str, Callable[..., Tensor]] = {
    "Addition": _addition,
    "Cast": _unchanged,
    "Concatenate": _concatenate,
    "Conv2D": _keras_convolution,
    "ConvNorm": _conv_norm,
    "DepthwiseConv2D": _keras_convolution,
    "Dropout": _unchanged,
    "GetItem": _get_item,
    "Predictor": _predictor,
    "Reshape": _reshape,
}


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
        x: a map.
        shape: its, as in Keras.
        kernel: `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise.
        bias: `(out,)`.
        stride: from one output to the next.
        padding: `same`, which puts an odd pixel behind where the stride leaves one over, `alike` on
            all sides, or `valid`.
    """
    size = kernel.shape[0]
    added = [size - 1 if padding == "alike" else 0] * 2
    if padding == "same":
        added = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in shape[1:3]]
    near = [pixels // 2 for pixels in added]
    far = [pixels - pixels // 2 for pixels in added]
    return graph(
        "Conv",
        x,
        kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1),
        bias,
        group=shape[3] if depthwise else 1,
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[*near, *far],
    )


def _activated(graph: Graph, layer: Any, x: Tensor) -> Tensor:
    kind = layer.activation.__name__
    if kind == "relu6":
        return graph("Clip", x, 0.0, 6.0)
    if kind == "relu":
        return graph("Relu", x)
    if kind != "linear":
        raise _foreign(layer)
    return x


def _rounded(graph: Graph, quant: Any, x: Tensor) -> Tensor:
    """Rounded as `layers.quantized.fake_quant` does it, to one of the numbers of a map's range."""
    low, high = float(quant.min), float(quant.max)
    if high <= low:
        return x
    most: int = 2**quant.quantiser.bits.activations - 1
    step = (high - low) / most
    zero = min(max(math.floor(0.5 - low / step), 0), most)
    x = graph("Clip", x, -zero * step, (most - zero) * step)
    return graph("Floor", x / step + 0.5) * step


def _array(values: Any) -> NDArray[np.float32]:
    """Values of whatever engine Keras is on."""
    return np.asarray(keras().ops.convert_to_numpy(values), np.float32)


def _foreign(operation: Any) -> ExportError:
    return ExportError(
        "BW404",
        f"the layer {operation.name} ({type(operation).__name__}) is of a kind that cannot be "
        "written as ONNX.",
    )
