"""Conversion of a SavedModel to a TFLite flatbuffer, float or quantized."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema

from boxwright.backend import framework
from boxwright.errors import ExportError
from boxwright.export.activation_ranges import narrowed
from boxwright.export.calibrate import Calibration
from boxwright.export.targets import Quantized

EXAMINED = 16  # images to measure the quantization errors of layers
RANGED = 48  # images to choose the ranges of activations; 16 leave a larger error


@dataclass(frozen=True)
class Quantization:
    """Quantization of a file.

    Attributes:
        to: `fp16` stores float16 weights and computes in float32; `dynamic` stores int8 weights
            and measures activation ranges at run time; `int8` computes in int8 from the pixels to
            the inputs of the post-processing.
        calibration: calibration images for `int8`.
        exact: tensors whose operators stay in float32.
        exact_parts: so do operators of whose names a part starts with one of these, such as the
            name of a scope or of layers.
    """

    to: Quantized
    calibration: Calibration | None = None
    exact: tuple[str, ...] = ()
    exact_parts: tuple[str, ...] = ()

    @property
    def takes_scaled(self) -> bool:
        """True if the network's input is scaled pixels: its quantized form is then the pixels
        themselves, and the file needs no scaling."""
        return self.to == "int8"


class LayerError(NamedTuple):
    """The quantization error of a layer: its operator, its output tensor, and the root mean square
    error in int8 steps of that tensor. Rounding the exact result gives 0.29."""

    operator: str
    tensor: str
    steps: float


def converted(tf: Any, saved: Path, path: Path, how: Quantization | None) -> bytes:
    """The flatbuffer of a SavedModel.

    Args:
        tf: TensorFlow.
        saved: the SavedModel, with one signature.
        path: file name for error messages.
        how: quantization; None for float32.

    Raises:
        ExportError: BW404 TensorFlow cannot convert it.
    """
    try:
        with framework.hushed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the interpreter that TensorFlow will drop
            if how and how.to == "int8":
                return _int8(tf, saved, how)
            return bytes(_converter(tf, saved, how).convert())
    except Exception as error:  # the converter's errors have no common base class
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(
            "BW404",
            f"TensorFlow cannot convert the network to TFLite ({reason}).",
            where=path,
        ) from error


def layer_errors(tf: Any, saved: Path, how: Quantization) -> list[LayerError]:
    """The int8 error of each layer by itself, largest first."""
    table = io.StringIO(newline="")
    with framework.hushed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        debugger = _debugger(tf, saved, replace(how, exact=()))
        debugger.run()
        debugger.layer_statistics_dump(table)
    table.seek(0)
    errors = [
        LayerError(
            row["op_name"],
            row["tensor_name"],
            float(row["mean_squared_error"]) ** 0.5 / float(row["scale"]),
        )
        for row in csv.DictReader(table)
        if float(row["scale"])
    ]
    return sorted(errors, key=lambda error: -error.steps)


def _converter(tf: Any, saved: Path, how: Quantization | None) -> Any:
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved), signature_keys=["serving_default"]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.allow_custom_ops = True  # for the post-processing
    if how is None:
        return converter
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how.to == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if how.to == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.representative_dataset = lambda: ({"images": image} for image in _images(how))
    return converter


def _int8(tf: Any, saved: Path, how: Quantization) -> bytes:
    """Quantize after calibration, with better ranges and some operators in float32."""
    from tensorflow.lite.python import util

    debugger = _debugger(tf, saved, how)
    exact = [*how.exact, *_tensors_of(debugger.calibrated_model, how.exact_parts)]
    debugger.options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=exact)
    images = islice(_images(how), RANGED)
    debugger.calibrated_model = narrowed(debugger.calibrated_model, images, exact)
    content = debugger.get_nondebug_quantized_model()
    return bytes(util.modify_model_io_type(content, tf.uint8, tf.float32))


def _tensors_of(content: bytes, parts: tuple[str, ...]) -> list[str]:
    """The tensors of a .tflite that operators with such parts of names compute."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (network,) = model.subgraphs
    names = [
        network.tensors[index].name.decode()
        for operator in network.operators
        for index in operator.outputs
    ]
    return [
        name for name in names if any(part.startswith(parts) for part in re.split("[/;]", name))
    ]


def _debugger(tf: Any, saved: Path, how: Quantization) -> Any:
    """TensorFlow's debugger, which computes layers both ways and can keep some in float32."""
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=list(how.exact))
    return tf.lite.experimental.QuantizationDebugger(
        converter=_converter(tf, saved, how),
        debug_dataset=lambda: (
            [image] for image, _ in zip(_images(how), range(EXAMINED), strict=False)
        ),
        debug_options=options,
    )


def _images(how: Quantization) -> Iterator[Any]:
    if how.calibration is None:
        raise ValueError("int8 needs calibration images")
    return how.calibration.scaled()
