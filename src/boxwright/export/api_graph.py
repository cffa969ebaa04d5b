"""The network of an SSD as a graph of TensorFlow 1, with the names of the Object Detection API.

Programs without TensorFlow, such as OpenCV 4, find the parts of a detector in a frozen graph by the
names and operators that the API gives them, and compute no weights from others. So batch norm is
folded here, and not in the graph.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend.framework import keras
from boxwright.export import graph
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.quantized import Addition, Predictor
from boxwright.models.model import Candidates
from boxwright.models.weights.variables import scope_of

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel

NAMES = {"relu": "Relu", "relu6": "Relu6"}  # of activations


def candidates(tf: Any, model: SsdModel, preprocessing: Preprocessing, images: Any) -> Candidates:
    """As `graph.candidates`, of an SSD, in nodes with these names:

    - `Preprocessor/mul` and `Preprocessor/sub` scale the pixels;
    - `FeatureExtractor/MobilenetV1/Conv2d_0/Conv2D`, or `.../depthwise`, then `.../BiasAdd` and
      `.../Relu6`, below the scopes of the API's variables; of v2 also `.../expanded_conv_2/add`;
    - `BoxPredictor_0/BoxEncodingPredictor/Conv2D` and `.../BiasAdd` are the heads of the first map,
      likewise `ClassPredictor`;
    - `Postprocessor/...` decodes.

    Args:
        tf: TensorFlow.
        model: an SSD; one with a feature pyramid or with layers that round for QAT keeps the names
            of Keras.
        preprocessing: the scaling.
        images: pixels `(B, S, S, 3)` float32.
    """
    if model.spec.pyramid or model.spec.quantization:
        return graph.candidates(tf, model, preprocessing, images)
    with tf.name_scope("Preprocessor/"):
        scaled = tf.multiply(preprocessing.scale, images, name="mul")
        scaled = tf.subtract(scaled, -preprocessing.offset, name="sub")
    written = functools.partial(_written, tf, model.network.name)
    raw = model.network._run_through_graph(scaled, operation_fn=written)
    with tf.name_scope("Postprocessor/"):
        return model.decode(raw, graph.TensorFlowOperations(tf))


def _written(tf: Any, network: str, operation: Any) -> Callable[..., Any]:
    """A function that adds the nodes of an operation of the network: of a layer with weights these
    nodes, of another one those of Keras."""
    if isinstance(operation, Addition):
        return lambda parts, **_: tf.add(*parts, name=f"{scope_of(operation, network)}/add")
    if not isinstance(operation, ConvNorm | Predictor):
        return lambda *inputs, **options: operation(*inputs, **options)
    with tf.init_scope():  # compute now, not in the graph
        norm = isinstance(operation, ConvNorm)
        weights = operation.folded() if norm else (operation.kernel, operation.bias)
        kernel, bias = (np.asarray(keras().ops.convert_to_numpy(each)) for each in weights)
    scope = scope_of(operation, network)
    return lambda x, **_: _convolution(tf, operation, scope, kernel, bias, x)


def _convolution(
    tf: Any,
    layer: Any,
    scope: str,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    x: Any,
) -> Any:
    """A convolution, its bias and its activation.

    Args:
        layer: a ConvNorm or a Predictor.
        scope: of its names.
        kernel: `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise.
        bias: `(out,)`.
        x: a feature map `(B, H, W, in)`.
    """
    stride = layer.strides if isinstance(layer, ConvNorm) else 1
    strides, padding = [1, stride, stride, 1], "SAME"
    with tf.name_scope(f"{scope}/"):
        if isinstance(layer, ConvNorm) and layer.spec.explicit_padding and stride > 1:
            before = (layer.kernel_size - 1) // 2
            sides = [before, layer.kernel_size - 1 - before]
            x, padding = tf.pad(x, [[0, 0], sides, sides, [0, 0]], name="Pad"), "VALID"
        if getattr(layer, "depthwise", False):
            x = tf.nn.depthwise_conv2d(x, kernel, strides, padding, name="depthwise")
        else:
            x = tf.nn.conv2d(x, kernel, strides, padding, name="Conv2D")
        x = tf.nn.bias_add(x, bias, name="BiasAdd")
        kind = layer.activation.__name__
        return getattr(tf.nn, kind)(x, name=NAMES[kind]) if kind in NAMES else layer.activation(x)
