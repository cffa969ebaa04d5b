"""TFLite's converter: a SavedModel becomes a flatbuffer, of floats or of 8 bits."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.errors import ExportError
from boxwright.export.calibrate import Calibration
from boxwright.export.targets import Quantized

EXAMINED = 16  # photos that tell which layers rounding hurts most


@dataclass(frozen=True)
class Quantization:
    """How a file's numbers are stored.

    Attributes:
        to: `fp16` halves the weights, which are computed with as float32; `dynamic` stores
            them in 8 bits and measures the maps' ranges while it runs; `int8` computes in 8 bits
            from the pixels to the boxes and scores that the post-processing takes.
        calibration: for `int8`, what the maps' ranges are measured on.
        exact: tensors whose operators stay in float32 all the same.
    """

    to: Quantized
    calibration: Calibration | None = None
    exact: tuple[str, ...] = ()

    @property
    def takes_scaled(self) -> bool:
        """Whether the network starts from scaled numbers: the pixels are then the 8-bit form of its
        input itself, and nothing is left to be scaled in the file."""
        return self.to == "int8"


class LayerError(NamedTuple):
    """How much rounding changes what a layer computes: its operator, the tensor that it writes, and
    the root mean square error in steps of that tensor's 8 bits. A perfect rounding of the exact
    result alone makes 0.29."""

    operator: str
    tensor: str
    steps: float


def converted(tf: Any, saved: Path, path: Path, how: Quantization | None) -> bytes:
    """The flatbuffer of a SavedModel.

    Args:
        tf: TensorFlow.
        saved: the SavedModel, with one signature.
        path: names the file in errors.
        how: its numbers; None for float32.

    Raises:
        ExportError: BW404 TensorFlow cannot convert it.
    """
    try:
        with framework.hushed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the debugger's interpreter will leave TensorFlow
            if how and how.exact:
                return _with_some_exact(tf, saved, how)
            return bytes(_converter(tf, saved, how).convert())
    except Exception as error:  # the converter's errors have no common class
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(
            "BW404",
            f"TensorFlow cannot convert the network to TFLite ({reason}).",
            where=path,
        ) from error


def layer_errors(tf: Any, saved: Path, how: Quantization) -> list[LayerError]:
    """What rounding to 8 bits does to every layer by itself, the worst first."""
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
    converter.allow_custom_ops = True  # for the one that post-processes
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


def _with_some_exact(tf: Any, saved: Path, how: Quantization) -> bytes:
    from tensorflow.lite.python import util

    content = _debugger(tf, saved, how).get_nondebug_quantized_model()
    return bytes(util.modify_model_io_type(content, tf.uint8, tf.float32))


def _debugger(tf: Any, saved: Path, how: Quantization) -> Any:
    """TensorFlow's own tool that computes layers in both ways, and leaves some as they are."""
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
