"""Convert a frozen graph or a SavedModel to a .tflite file, with the flags of toco and
tflite_convert, the converters of TensorFlow 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from boxwright.backend import framework
from boxwright.errors import BoxwrightError, FlagError, TfodError
from boxwright.io.files import writing
from boxwright.safety.tensorflow_graph import (
    SAVED_MODEL_NAME,
    check_frozen,
    check_saved_model,
)
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.versions import CONVERSION

QUANTIZED = "QUANTIZED_UINT8"
POSTPROCESS = "TFLite_Detection_PostProcess"


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Convert tflite_graph.pb or a SavedModel to a .tflite file, float or quantized.

    tflite_convert is the same command.
    """

    NAME = "toco"
    EXAMPLE = (
        "--graph_def_file=inference/tflite_graph.pb --output_file=detector.tflite "
        "--input_shapes=1,300,300,3 --input_arrays=normalized_input_image_tensor "
        "--output_arrays=TFLite_Detection_PostProcess,TFLite_Detection_PostProcess:1,"
        "TFLite_Detection_PostProcess:2,TFLite_Detection_PostProcess:3 "
        "--inference_type=QUANTIZED_UINT8 --mean_values=128 --std_dev_values=128 "
        "--change_concat_input_ranges=false --allow_custom_ops"
    )

    IGNORED: ClassVar = CONVERSION

    graph_def_file: Path | None = flag("Frozen graph to convert.", None, also="input_file")
    saved_model_dir: Path | None = flag("SavedModel to convert instead.", None)
    output_file: Path = flag(".tflite file to write.")
    input_shapes: str | None = flag(
        "Shape of the input, comma-separated.", None, also="input_shape"
    )
    input_arrays: str | None = flag(
        "Names of the inputs of a frozen graph, comma-separated.", None, also="input_array"
    )
    output_arrays: str | None = flag(
        "Names of the outputs of a frozen graph, comma-separated.", None, also="output_array"
    )
    saved_model_signature_key: str = flag("Signature of a SavedModel.", "serving_default")
    inference_type: str = flag("Data type of the network.", "FLOAT", choices=("FLOAT", QUANTIZED))
    inference_input_type: str | None = flag(
        "Data type of the input, if it differs.", None, choices=("FLOAT", QUANTIZED)
    )
    mean_values: float | None = flag("Input value that represents 0.", None, also="mean_value")
    std_dev_values: float | None = flag(
        "Number of input values between 0 and 1.",
        None,
        also="std_value std_values std_dev_value",
    )
    default_ranges_min: float | None = flag("Minimum of ranges that the graph lacks.", None)
    default_ranges_max: float | None = flag("Maximum of ranges that the graph lacks.", None)
    change_concat_input_ranges: bool = flag(
        "Use one range for all inputs of a concatenation.", False
    )
    allow_custom_ops: bool = flag(
        "Allow TFLite_Detection_PostProcess.", False, also="allow_custom_op"
    )
    post_training_quantize: bool = flag(
        "Store the weights as int8.", False, also="quantize_weights"
    )
    reorder_across_fake_quant: bool = flag("Move FakeQuant nodes past other nodes.", False)
    drop_control_dependency: bool = flag("Drop control dependencies.", True)
    input_format: str = flag(
        "Format of --graph_def_file.", "TENSORFLOW_GRAPHDEF", choices=("TENSORFLOW_GRAPHDEF",)
    )
    output_format: str = flag("Format of --output_file.", "TFLITE", choices=("TFLITE",))


def run(flags: Flags, say: Say) -> None:
    """Write the .tflite file.

    Raises:
        FlagError: BW703 the graph or another flag needs a flag that is missing, BW704 a value does
            not fit this graph, BW710 there are two graphs.
        TfodError: BW705 the graph cannot be read, BW708 it has no quantization ranges, BW709
            TensorFlow cannot convert it.
    """
    tf = framework.tensorflow()
    source = _source(flags)
    if source == flags.graph_def_file:
        _check(flags, source, _read(tf, source))
    else:
        _check_saved(flags, source)
    content = _converted(tf, flags, source)
    with writing(flags.output_file) as draft:
        draft.write_bytes(content)
    say(f"{flags.output_file}: {flags.inference_type}, {len(content) / 1e6:.1f} MB")


def _source(flags: Flags) -> Path:
    """Return the graph to convert: the file or the folder."""
    file, folder = flags.graph_def_file, flags.saved_model_dir
    if file and folder:
        raise FlagError(
            "BW710",
            "--graph_def_file and --saved_model_dir name two graphs.",
            flag="--graph_def_file",
            other="no --saved_model_dir",
        )
    wanted = {"input_arrays": flags.input_arrays, "output_arrays": flags.output_arrays}
    missing = [f"--{name}" for name, value in wanted.items() if value is None and not folder]
    if not file and not folder:
        missing = ["--graph_def_file or --saved_model_dir"]
    if missing:
        raise FlagError(
            "BW703", f"{flags.NAME} needs {' and '.join(missing)}.", example=Flags.EXAMPLE
        )
    return file or folder or Path()


def _check_saved(flags: Flags, folder: Path) -> None:
    """Reject what is no SavedModel, and what only a frozen graph can have."""
    if not (folder / SAVED_MODEL_NAME).is_file():
        raise TfodError(
            "BW705",
            f"is not a SavedModel: it has no {SAVED_MODEL_NAME}.",
            where=folder.absolute(),
            flag="--saved_model_dir",
        )
    check_saved_model(folder)
    if flags.inference_type == QUANTIZED:
        raise _no_ranges(folder)


def _read(tf: Any, path: Path) -> Any:
    """Read the GraphDef of a file."""
    graph, reason = tf.compat.v1.GraphDef(), ""
    try:
        check_frozen(path)
        graph.ParseFromString(path.read_bytes())
    except BoxwrightError:
        raise
    except OSError as error:
        reason = f"{error.strerror or error}"
    except Exception:  # protobuf's two implementations share no class of errors
        reason = "it is not a frozen graph"
    if reason or not graph.node:
        raise TfodError(
            "BW705",
            f"the graph cannot be read: {reason or 'it is empty'}. Expected the tflite_graph.pb "
            "that export_tflite_ssd_graph writes.",
            where=path.absolute(),
            flag="--graph_def_file",
        )
    return graph


def _check(flags: Flags, path: Path, graph: Any) -> None:
    """Reject mistakes for which the converter's own errors are unclear."""
    nodes = {node.name for node in graph.node}
    for name, arrays in (("input", flags.input_arrays), ("output", flags.output_arrays)):
        for array in (arrays or "").split(","):
            if array.partition(":")[0] not in nodes:
                raise FlagError(
                    "BW704",
                    f"--{name}_arrays has '{array}', not a node of {path}.",
                    example=Flags.EXAMPLE,
                )
    ops = {node.op for node in graph.node}
    if POSTPROCESS in ops and not flags.allow_custom_ops:
        raise FlagError(
            "BW703",
            f"the graph contains {POSTPROCESS} and needs --allow_custom_ops.",
            example="--allow_custom_ops",
        )
    if flags.inference_type != QUANTIZED:
        return
    if flags.mean_values is None or not flags.std_dev_values:
        raise FlagError(
            "BW703",
            f"--inference_type={QUANTIZED} needs --mean_values and --std_dev_values, the "
            "quantization parameters of the input.",
            example="--mean_values=128 --std_dev_values=128",
        )
    if not any(op.startswith("FakeQuant") for op in ops):
        # Default ranges do not help: with them TensorFlow's converter does not end.
        raise _no_ranges(path)


def _no_ranges(where: Path) -> TfodError:
    return TfodError(
        "BW708",
        f"--inference_type={QUANTIZED} needs quantization ranges, but the graph has no FakeQuant "
        "nodes: it was not trained with QAT.",
        where=where,
    )


def _shapes(flags: Flags, inputs: list[str]) -> dict[str, list[int]] | None:
    """Parse `1,300,300,3` for each input; several are separated by colons."""
    if flags.input_shapes is None:
        return None
    try:
        shapes = [[int(side) for side in one.split(",")] for one in flags.input_shapes.split(":")]
        return dict(zip(inputs, shapes, strict=True))
    except ValueError:
        raise FlagError(
            "BW704",
            f"--input_shapes is '{flags.input_shapes}', which is not one shape for each of "
            f"--input_arrays={flags.input_arrays}.",
            wanted="comma-separated integers: 1,300,300,3",
        ) from None


def _converted(tf: Any, flags: Flags, source: Path) -> bytes:
    try:
        with framework.hushed():
            converter = _saved(tf, flags) if flags.saved_model_dir else _frozen(tf, flags)
            if flags.post_training_quantize:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            return bytes(converter.convert())
    except FlagError:
        raise
    except Exception as error:  # the converter's errors have no common class
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TfodError(
            "BW709",
            f"TensorFlow cannot convert the graph ({reason}).",
            where=source,
            example=Flags.EXAMPLE,
        ) from error


def _saved(tf: Any, flags: Flags) -> Any:
    """Return the converter of a SavedModel."""
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(flags.saved_model_dir), signature_keys=[flags.saved_model_signature_key]
    )
    converter.allow_custom_ops = True  # TFLite has the operator of the post-processing
    return converter


def _frozen(tf: Any, flags: Flags) -> Any:
    """Return the converter of a frozen graph."""
    inputs = (flags.input_arrays or "").split(",")
    shapes = _shapes(flags, inputs)
    numbers = {"FLOAT": tf.float32, QUANTIZED: tf.uint8}
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
        str(flags.graph_def_file), inputs, (flags.output_arrays or "").split(","), shapes
    )
    converter.allow_custom_ops = flags.allow_custom_ops
    converter.change_concat_input_ranges = flags.change_concat_input_ranges
    converter.reorder_across_fake_quant = flags.reorder_across_fake_quant
    converter.drop_control_dependency = flags.drop_control_dependency
    converter.inference_type = numbers[flags.inference_type]
    if flags.inference_input_type:
        converter.inference_input_type = numbers[flags.inference_input_type]
    if flags.inference_type == QUANTIZED:
        stats = (flags.mean_values, flags.std_dev_values)
        converter.quantized_input_stats = dict.fromkeys(inputs, stats)
        if flags.default_ranges_min is not None:
            ranges = (flags.default_ranges_min, flags.default_ranges_max)
            converter.default_ranges_stats = ranges
    return converter


if __name__ == "__main__":
    main(Flags.NAME)
