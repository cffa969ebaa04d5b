"""An SSD as a graph of TensorFlow 1, with the names and operators of the Object Detection API.

Programs without TensorFlow, such as OpenCV 4, find the parts of a detector in a frozen graph by the
names and operators that the API gives them, and compute no weights from others. So batch norm is
folded here, and not in the graph; and suppression is an operator that OpenVINO and TensorFlow.js
have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend.boxes import areas
from boxwright.backend.framework import keras
from boxwright.export import graph
from boxwright.export.fake_quant import Ranges, fake_quantized, ranges_in
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.engines.frozen import CANDIDATES
from boxwright.models.layers.conv_norm import ConvNorm
from boxwright.models.layers.depthwise import Depthwise
from boxwright.models.layers.quantized import Addition, Predictor
from boxwright.models.model import Candidates
from boxwright.models.weights.variables import node_scope_of
from boxwright.ops.postprocess import NmsConfig

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel

NAMES = {"relu": "Relu", "relu6": "Relu6"}  # of activations
NMS = "Postprocessor/BatchMultiClassNonMaxSuppression/"


def raw_outputs(
    tf: Any, model: SsdModel, images: Any, ranges: Mapping[str, Ranges] | None = None
) -> dict[str, Any]:
    """The network's outputs for scaled pixels `(B, S, S, 3)`, in nodes with these names:

    - `FeatureExtractor/MobilenetV1/Conv2d_0/Conv2D`, or `.../depthwise`, then `.../BiasAdd` and
      `.../Relu6`, below the scopes of the API's variables; of v2 also `.../expanded_conv_2/add`;
    - `BoxPredictor_0/BoxEncodingPredictor/Conv2D` and `.../BiasAdd` are the heads of the first map,
      likewise `ClassPredictor`;
    - with a pyramid, `WeightSharedConvolutionalBoxPredictor/BoxPredictor/Conv2D` and `.../BiasAdd`
      are those of the first map, `WeightSharedConvolutionalBoxPredictor_1/...` of the second;
    - `.../weights_quant` and `.../act_quant` round kernels and outputs, where there are ranges.

    Args:
        tf: TensorFlow.
        model: an SSD.
        images: the pixels.
        ranges: quantization ranges by layer; those of the network's own layers by default.
    """
    with tf.init_scope():  # compute now, not in the graph
        own = ranges or ranges_in(model.network)

    def written(operation: Any) -> Callable[..., Any]:
        return _written(tf, model.network.name, operation, own.get(operation.name))

    outputs: dict[str, Any] = model.network._run_through_graph(images, operation_fn=written)
    return outputs


def candidates(
    tf: Any,
    model: SsdModel,
    preprocessing: Preprocessing,
    images: Any,
    ranges: Mapping[str, Ranges] | None = None,
) -> Candidates:
    """As `graph.candidates`, of an SSD: `Preprocessor/mul` and `Preprocessor/sub` scale the pixels,
    `raw_outputs` follow, and `Postprocessor/...` decodes them."""
    with tf.name_scope("Preprocessor/"):
        scaled = tf.multiply(preprocessing.scale, images, name="mul")
        scaled = tf.subtract(scaled, -preprocessing.offset, name="sub")
    raw = raw_outputs(tf, model, scaled, ranges)
    with tf.name_scope("Postprocessor/"):
        return model.decode(raw, graph.TensorFlowOperations(tf))


def suppressed(
    tf: Any, boxes: Any, scores: Any, how: NmsConfig, *, drop_empty: bool = False
) -> dict[str, Any]:
    """The results of `ops.postprocess` for decoded boxes `(B, A, 4)` and scores `(B, A, C)`, in the
    API's format: all float32, classes 1-based, padded with zeros to `how.max_total` rows.

    As in the API, a loop over the images has a `NonMaxSuppressionV3` for each class.

    Args:
        tf: TensorFlow.
        boxes, scores: the candidates.
        how: settings of the NMS.
        drop_empty: True to drop boxes that are empty after clipping, before the best are taken.
    """
    rows = how.max_total
    boxes, scores = (
        tf.identity(values, name=name)
        for values, name in zip((boxes, scores), CANDIDATES, strict=True)
    )

    def best(image: tuple[Any, Any]) -> tuple[Any, ...]:
        own_boxes, own_scores = image
        kept = [
            tf.image.non_max_suppression(
                own_boxes, column, how.max_per_class, how.iou_threshold, how.score_threshold
            )
            for column in tf.unstack(own_scores, axis=1)
        ]
        index = tf.concat(kept, 0)
        labels = tf.concat([tf.fill(tf.shape(each), i) for i, each in enumerate(kept)], 0)
        found = tf.clip_by_value(tf.gather(own_boxes, index), 0.0, 1.0)
        ranks = tf.gather_nd(own_scores, tf.stack([index, labels], 1))
        if drop_empty:
            ranks = tf.where(areas(found) > 0, ranks, -1.0)
        ranks, order = tf.math.top_k(tf.pad(ranks, [[0, rows]], constant_values=-1.0), rows)
        found, labels = (
            tf.gather(tf.pad(values, [[0, rows]] + [[0, 0]] * (values.shape.rank - 1)), order)
            for values in (found, tf.cast(labels, tf.float32))
        )
        real = tf.cast(ranks >= 0, tf.float32)
        return found * real[:, None], tf.maximum(ranks, 0.0), labels * real, tf.reduce_sum(real)

    with tf.name_scope(NMS):
        shapes = ((rows, 4), (rows,), (rows,), ())
        signature = tuple(tf.TensorSpec(shape, tf.float32) for shape in shapes)
        found, ranks, labels, counts = tf.map_fn(
            best, (boxes, scores), fn_output_signature=signature
        )
        return {
            "detection_boxes": found,
            "detection_scores": ranks,
            "detection_classes": labels + 1.0,
            "num_detections": counts,
        }


def _written(tf: Any, network: str, operation: Any, ranges: Ranges | None) -> Callable[..., Any]:
    """A function that adds the nodes of an operation of the network: of its layers these nodes, of
    another one those of Keras."""
    layers = keras().layers
    sums, enlarging = (Addition, layers.Add), layers.UpSampling2D
    if not isinstance(operation, (ConvNorm, Predictor, Depthwise, enlarging, *sums)):
        return lambda *inputs, **options: operation(*inputs, **options)
    scope = node_scope_of(operation, network)
    if isinstance(operation, sums):
        return lambda parts, **_: _sum(tf, scope, parts, ranges)
    if isinstance(operation, enlarging):
        return lambda x, **_: _enlarged(tf, scope, x)
    with tf.init_scope():
        kernel, bias = _weights(operation)
    return lambda x, **_: _convolution(tf, operation, scope, kernel, bias, x, ranges)


def _weights(layer: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Kernel `(k, k, in, out)`, or `(k, k, in, 1)` if depthwise, and bias `(out,)` of a layer."""
    kernel, bias = layer.folded() if isinstance(layer, ConvNorm) else (layer.kernel, layer.bias)
    if hasattr(layer, "weights_quant"):
        kernel = layer.weights_quant(kernel)
    to_numpy = keras().ops.convert_to_numpy
    return np.asarray(to_numpy(kernel)), None if bias is None else np.asarray(to_numpy(bias))


def _convolution(
    tf: Any,
    layer: Any,
    scope: str,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32] | None,
    x: Any,
    ranges: Ranges | None,
) -> Any:
    """A convolution, its bias and its activation.

    Args:
        layer: a ConvNorm, a Predictor or a Depthwise.
        scope: of its names.
        kernel, bias: as of `_weights`.
        x: a feature map `(B, H, W, in)`.
        ranges: quantization ranges of kernel and outputs.
    """
    stride = layer.strides if isinstance(layer.strides, int) else layer.strides[0]
    strides, padding = [1, stride, stride, 1], "SAME"
    weights: Any = kernel
    with tf.name_scope(f"{scope}/"):
        if ranges and ranges.kernel:
            weights = fake_quantized(tf, kernel, ranges.kernel, "weights_quant", narrow=True)
        if isinstance(layer, ConvNorm) and layer.spec.explicit_padding and stride > 1:
            before = (layer.kernel_size - 1) // 2
            sides = [before, layer.kernel_size - 1 - before]
            x, padding = tf.pad(x, [[0, 0], sides, sides, [0, 0]], name="Pad"), "VALID"
        if getattr(layer, "depthwise", False):
            x = tf.nn.depthwise_conv2d(x, weights, strides, padding, name="depthwise")
        else:
            x = tf.nn.conv2d(x, weights, strides, padding, name="Conv2D")
        if bias is not None:
            x = tf.nn.bias_add(x, bias, name="BiasAdd")
        kind = layer.activation.__name__
        x = getattr(tf.nn, kind)(x, name=NAMES[kind]) if kind in NAMES else layer.activation(x)
        return fake_quantized(tf, x, ranges.outputs, "act_quant") if ranges else x


def _sum(tf: Any, scope: str, parts: Any, ranges: Ranges | None) -> Any:
    with tf.name_scope(f"{scope}/"):
        total = tf.add(*parts, name="add")
        return fake_quantized(tf, total, ranges.outputs, "act_quant") if ranges else total


def _enlarged(tf: Any, scope: str, x: Any) -> Any:
    """A map of twice the side, each value four times."""
    size = [2 * side for side in x.shape[1:3]]
    with tf.name_scope(f"{scope}/"):
        return tf.compat.v1.image.resize_nearest_neighbor(x, size)
