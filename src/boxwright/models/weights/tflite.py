"""Weights from a quantized .tflite of the Object Detection API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.ssd.spec import ModelSpec
from boxwright.models.weights import coco_names
from boxwright.models.weights.pretrained import Arrays, Pretrained, folded_norm
from boxwright.safety import limits
from boxwright.safety.limits import DefectError
from boxwright.safety.tflite import verify

# A tensor's name in the file. The layer may be in any scope; the kernel's name ends in the name of
# its former fake-quantization node.
KERNEL = re.compile(r"(?P<layer>[^:]+)/weights_quant/FakeQuantWithMinMaxVars$")
BIAS = re.compile(r"(?P<layer>[^:]+)/(?:Conv2D|depthwise)(?:_Fold)?_bias$")

Constant = Callable[[], NDArray[np.float32]]
DTYPES: dict[int, Any] = {  # by the schema's type; others are no weights
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.UINT8: np.dtype("u1"),
    schema.TensorType.INT8: np.dtype("i1"),
}


def read_tflite(path: Path) -> Pretrained:
    """Read an SSD MobileNet v1, its class head with a background column.

    Raises:
        WeightsError: BW202 it is another network.
    """
    constants, shape = _read(path)
    layers: dict[str, Arrays] = {}
    try:
        for name, values in constants.items():
            if found := KERNEL.match(name):
                layers.setdefault(_layer_name(found["layer"]), {})["kernel"] = _kernel(values())
            elif found := BIAS.match(name):
                layers.setdefault(_layer_name(found["layer"]), {})["bias"] = values()
        spec = _spec_of(layers, shape)
        for name, arrays in layers.items():
            if not name.endswith("Predictor"):
                arrays.update(folded_norm(arrays.pop("bias")))
    except (LookupError, TypeError, ValueError) as error:
        raise WeightsError(
            "BW202",
            f"contains no readable SSD MobileNet v1 ({error}).",
            where=path,
        ) from error
    return Pretrained(
        source=path,
        spec=spec,
        classes=coco_names.NAMES,
        preprocessing=Preprocessing(size=spec.input_size),
        layers=layers,
        statistics_known=False,
    )


def _read(path: Path) -> tuple[dict[str, Constant], list[int]]:
    """Functions that return the constants of a file as floats, by name, and its input's shape."""
    try:
        content = limits.read(path)
        verify(content)
    except (OSError, DefectError) as error:
        raise WeightsError("BW202", f"is no usable .tflite file ({error}).", where=path) from error
    model = schema.Model.GetRootAs(content)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    constants: dict[str, Constant] = {
        (each.Name() or b"").decode(): partial(_dequantized, each, model.Buffers(each.Buffer()))
        for each in tensors
    }
    inputs = [tensors[graph.Inputs(i)] for i in range(graph.InputsLength())]
    return constants, [int(side) for each in inputs[:1] for side in _list(each.ShapeAsNumpy())]


def _dequantized(tensor: Any, buffer: Any) -> NDArray[np.float32]:
    shape = [int(side) for side in _list(tensor.ShapeAsNumpy())]
    content: bytes = buffer.DataAsNumpy().tobytes()
    values: NDArray[Any] = np.frombuffer(content, DTYPES[tensor.Type()]).reshape(shape)
    if values.dtype == np.float32:
        return values
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


def _layer_name(scope: str) -> str:
    """`.../MobilenetV1/Conv2d_0` to `Conv2d_0`; `BoxPredictor_0/ClassPredictor` joined by `_`."""
    parts = scope.split("/")
    if parts[-1].endswith("Predictor"):
        return "_".join(parts[-2:])
    return parts[-1]


def _spec_of(layers: Mapping[str, Arrays], input_shape: Sequence[int]) -> ModelSpec:
    stem = layers["Conv2d_0"]["kernel"].shape[-1]
    columns = layers["BoxPredictor_0_ClassPredictor"]["bias"].shape[0] // 3
    if columns - 1 != len(coco_names.NAMES):
        raise ValueError(f"{columns - 1} classes instead of COCO's {len(coco_names.NAMES)}")
    return ModelSpec(
        num_classes=columns - 1,
        depth_multiplier=stem / 32,
        input_size=int(input_shape[1]),
        background=True,
    )
