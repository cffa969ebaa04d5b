"""Weights from a .tflite file of the Object Detection API, quantized or not."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.weights.network import PREPROCESSING, classes_of, spec_of
from boxwright.models.weights.pretrained import Arrays, Pretrained, folded_norm
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
    layers: dict[str, Arrays] = defaultdict(dict)
    try:
        model = schema.Model.GetRootAs(_verified(path))
        graph = model.Subgraphs(0)
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            buffer = model.Buffers(tensor.Buffer())
            found = CONSTANT.match((tensor.Name() or b"").decode())
            if found and buffer.DataLength():
                layer = SCOPE.sub("", found["scope"]).replace("/", "_")
                values = _dequantized(tensor, buffer)
                is_kernel = values.ndim == KERNEL_RANK
                layers[layer]["kernel" if is_kernel else "bias"] = (
                    _kernel(values) if is_kernel else values
                )
        spec = spec_of(layers, path)
        if not spec.num_classes:
            raise ValueError("a classifier")
        for name, arrays in layers.items():
            if not name.endswith("Predictor"):
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


def _verified(path: Path) -> bytes:
    try:
        content = limits.read(path)
        verify(content)
    except (OSError, DefectError) as error:
        raise WeightsError("BW202", f"is no usable .tflite file ({error}).", where=path) from error
    return content


def _dequantized(tensor: Any, buffer: Any) -> NDArray[np.float32]:
    shape = [int(side) for side in _list(tensor.ShapeAsNumpy())]
    content: bytes = buffer.DataAsNumpy().tobytes()
    values: NDArray[Any] = np.frombuffer(content, DTYPES[tensor.Type()]).reshape(shape)
    if tensor.Type() in FLOATS:
        return values.astype(np.float32)
    quantization = tensor.Quantization()
    scale, zero_point = quantization.Scale(0), quantization.ZeroPoint(0)
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def _list(values: NDArray[np.int32] | int) -> list[Any]:
    """A list of the schema, which is 0 if missing."""
    return [] if isinstance(values, int) else list(values)


def _kernel(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """TFLite's `(out, h, w, in)` to `(h, w, in, out)`; so depthwise `(1, h, w, c)` becomes
    `(h, w, c, 1)`."""
    return np.ascontiguousarray(values.transpose(1, 2, 3, 0))
