"""What an .onnx file says of itself, read without ONNX. Field numbers are those of its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from boxwright.inference.artifact import damaged
from boxwright.inference.class_names import ClassNames, names_in
from boxwright.inference.tflite_graph import Tensor
from boxwright.safety.limits import DefectError
from boxwright.safety.wire import Reader

ARTIFACT_KEY = "boxwright"  # of the metadata
NAMES, SIZE = "names", "imgsz"  # of Ultralytics' metadata
CHANNELS = 3
PIXELS = {"float32", "float16", "uint8"}
IR_VERSION, GRAPH, OPSET, METADATA = 1, 7, 8, 14
INITIALIZER, INPUT, OUTPUT = 5, 11, 12
DTYPES = {
    **{1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64"},
    **{8: "string", 9: "bool", 10: "float16", 11: "float64", 16: "bfloat16"},
}


class OnnxFile(NamedTuple):
    """Inputs and outputs of an .onnx file, its metadata, and the versions that it needs. Unknown
    sides of a shape are -1."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str]
    opset: int
    ir_version: int

    @property
    def labels(self) -> ClassNames:
        """The class names in the metadata, as Ultralytics writes them; empty without."""
        return names_in(self.metadata.get(NAMES, ""))

    @property
    def side(self) -> int | None:
        """The side of the only input, a square image with either order of axes; None if it is
        another. Where its size is open, it is that of the metadata."""
        if len(self.inputs) != 1 or len(self.inputs[0].shape) != 4:
            return None
        _, *shape = self.inputs[0].shape
        if CHANNELS not in (shape[0], shape[2]) or self.inputs[0].dtype not in PIXELS:
            return None
        height, width = shape[1:] if shape[0] == CHANNELS else shape[:2]
        usual = (
            re.search(r"\d{2,4}", self.metadata.get(SIZE, "")) if -1 in (height, width) else None
        )
        if usual:
            return int(usual[0])
        return height if height == width > 0 else None

    @property
    def described_inputs(self) -> str:
        """The inputs, for an error message."""
        shapes = (
            f"{each.dtype} ({', '.join('?' if side < 0 else str(side) for side in each.shape)})"
            for each in self.inputs
        )
        return f"{' and '.join(shapes)}, not one square RGB image"


def read_onnx(content: bytes, *, where: str | Path) -> OnnxFile:
    """The description of a file that passed `safety.onnx`.

    Raises:
        DetectorError: BW502 it is damaged.
    """
    try:
        return _read(Reader(), memoryview(content))
    except DefectError as error:
        raise damaged(str(error), where) from error
    except UnicodeDecodeError as error:
        raise damaged("its metadata is not text", where) from error


def _read(reader: Reader, model: memoryview) -> OnnxFile:
    numbers = {number: value for number, value in reader.fields(model) if isinstance(value, int)}
    weights = {_text(name) for name in reader.messages(model, GRAPH, INITIALIZER, 8)}
    inputs = (_tensor(reader, each) for each in reader.messages(model, GRAPH, INPUT))
    outputs = (_tensor(reader, each) for each in reader.messages(model, GRAPH, OUTPUT))
    opsets = [dict(reader.fields(each)) for each in reader.messages(model, OPSET)]
    own = [
        version for each in opsets if isinstance(version := each.get(2), int) and not each.get(1)
    ]
    return OnnxFile(
        tuple(each for each in inputs if each.name not in weights),
        tuple(outputs),
        dict(_pairs(reader, model)),
        max(own, default=0),
        numbers.get(IR_VERSION, 0),
    )


def _pairs(reader: Reader, model: memoryview) -> Iterator[tuple[str, str]]:
    for entry in reader.messages(model, METADATA):
        said = {n: value for n, value in reader.fields(entry) if isinstance(value, memoryview)}
        yield _text(said.get(1, memoryview(b""))), _text(said.get(2, memoryview(b"")))


def _tensor(reader: Reader, value: memoryview) -> Tensor:
    names = [_text(name) for name in reader.messages(value, 1)]
    kinds = [
        number
        for kind in reader.messages(value, 2, 1)
        for field, number in reader.fields(kind)
        if field == 1 and isinstance(number, int)
    ]
    sides = [
        next((n for field, n in reader.fields(side) if field == 1 and isinstance(n, int)), -1)
        for side in reader.messages(value, 2, 1, 2, 1)
    ]
    shape = tuple(-1 if side >= 1 << 63 else side for side in sides)
    dtype = DTYPES.get(kinds[-1], "unknown") if kinds else "unknown"
    return Tensor(names[-1] if names else "", shape, dtype)


def _text(content: memoryview) -> str:
    return str(bytes(content), "utf-8")
