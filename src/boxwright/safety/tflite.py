"""Verifies a .tflite before LiteRT, which trusts its input, sees it.

Slots are those of TFLite's schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.safety import limits
from boxwright.safety.flatbuffer import Flatbuffer, Table
from boxwright.safety.limits import DefectError, TooLargeError

MAGIC = b"TFL3"  # bytes 4 to 8 of every .tflite
STRING, RESOURCE, VARIANT = 5, 13, 14  # types without a size
BITS = {  # of an item, by type
    **{0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64},
    **{15: 32, 16: 16, 17: 4, 18: 16, 19: 2, 20: 4, 21: 8, 22: 8},
}
MAX_RANK = 8
# Vectors in the options of builtin operators: by the options' type, slot and size of an item.
OPTION_VECTORS = {
    3: {1: "i", 2: "i"},
    8: {5: "B"},
    17: {0: "i"},
    30: {0: "i"},
    111: {0: "B", 1: "B"},
    115: {0: "f"},
}


class _Tensor(NamedTuple):
    shape: NDArray[Any]
    kind: int
    constant: bool
    variable: bool


def check_tflite(path: Path) -> None:
    """Refuse a .tflite that LiteRT might not survive.

    Raises:
        DefectError: it is damaged.
        TooLargeError: it asks for too much memory.
    """
    verify(limits.read(path))


def verify(content: bytes) -> None:
    """`check_tflite` for the content of a file."""
    if content[4:8] != MAGIC:
        raise DefectError("it has no .tflite header")
    model = Flatbuffer(content).root()
    if model.tables(8) or model.tables(9):
        raise DefectError("its weights are in other files")
    for code in model.tables(1):
        code.text(1)
    model.text(3)
    buffers = [_buffer(content, each) for each in model.tables(4)]
    networks = model.tables(2)
    if not networks:
        raise DefectError("it has no network")
    codes, sizes = len(model.tables(1)), []
    counts = [len(network.tables(0)) for network in networks]
    for network in networks:
        sizes.append(_check_network(network, codes, buffers))
    if sum(sizes) > limits.LARGEST_NETWORK:
        raise TooLargeError(f"its tensors have {sum(sizes):,} bytes")
    _inside(model.vector(5, "i"), len(buffers), "its metadata")
    for entry in model.tables(6):
        entry.text(0)
        _inside([entry.number(1, "I")], len(buffers), "its metadata")
    for signature in model.tables(7):
        _check_signature(signature, counts)


def _buffer(content: bytes, buffer: Table) -> NDArray[Any]:
    data = buffer.vector(0, "B")
    start, size = buffer.number(1, "Q"), buffer.number(2, "Q")
    if size > 1:  # behind the flatbuffer; 0 and 1 are placeholders
        if start + size > len(content):
            raise DefectError("it points beyond its end")
        data = np.frombuffer(content, np.uint8, size, start)
    return data


def _check_network(network: Table, codes: int, buffers: list[NDArray[Any]]) -> int:
    """Check a network; return the bytes of its tensors."""
    network.text(4)
    size, tensors = 0, []
    for each in network.tables(0):
        tensor, taken = _tensor(each, buffers)
        tensors.append(tensor)
        size += taken
    inputs, outputs = network.vector(1, "i"), network.vector(2, "i")
    _inside(inputs, len(tensors), "its inputs")
    _inside(outputs, len(tensors), "its outputs")
    for i in inputs:
        if len(tensors[i].shape) == 4:
            limits.check_input(tensors[i].shape, "its input")
    known = {i for i, each in enumerate(tensors) if each.constant or each.variable}
    constant = {i for i, each in enumerate(tensors) if each.constant}
    known.update(map(int, inputs))
    if constant & set(map(int, inputs)):
        raise DefectError("an input is a constant")
    for operator in network.tables(3):
        written = _check_operator(operator, codes, len(tensors), known)
        if constant & written:
            raise DefectError("an operator writes a constant")
        known |= written
    if not known.issuperset(map(int, outputs)):
        raise DefectError("nothing computes an output")
    return size


def _check_operator(operator: Table, codes: int, tensors: int, known: set[int]) -> set[int]:
    """Check an operator; return the tensors that it writes."""
    _inside([operator.number(0, "I")], codes, "operator codes")
    inputs, outputs = operator.vector(1, "i"), operator.vector(2, "i")
    given = inputs[inputs != -1]  # -1 is an input that is left out
    _inside(given, tensors, "an operator's inputs")
    _inside(outputs, tensors, "an operator's outputs")
    if not known.issuperset(map(int, given)):
        raise DefectError("an operator reads a tensor before it is computed")
    options, kind = operator.table(4), operator.number(3, "B")
    for slot, code in OPTION_VECTORS.get(kind, {}).items():
        if options is not None:
            options.vector(slot, code)
    operator.vector(5, "B")
    if len(operator.vector(7, "B")) not in (0, len(inputs)):
        raise DefectError("an operator's list of variables is damaged")
    between = operator.vector(8, "i")
    _inside(between[between != -1], tensors, "an operator's tensors")
    if operator.number(9, "Q") or operator.number(10, "Q"):
        raise DefectError("an operator's settings are outside of the flatbuffer")
    operator.table(12)
    return set(map(int, outputs))


def _tensor(tensor: Table, buffers: list[NDArray[Any]]) -> tuple[_Tensor, int]:
    """The tensor, and its bytes."""
    name, kind, shape = tensor.text(3), tensor.number(1, "b"), tensor.vector(0, "i")
    what = f"the tensor {name[:60]!r}"
    if len(shape) > MAX_RANK or (shape < -1).any():
        raise DefectError(f"{what} has the shape {shape[:9].tolist()}")
    if kind not in BITS and kind not in (STRING, RESOURCE, VARIANT):
        raise DefectError(f"{what} has an unknown type")
    index = tensor.number(2, "I")
    _inside([index], len(buffers), "buffers")
    data = buffers[index]
    size = limits.tensor_bytes(shape, BITS[kind], what) if kind in BITS else 0
    if len(data) and kind in BITS and not tensor.table(6):
        items = int(np.prod(np.maximum(shape, 0), dtype=np.int64))
        if len(data) != (items * BITS[kind] + 7) // 8:
            raise DefectError(f"{what} has {len(data):,} bytes, which do not fit its shape")
    if len(data) and kind == STRING:
        _check_strings(data, what)
    _check_quantization(tensor.table(4), shape, what)
    signature = tensor.vector(7, "i")
    if len(signature) not in (0, len(shape)):
        raise DefectError(f"{what} has two shapes")
    for part in tensor.tables(9):
        part.vector(0, "i")
    if tensor.number(10, "I"):
        raise DefectError("its weights are in other files")
    return _Tensor(shape, kind, bool(len(data)), bool(tensor.number(5, "B"))), size


def _check_quantization(quantization: Table | None, shape: NDArray[Any], what: str) -> None:
    if quantization is None:
        return
    for slot in (0, 1):
        quantization.vector(slot, "f")
    scales, zeros = quantization.vector(2, "f"), quantization.vector(3, "q")
    dimension = quantization.number(6, "i")
    if len(scales) and len(zeros) not in (1, len(scales)):
        raise DefectError(f"{what} has {len(scales)} scales and {len(zeros)} zero points")
    if len(scales) > 1 and not (0 <= dimension < len(shape) and shape[dimension] == len(scales)):
        raise DefectError(f"{what} has {len(scales)} scales, which do not fit its shape")
    if not np.isfinite(scales).all():
        raise DefectError(f"{what} has a scale that is no number")
    quantization.table(5)


def _check_strings(data: NDArray[Any], what: str) -> None:
    """A count, the offsets of each text and of their end, and the texts."""
    count = int.from_bytes(data[:4].tobytes(), "little")
    offsets = np.zeros(0, np.int64)
    if len(data) >= 8 and count <= (len(data) - 8) // 4:
        offsets = np.frombuffer(data.tobytes(), "<u4", count + 1, 4).astype(np.int64)
    if not len(offsets) or (np.diff(offsets) < 0).any() or offsets[-1] > len(data):
        raise DefectError(f"{what} has damaged texts")


def _check_signature(signature: Table, counts: list[int]) -> None:
    signature.text(2)
    network = signature.number(4, "I")
    _inside([network], len(counts), "a signature")
    for slot in (0, 1):
        for each in signature.tables(slot):
            each.text(0)
            _inside([each.number(1, "I")], counts[network], "a signature")


def _inside(indices: Iterable[int], count: int, what: str) -> None:
    given = np.asarray(indices)
    if given.size and not 0 <= given.min() <= given.max() < count:
        raise DefectError(f"an index in {what} does not exist")
