"""Weights from a .tflite file of the Object Detection API, quantized or not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.necks import fpn
from boxwright.models.weights.keras_names import scopes_of
from boxwright.models.weights.network import PREPROCESSING, classes_of, spec_of
from boxwright.models.weights.pretrained import Arrays, Pretrained, folded_norm
from boxwright.models.weights.variables import EVERY_MAP, place_of
from boxwright.safety import limits
from boxwright.safety.limits import DefectError
from boxwright.safety.tflite import verify

# A constant's name in the file: the layer's scope and an operation, and of a fused operation
# others after a semicolon.
CONSTANT = re.compile(
    r"(?P<scope>[^:;]+?)/(?:weights_quant/FakeQuantWithMinMaxVars|BatchNorm/\w+|BiasAdd"
    r"|(?:Conv2D|depthwise)(?:(?:_Fold)?_bias)?)(?:;.*)?$"
)
SCOPE = re.compile(r"^.*(?:MobilenetV\d/|(?=BoxPredictor_))")  # whatever is before a layer's name
KERNEL_RANK = 4
WITH_BIAS = ("Predictor", *(f"{fpn.SCOPE}projection_{i}" for i in range(1, 5)))  # not a batch norm
CONVOLUTIONS = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
DEPTHWISE = schema.BuiltinOperator.DEPTHWISE_CONV_2D
# What comes after a Keras layer's name in that of its output.
OPERATION = re.compile(
    r"(?:/(?:Conv2D|depthwise|separable_conv2d|BiasAdd|bias|FusedBatchNormV3)\w*)+$"
)

DTYPES: dict[int, Any] = {  # by the schema's type; others are no weights
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.FLOAT16: np.dtype("<f2"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.UINT8: np.dtype("u1"),
    schema.TensorType.INT8: np.dtype("i1"),
}

FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)


def read_tflite(path: Path) -> Pretrained:
    """Read an SSD MobileNet v1 or v2, its class head with a background column.

    Raises:
        WeightsError: BW202 it is another network.
    """
    try:
        model = schema.Model.GetRootAs(_verified(path))
        graph = model.Subgraphs(0)
        layers = _layers_of_keras(model, graph) or _layers_by_constants(model, graph)
        spec = spec_of(layers, path)
        if not spec.num_classes:
            raise ValueError("a classifier")
        for name, arrays in layers.items():
            if "bias" in arrays and not name.endswith(WITH_BIAS):
                arrays.update(folded_norm(arrays.pop("bias")))
        images = graph.Tensors(graph.Inputs(0))
        size = int(images.Shape(1))
    except (LookupError, TypeError, ValueError) as error:
        raise WeightsError(
            "BW202", f"contains no readable SSD MobileNet ({error}).", where=path
        ) from error
    quantized = images.Type() in {schema.TensorType.UINT8, schema.TensorType.INT8}
    return Pretrained(
        source=path,
        spec=replace(spec, input_size=size),
        classes=classes_of(spec),
        preprocessing=Preprocessing(size) if quantized else replace(PREPROCESSING, size=size),
        layers=dict(layers),
        statistics_known=False,
    )


def _layers_by_constants(model: Any, graph: Any) -> dict[str, Arrays]:
    """Kernels and biases by layer, of a file from a TensorFlow 1 graph: its constants have the
    names of the API's variables."""
    layers: dict[str, Arrays] = defaultdict(dict)
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        found = CONSTANT.match((tensor.Name() or b"").decode())
        if found and model.Buffers(tensor.Buffer()).DataLength():
            layer = SCOPE.sub("", found["scope"]).replace("/", "_")
            values = _dequantized(model, tensor)
            is_kernel = values.ndim == KERNEL_RANK
            layers[layer]["kernel" if is_kernel else "bias"] = (
                _kernel(values) if is_kernel else values
            )
    return layers


def _layers_of_keras(model: Any, graph: Any) -> dict[str, Arrays]:
    """Kernels and biases by layer, of a file from a Keras network, whose convolutions have the
    layers' names; empty for other files. Shared kernels are recovered, see `unfolded`."""
    found: dict[str, list[Arrays]] = defaultdict(list)
    convolutions = list(_convolutions(model, graph))
    scopes = scopes_of(name for name, _, _ in convolutions)
    for name, depthwise, arrays in convolutions:
        if scope := scopes.get(name):
            part = "depthwise_weights" if depthwise else "weights"
            place = place_of(f"{scope}/{part}")
            if place:
                found[place.layer].append(arrays)
    layers: dict[str, Arrays] = {}
    for layer, each in found.items():
        if not layer.startswith(EVERY_MAP):
            layers[layer] = each[0]
            continue
        of_maps = each if layer.endswith(WITH_BIAS) else unfolded(each)
        for number, arrays in enumerate(of_maps):
            layers[layer.replace(EVERY_MAP, f"BoxPredictor_{number}_")] = arrays
    return layers if any(name.endswith("ClassPredictor") for name in layers) else {}


def _convolutions(model: Any, graph: Any) -> Iterator[tuple[str, bool, Arrays]]:
    """The Keras layer's name of each convolution, whether it is depthwise, and its arrays."""
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind not in CONVOLUTIONS or operator.InputsLength() < 3 or operator.Inputs(2) < 0:
            continue
        output = (graph.Tensors(operator.Outputs(0)).Name() or b"").decode()
        constants = [graph.Tensors(operator.Inputs(at)) for at in (1, 2)]
        if all(model.Buffers(tensor.Buffer()).DataLength() for tensor in constants):
            kernel, bias = (_dequantized(model, tensor) for tensor in constants)
            arrays = {"kernel": _kernel(kernel), "bias": bias}
            depthwise = kind == DEPTHWISE
            yield _layer_name(output, depthwise), depthwise, arrays


def _layer_name(output: str, depthwise: bool) -> str:
    """The Keras layer's name in that of its output, which the converter may join with those of
    other layers."""
    parts = output.split(";")
    same = [part for part in parts if depthwise == bool(re.search(r"/depthwise\w*$", part))]
    return OPERATION.sub("", (same or parts)[-1])


def unfolded(of_maps: list[Arrays]) -> list[Arrays]:
    """The shared kernel of some layers, and for each the batch norm that was folded into it.

    Folding multiplies each output channel by a factor. The kernel of a channel is taken from the
    layer where it is largest; the others' factors are those of least squares.

    Args:
        of_maps: a folded `kernel` and a `bias` of each layer.
    """
    kernels = np.stack([arrays["kernel"] for arrays in of_maps])
    channels = kernels.reshape(len(kernels), -1, kernels.shape[-1])
    largest = np.square(channels).sum(axis=1).argmax(axis=0)
    shared = np.take_along_axis(channels, largest[None, None], axis=0)[0]
    factors = (channels * shared).sum(axis=1) / np.maximum(np.square(shared).sum(axis=0), 1e-12)
    return [
        {"kernel": shared.reshape(kernels.shape[1:])}
        | folded_norm(arrays["bias"])
        | {"gamma": factor.astype(np.float32)}
        for arrays, factor in zip(of_maps, factors, strict=True)
    ]


def _verified(path: Path) -> bytes:
    try:
        content = limits.read(path)
        verify(content)
    except (OSError, DefectError) as error:
        raise WeightsError("BW202", f"is no usable .tflite file ({error}).", where=path) from error
    return content


def _dequantized(model: Any, tensor: Any) -> NDArray[np.float32]:
    shape = [int(side) for side in _list(tensor.ShapeAsNumpy())]
    content: bytes = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
    values: NDArray[Any] = np.frombuffer(content, DTYPES[tensor.Type()]).reshape(shape)
    if tensor.Type() in FLOATS:
        return values.astype(np.float32)
    quantization = tensor.Quantization()
    if quantization is None:
        raise ValueError("integers without a scale")
    scales, zero_points = (
        np.array(_list(each), np.float32)
        for each in (quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy())
    )
    along = [1] * len(shape)  # one scale for all, or one for each channel
    along[quantization.QuantizedDimension()] = -1
    return (values.astype(np.float32) - zero_points.reshape(along)) * scales.reshape(along)


def _list(values: NDArray[np.int32] | int) -> list[Any]:
    """A list of the schema, which is 0 if missing."""
    return [] if isinstance(values, int) else list(values)


def _kernel(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """TFLite's `(out, h, w, in)` to `(h, w, in, out)`; so depthwise `(1, h, w, c)` becomes
    `(h, w, c, 1)`."""
    return np.ascontiguousarray(values.transpose(1, 2, 3, 0))
