"""Triton export: a model's folder for the repository of NVIDIA's Triton Inference Server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxwright.export.labels import labels_text
from boxwright.export.onnx import describe_onnx, write_onnx
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.litert import LABELS_NAME
from boxwright.inference.onnx_file import OnnxFile, read_onnx
from boxwright.inference.tflite_graph import Tensor
from boxwright.inference.triton_folder import CONFIG_NAME, NETWORK, VERSION
from boxwright.io.files import write_text
from boxwright.io.protobuf_text import Comment, Field, Message, Value, write
from boxwright.models.model import DetectionModel

MAX_BATCH = 16  # images of one execution
TYPES = {"uint8": "TYPE_UINT8", "int32": "TYPE_INT32", "float32": "TYPE_FP32"}


def write_triton(folder: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a model's folder: `config.pbtxt`, `1/model.onnx` and `labels.txt`.

    Triton calls the model after the folder, and the folder around it is the repository. Input and
    outputs are those of `export.onnx.write_onnx`, except that Triton gives `num_detections` as
    `(N, 1)`.

    Args:
        folder: the folder to write, which must not exist yet.
        model: of any family.
        artifact: description to store in the .onnx file.

    Raises:
        ExportError: BW404 the network has a layer that cannot be exported.
        SystemFaultError: BW901 the package `onnx` is not installed.
    """
    network = folder / NETWORK
    network.parent.mkdir(parents=True)
    write_onnx(network, model, artifact)
    file = read_onnx(network.read_bytes(), where=network)
    write_text(folder / CONFIG_NAME, config_text(file))
    write_text(folder / LABELS_NAME, labels_text(artifact.classes))


def describe_triton(folder: Path, artifact: Artifact) -> None:
    """Replace the artifact in a folder that `write_triton` wrote."""
    describe_onnx(folder / NETWORK, artifact)


def config_text(file: OnnxFile) -> str:
    """The text of `config.pbtxt` for an .onnx file whose tensors all begin with a batch axis.

    The fields are those of `ModelConfig`, Triton's model_config.proto. It has no `name`, so that
    the folder may be renamed. No output has a `label_filename`: with one, Triton would name the
    rows of an output, not the ids in it.
    """
    note = f"detection_classes are lines of {LABELS_NAME}, counted from 0"
    entries: list[Field | Comment] = [
        Comment(note),
        Field("backend", Value("onnxruntime", "string")),
        Field("max_batch_size", _number(MAX_BATCH)),
        *(Field("input", Message(tuple(_described(each)))) for each in file.inputs),
        *(Field("output", Message(tuple(_described(each)))) for each in file.outputs),
    ]
    return write(Message(tuple(entries)))


def _described(tensor: Tensor) -> Iterator[Field]:
    """The fields of an input or output. Triton adds the batch axis, and has no empty shapes."""
    yield Field("name", Value(tensor.name, "string"))
    yield Field("data_type", Value(TYPES[tensor.dtype], "word"))
    _, *sides = tensor.shape
    yield from (Field("dims", _number(side)) for side in sides or [1])
    if not sides:
        yield Field("reshape", Message())


def _number(value: int) -> Value:
    return Value(str(value), "number")


TARGET = Target(
    "triton/detector",
    write_triton,
    describe_triton,
    inside=frozenset({CONFIG_NAME, LABELS_NAME, VERSION}),
    labels_inside=True,
)
