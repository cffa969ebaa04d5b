"""The contract of a detector file with the programs that run it: names, order, shapes and types of
inputs and outputs, the form of the boxes, the first class id."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from boxwright.inference.artifact import Artifact
from boxwright.inference.heads.head import BOXES_YXYX, Head
from boxwright.inference.litert import OUTPUT_NAMES, Metadata
from boxwright.inference.onnx_file import OnnxFile
from boxwright.inference.saved_signatures import read_signatures
from boxwright.inference.tflite_graph import Graph, Tensor

PIXELS = "RGB pixels, 0 to 255"
ANY_SIZE = f"{PIXELS}, of images of any size; the file resizes and scales them"
BOXES, CLASSES, SCORES, COUNT = OUTPUT_NAMES


class Interface(NamedTuple):
    """A function of a detector file.

    Attributes:
        inputs, outputs: the tensors, in order; -1 is a size that the program chooses.
        first_class: the id of the first class; None if the outputs have no ids.
        signature: its name, of a SavedModel.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    first_class: int | None = 0
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        tensors = {"inputs": self.inputs, "outputs": self.outputs}
        said = {name: [each._asdict() for each in some] for name, some in tensors.items()}
        return {"signature": self.signature, **said, "first_class": self.first_class}


class Contract(NamedTuple):
    """What a program needs to know of a detector file.

    Attributes:
        interfaces: its functions; a SavedModel may have several.
        pixels: the values of the input.
        boxes: the form of the boxes.
        ids: where the classes are, of outputs without class ids.
        needs: what the runtime of an .onnx file must know; empty for other files.
    """

    interfaces: tuple[Interface, ...]
    pixels: str
    boxes: str = BOXES_YXYX
    ids: str = ""
    needs: str = ""

    def to_json(self) -> dict[str, Any]:
        functions = [each.to_json() for each in self.interfaces]
        return {
            "interfaces": functions,
            "pixels": self.pixels,
            "boxes": self.boxes,
            "ids": self.ids,
            "needs": self.needs,
        }


def of_tflite(graph: Graph, head: Head | None, metadata: Metadata | None) -> Contract:
    """The contract of a .tflite with post-processing or a head."""
    pixels = _pixels(graph.inputs, head, metadata)
    return _of_one(graph.inputs, graph.outputs, pixels, head)


def of_onnx(file: OnnxFile, head: Head | None) -> Contract:
    """The contract of an .onnx file, as `of_tflite`."""
    contract = _of_one(file.inputs, file.outputs, _pixels(file.inputs, head, None), head)
    return contract._replace(needs=f"operator set {file.opset}, IR version {file.ir_version}")


def of_openvino(artifact: Artifact) -> Contract:
    """The contract of a folder that `export.openvino` writes."""
    side, rows = artifact.preprocessing.size, artifact.max_detections
    outputs = (
        Tensor(BOXES, (-1, rows, 4), "float32"),
        Tensor(SCORES, (-1, rows), "float32"),
        Tensor(CLASSES, (-1, rows), "int32"),
        Tensor(COUNT, (-1,), "int32"),
    )
    return Contract(
        (Interface((Tensor("images", (-1, side, side, 3), "uint8"),), outputs),), PIXELS
    )


def of_frozen(artifact: Artifact | None) -> Contract:
    """The contract of a frozen graph: that of the Object Detection API."""
    rows = artifact.max_detections if artifact else -1
    outputs = (
        Tensor(BOXES, (-1, rows, 4), "float32"),
        Tensor(SCORES, (-1, rows), "float32"),
        Tensor(CLASSES, (-1, rows), "float32"),
        Tensor(COUNT, (-1,), "float32"),
    )
    images = Tensor("image_tensor", (-1, -1, -1, 3), "uint8")
    return Contract((Interface((images,), outputs, first_class=1),), ANY_SIZE)


def of_saved_model(folder: Path) -> Contract:
    """The contract of a SavedModel, as its signatures state it.

    Class ids are floats from 1, as in the Object Detection API; whole numbers from 0 in the
    signature `batched` of older files.
    """
    interfaces = []
    for name, inputs, outputs in read_signatures(folder):
        kinds = {each.dtype for each in outputs if each.name == CLASSES}
        first = None if not kinds else int(kinds == {"float32"})
        interfaces.append(Interface(inputs, outputs, first, name))
    return Contract(tuple(interfaces), f"{PIXELS}; the file scales them")


def _of_one(
    inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], pixels: str, head: Head | None
) -> Contract:
    """The contract of a file with one function."""
    if head is None:
        return Contract((Interface(inputs, outputs),), pixels)
    return Contract((Interface(inputs, outputs, None),), pixels, head.boxes, head.ids)


def _pixels(inputs: tuple[Tensor, ...], head: Head | None, metadata: Metadata | None) -> str:
    """The values of the input."""
    if head and not head.detect:
        return "not stated in the file"
    kinds = {each.dtype for each in inputs[:1]}
    if kinds == {"uint8"}:
        return PIXELS
    if kinds == {"int8"}:
        return f"{PIXELS}, less 128"
    mean, std = (head.mean, head.std) if head else ((127.5,), (127.5,))
    if metadata and metadata.mean and metadata.std:
        mean, std = metadata.mean, metadata.std
    order = "BGR" if head and head.bgr else "RGB"
    if set(mean) == {0.0}:
        scaled = "0 to 255" if set(std) == {1.0} else f"divided by {_listed(std)}"
        return f"{order} pixels, {scaled}"
    return f"{order} pixels as (pixel - {_listed(mean)}) / {_listed(std)}"


def _listed(values: tuple[float, ...]) -> str:
    """One number, or one for each channel."""
    text = ", ".join(f"{each:g}" for each in values)
    return text if len(values) == 1 else f"[{text}]"
