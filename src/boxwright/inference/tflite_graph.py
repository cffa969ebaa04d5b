"""The graph of a .tflite: tensors, operators, and the network without post-processing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from boxwright.inference import litert

FLOATS = {"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16"}
CONVERSIONS = {"QUANTIZE", "DEQUANTIZE"}
FLOAT, INTEGER, CONVERSION, POST = "float", "integer", "conversion", "post-processing"


class Tensor(NamedTuple):
    """A tensor of the graph.

    Attributes:
        name: the name in the file.
        shape: its dimensions; -1 is unknown.
        dtype: such as `uint8`.
        scale, zero_point: quantization, `(integer - zero_point) * scale`; None if there is none
            or one per channel.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None

    @property
    def range(self) -> tuple[float, float] | None:
        """The real values of 0 and 255; None without quantization."""
        if self.scale is None or self.zero_point is None:
            return None
        return -self.zero_point * self.scale, (255 - self.zero_point) * self.scale


@dataclass(frozen=True)
class Operators:
    """All operators of one name and arithmetic. `arithmetic` is `integer`, `float`, `conversion`
    between the two, or `post-processing` from the detection operator on."""

    name: str
    arithmetic: str
    count: int


class Graph(NamedTuple):
    """The parts of a .tflite. `weights` is the bytes of constants by type, largest first; `names`
    are the names of all tensors."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operators, ...]
    weights: dict[str, int]
    names: tuple[str, ...]

    def names_any(self, parts: Iterable[str]) -> bool:
        """True if a tensor's name contains one of `parts`."""
        return any(part in name for part in parts for name in self.names)

    @property
    def arithmetic(self) -> str:
        """`integer`, `float` or `mixed`, apart from post-processing and conversions."""
        kinds = {each.arithmetic for each in self.operators} & {FLOAT, INTEGER}
        return kinds.pop() if len(kinds) == 1 else "mixed"


def read_graph(content: bytes) -> Graph:
    """The graph of a valid .tflite."""
    model = schema.Model.GetRootAs(content)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    constant = [model.Buffers(each.Buffer()).DataLength() for each in tensors]
    counts: dict[tuple[str, str], int] = {}
    post = False
    for name, operator in _operators(model, graph):
        post = post or name == litert.POSTPROCESS
        moving = [i for i in _indices(operator.InputsAsNumpy()) if i >= 0 and not constant[i]]
        moving += _indices(operator.OutputsAsNumpy())
        kind = POST if post else _arithmetic(name, {_dtype(tensors[i]) for i in moving})
        counts[name, kind] = counts.get((name, kind), 0) + 1
    weights: dict[str, int] = {}
    for tensor, size in zip(tensors, constant, strict=True):
        if size:
            weights[_dtype(tensor).lower()] = weights.get(_dtype(tensor).lower(), 0) + size
    return Graph(
        tuple(_tensor(tensors[i]) for i in _indices(graph.InputsAsNumpy())),
        tuple(_tensor(tensors[i]) for i in _indices(graph.OutputsAsNumpy())),
        tuple(Operators(name, kind, count) for (name, kind), count in counts.items()),
        dict(sorted(weights.items(), key=lambda item: -item[1])),
        tuple(_tensor(tensor).name for tensor in tensors),
    )


def without_postprocessing(content: bytes) -> bytes | None:
    """The network without its post-processing; None if it has none.

    Two lists are shortened in place, so all other bytes keep their positions: the operators end
    before the post-processing, and its first two inputs, boxes and scores, become the outputs.
    """
    changed = bytearray(content)
    model = schema.Model.GetRootAs(changed)
    graph = model.Subgraphs(0)
    operators = list(_operators(model, graph))
    positions = [i for i, (name, _) in enumerate(operators) if name == litert.POSTPROCESS]
    if not positions:
        return None
    place = positions[-1]
    raw = [operators[place][1].Inputs(i) for i in (0, 1)]
    graph.OutputsAsNumpy()[: len(raw)] = raw  # a view of `changed`
    _shorten(changed, graph, OUTPUTS_FIELD, len(raw))
    _shorten(changed, graph, OPERATORS_FIELD, place)
    for i in range(model.SignatureDefsLength()):  # they name removed outputs
        signature = model.SignatureDefs(i)
        _shorten(changed, signature, SIGNATURE_OUTPUTS_FIELD, 0)
    return bytes(changed)


# Field numbers, from the TFLite schema.
OUTPUTS_FIELD, OPERATORS_FIELD, SIGNATURE_OUTPUTS_FIELD = 8, 10, 6


def _shorten(content: bytearray, table: Any, field: int, length: int) -> None:
    offset = table._tab.Offset(field)
    if offset:
        start = table._tab.Vector(offset) - 4  # the length precedes the elements
        content[start : start + 4] = length.to_bytes(4, "little")


def _operators(model: Any, graph: Any) -> Iterator[tuple[str, Any]]:
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        custom = code.CustomCode()
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        yield custom.decode() if custom else _BUILTINS.get(builtin, f"operator {builtin}"), operator


def _arithmetic(name: str, types: set[str]) -> str:
    if not types & FLOATS:
        return INTEGER
    return CONVERSION if name in CONVERSIONS and types - FLOATS else FLOAT


def _tensor(tensor: Any) -> Tensor:
    quantization = tensor.Quantization()
    single = quantization is not None and quantization.ScaleLength() == 1
    return Tensor(
        (tensor.Name() or b"").decode("utf-8", "replace"),
        tuple(_indices(tensor.ShapeAsNumpy())),
        _dtype(tensor).lower(),
        float(quantization.Scale(0)) if single else None,
        int(quantization.ZeroPoint(0)) if single and quantization.ZeroPointLength() else None,
    )


def _dtype(tensor: Any) -> str:
    return _TYPES.get(tensor.Type(), "unknown")


def _indices(values: NDArray[np.int32] | int) -> list[int]:
    """A list of the schema, which is 0 if missing."""
    return [] if isinstance(values, int) else [int(value) for value in values]


def _names(table: Any) -> dict[int, str]:
    return {value: name for name, value in vars(table).items() if isinstance(value, int)}


_BUILTINS, _TYPES = _names(schema.BuiltinOperator), _names(schema.TensorType)
