"""Checks of .onnx files before a runtime sees them. Field numbers are those of ONNX's schema."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from boxwright.safety import limits
from boxwright.safety.limits import DefectError
from boxwright.safety.wire import Reader, varints

DEEPEST = 16  # graphs inside graphs
# Where messages lead to: by message, the fields that have others.
PARTS = {
    "model": {7: "graph", 25: "function", 20: "training"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse", 11: "value", 12: "value", 13: "value"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type"},
    "type": {1: "tensor type"},
    "tensor type": {2: "shape"},
}
BITS = {
    **{1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64},
    **{14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8},
}
STRING = 8


def check_onnx(path: Path) -> None:
    """Refuse an .onnx that reads other files, or asks for too much.

    Raises:
        DefectError: it is damaged, or its weights are in other files.
        TooLargeError: a tensor is too large.
    """
    reader = Reader()
    sizes = 0
    for kind, message in _walk(reader, "model", memoryview(limits.read(path)), 0):
        if kind == "tensor":
            sizes += _tensor(reader, message)
        elif kind == "shape":
            _shape(reader, message)
    if sizes > limits.LARGEST_NETWORK:
        raise limits.TooLargeError(f"its tensors have {sizes:,} bytes")


def _walk(
    reader: Reader, kind: str, message: memoryview, depth: int
) -> Iterator[tuple[str, memoryview]]:
    """All messages inside a message, with their kinds."""
    if depth > 4 * DEEPEST:
        raise DefectError("its graphs are nested too deeply")
    yield kind, message
    parts = PARTS.get(kind)
    if parts is None:
        return
    for number, value in reader.fields(message):
        if number in parts:
            if isinstance(value, int):
                raise DefectError(f"its field {number} is a number")
            yield from _walk(reader, parts[number], value, depth + 1)


def _tensor(reader: Reader, message: memoryview) -> int:
    """Check a tensor; return its bytes."""
    shape: list[int] = []
    kind, raw = 0, None
    for number, value in reader.fields(message):
        if number == 1:
            shape += [value] if isinstance(value, int) else varints(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 9 and not isinstance(value, int):
            raw = len(value)
        elif number == 13 or (number == 14 and value):
            raise DefectError("its weights are in other files")
    if any(side >= 1 << 63 for side in shape):
        raise DefectError("a tensor has a negative side")
    if kind not in BITS and kind != STRING:
        raise DefectError(f"a tensor has the unknown type {kind}")
    size = limits.tensor_bytes(shape, BITS.get(kind, 8), "a tensor")
    if raw is not None and raw != (math.prod(shape) * BITS.get(kind, 8) + 7) // 8:
        raise DefectError(f"a tensor has {raw:,} bytes, which do not fit its shape")
    return size


def _shape(reader: Reader, message: memoryview) -> None:
    """Check a stated shape: dimension by dimension, each a number or a name."""
    sides = [
        value
        for dimension in reader.messages(message, 1)
        for number, value in reader.fields(dimension)
        if number == 1 and isinstance(value, int)
    ]
    limits.tensor_bytes([side for side in sides if side < 1 << 63], 8, "a tensor")
