"""The signatures of a SavedModel, read without TensorFlow; field numbers are of its schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxwright.inference.tflite_graph import Tensor
from boxwright.safety import limits
from boxwright.safety.tensorflow_graph import META_GRAPHS, SAVED_MODEL_NAME
from boxwright.safety.wire import Reader

SIGNATURES, INPUTS, OUTPUTS = 5, 1, 2
KEY, VALUE = 1, 2  # of the entry of a map
INTERNAL = "__"  # begins the names of TensorFlow's own signatures
DTYPES = {
    **{1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string"},
    **{9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 19: "float16"},
}
Tensors = tuple[Tensor, ...]


def read_signatures(folder: Path) -> Iterator[tuple[str, Tensors, Tensors]]:
    """Name, inputs and outputs of each signature of a folder that passed the checks, by name.

    Raises:
        DefectError: it is damaged.
    """
    reader = Reader()
    content = memoryview(limits.read(folder / SAVED_MODEL_NAME))
    found = {}
    for entry in reader.messages(content, META_GRAPHS, SIGNATURES):
        name, signature = _entry(reader, entry)
        if not name.startswith(INTERNAL):
            found[name] = tuple(
                tuple(sorted(_tensor(reader, each) for each in reader.messages(signature, field)))
                for field in (INPUTS, OUTPUTS)
            )
    for name in sorted(found):
        inputs, outputs = found[name]
        yield name, inputs, outputs


def _entry(reader: Reader, entry: memoryview) -> tuple[str, memoryview]:
    parts = {n: value for n, value in reader.fields(entry) if isinstance(value, memoryview)}
    empty = memoryview(b"")
    return str(bytes(parts.get(KEY, empty)), "utf-8", "replace"), parts.get(VALUE, empty)


def _tensor(reader: Reader, entry: memoryview) -> Tensor:
    name, described = _entry(reader, entry)
    kinds = [n for field, n in reader.fields(described) if field == 2 and isinstance(n, int)]
    sides = [
        next((n for field, n in reader.fields(side) if field == 1 and isinstance(n, int)), 0)
        for side in reader.messages(described, 3, 2)
    ]
    shape = tuple(-1 if side >= 1 << 63 else side for side in sides)
    return Tensor(name, shape, DTYPES.get(kinds[-1], "unknown") if kinds else "unknown")
