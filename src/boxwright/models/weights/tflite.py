"""Weights from a quantized .tflite of the Object Detection API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.ssd.spec import ModelSpec
from boxwright.models.weights import coco_names
from boxwright.models.weights.pretrained import Arrays, Pretrained, folded_norm

# A tensor's name in the file. The layer may be in any scope; the kernel's name ends in the name of
# its former fake-quantization node.
KERNEL = re.compile(r"(?P<layer>[^:]+)/weights_quant/FakeQuantWithMinMaxVars$")
BIAS = re.compile(r"(?P<layer>[^:]+)/(?:Conv2D|depthwise)(?:_Fold)?_bias$")


def read_tflite(path: Path) -> Pretrained:
    """Read an SSD MobileNet v1, its class head with a background column.

    Raises:
        WeightsError: BW202 it is another network.
    """
    interpreter = _open(path)
    layers: dict[str, Arrays] = {}
    for tensor in interpreter.get_tensor_details():
        if found := KERNEL.match(tensor["name"]):
            kernel = _kernel(_dequantized(tensor, interpreter))
            layers.setdefault(_layer_name(found["layer"]), {})["kernel"] = kernel
        elif found := BIAS.match(tensor["name"]):
            bias = _dequantized(tensor, interpreter)
            layers.setdefault(_layer_name(found["layer"]), {})["bias"] = bias
    try:
        spec = _spec_of(layers, interpreter.get_input_details()[0]["shape"])
    except (KeyError, ValueError) as error:
        raise WeightsError(
            "BW202",
            f"contains no readable SSD MobileNet v1 ({error}).",
            where=path,
        ) from error
    for name, arrays in layers.items():
        if not name.endswith("Predictor"):
            arrays.update(folded_norm(arrays.pop("bias")))
    return Pretrained(
        source=path,
        spec=spec,
        classes=coco_names.NAMES,
        preprocessing=Preprocessing(size=spec.input_size),
        layers=layers,
        statistics_known=False,
    )


def _open(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        with framework.hushed():
            return Interpreter(
                model_content=path.read_bytes(),
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
    except (ValueError, RuntimeError) as error:
        raise WeightsError("BW202", "is not a .tflite file, or is damaged.", where=path) from error


def _dequantized(tensor: dict[str, Any], interpreter: Any) -> NDArray[np.float32]:
    values: NDArray[Any] = interpreter.get_tensor(tensor["index"])
    if values.dtype == np.float32:
        return values
    scale, zero_point = tensor["quantization"]
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


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
