"""Builder of ONNX graphs: arithmetic on tensors adds nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.ops.operations import Method

TO_MAP, FROM_MAP = (0, 3, 1, 2), (0, 2, 3, 1)  # axes from `(B, H, W, C)`, and back
# The lowest version of the operators' set in which an operator has the inputs that it gets here:
# older runtimes then read the file.
LOWEST_OPSET = 11
SINCE = {"GatherND": 12, "ReduceSum": 13, "Resize": 13, "Softmax": 13, "Unsqueeze": 13}


class Tensor:
    """A tensor of a graph. The other operand is a tensor, a number or an array.

    `x[..., 2]` and `x[..., 1:]` index the last axis.
    """

    __array_ufunc__ = None  # so that `array + tensor` calls `Tensor.__radd__`

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def __add__(self, other: Any) -> Tensor:
        return self.graph("Add", self, other)

    def __sub__(self, other: Any) -> Tensor:
        return self.graph("Sub", self, other)

    def __mul__(self, other: Any) -> Tensor:
        return self.graph("Mul", self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return self.graph("Div", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return self.graph("Add", other, self)

    def __rsub__(self, other: Any) -> Tensor:
        return self.graph("Sub", other, self)

    def __rmul__(self, other: Any) -> Tensor:
        return self.graph("Mul", other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self.graph("Div", other, self)

    def __neg__(self) -> Tensor:
        return self.graph("Neg", self)

    def __getitem__(self, key: Any) -> Tensor:
        _, which = key
        if isinstance(which, slice):
            start, stop, step = which.indices(np.iinfo(np.int32).max)
            return self.graph("Slice", self, *(np.array([i]) for i in (start, stop, -1, step)))
        return self.graph("Gather", self, np.array(which), axis=-1)


class Graph:
    """Nodes and constants. `graph("Add", x, 1.0)` adds a node and returns its output.

    Attributes:
        scope: name prefix of new nodes.
    """

    def __init__(self) -> None:
        self._onnx = framework.onnx()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.scope = ""

    def __call__(
        self, kind: str, *inputs: Tensor | NDArray[Any] | float | None, **attributes: Any
    ) -> Tensor:
        """Add a node and return its first output.

        Args:
            kind: the operator.
            inputs: tensors and constants; Python numbers become float32, arrays keep their type.
            attributes: attributes of the operator.
        """
        return self.outputs(1, kind, *inputs, **attributes)[0]

    def outputs(
        self,
        count: int,
        kind: str,
        *inputs: Tensor | NDArray[Any] | float | None,
        **attributes: Any,
    ) -> list[Tensor]:
        """Add a node and return all its `count` outputs; arguments as in `__call__`."""
        name = f"{self.scope}/{kind}_{len(self._nodes)}"
        taken = [self._name(each, f"{name}/{i}") for i, each in enumerate(inputs)]
        given = [name if i == 0 else f"{name}:{i}" for i in range(count)]
        node = self._onnx.helper.make_node(kind, taken, given, name=name, **attributes)
        self._nodes.append(node)
        return [Tensor(self, each) for each in given]

    def tensor(self, values: NDArray[Any]) -> Any:
        """Floats as the value of an attribute."""
        return self._onnx.numpy_helper.from_array(np.asarray(values, np.float32))

    def cast(self, x: Tensor, kind: str) -> Tensor:
        """Cast to an ONNX type, such as `FLOAT`."""
        return self("Cast", x, to=getattr(self._onnx.TensorProto, kind))

    def model(
        self,
        inputs: Mapping[str, tuple[str, Sequence[Any]]],
        outputs: Mapping[str, tuple[Tensor, str, Sequence[Any]]],
        metadata: dict[str, str],
        inner: Mapping[str, Tensor] | None = None,
    ) -> Any:
        """The finished ModelProto.

        Args:
            inputs: type and shape by name; text in a shape names a dynamic dimension.
            outputs: tensor, type and shape by name.
            metadata: metadata of the file.
            inner: further tensors and the names to give them.
        """
        helper, kinds = self._onnx.helper, self._onnx.TensorProto

        def described(name: str, kind: str, shape: Sequence[Any]) -> Any:
            return helper.make_tensor_value_info(name, getattr(kinds, kind), shape)

        new = {tensor.name: name for name, (tensor, _, _) in outputs.items()}
        new |= {tensor.name: name for name, tensor in (inner or {}).items()}
        for node in self._nodes:
            node.input[:] = [new.get(name, name) for name in node.input]
            node.output[:] = [new.get(name, name) for name in node.output]
        graph = helper.make_graph(
            self._nodes,
            "detector",
            [described(name, *each) for name, each in inputs.items()],
            [described(name, *each[1:]) for name, each in outputs.items()],
            self._constants,
        )
        opset = max(SINCE.get(node.op_type, LOWEST_OPSET) for node in self._nodes)
        imports = [helper.make_opsetid("", opset)]
        model = helper.make_model(
            graph,
            producer_name="boxwright",
            ir_version=helper.find_min_ir_version_for(imports),
            opset_imports=imports,
        )
        helper.set_model_props(model, metadata)
        return model

    def _name(self, value: Tensor | NDArray[Any] | float | None, name: str) -> str:
        """The name of a node's input; constants are added as `name`, missing inputs have an empty
        name."""
        if value is None:
            return ""
        if isinstance(value, Tensor):
            return value.name
        array = np.array(value, np.float32) if isinstance(value, int | float) else np.asarray(value)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name


class OnnxOperations:
    """`ops.operations.Operations` as nodes; maps `(B, H, W, C)` are transposed for ONNX operators
    that expect `(B, C, H, W)`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def constant(self, values: NDArray[np.float32]) -> Any:
        return values  # each node gets its own copy, as with all constants

    def exp(self, x: Any) -> Any:
        return self._graph("Exp", x)

    def log(self, x: Any) -> Any:
        return self._graph("Log", x)

    def sigmoid(self, x: Any) -> Any:
        return self._graph("Sigmoid", x)

    def softmax(self, x: Any) -> Any:
        return self._graph("Softmax", x, axis=-1)

    def maximum(self, x: Any, y: Any) -> Any:
        return self._graph("Max", x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._graph("Min", x, y)

    def clip(self, x: Any, low: float, high: float) -> Any:
        return self._graph("Clip", x, low, high)

    def sum(self, x: Any, axis: int, keepdims: bool = False) -> Any:
        return self._graph("ReduceSum", x, np.array([axis]), keepdims=int(keepdims))

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        return self._graph("Reshape", x, np.array([0, *shape]))  # 0 keeps the batch size

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        return self._graph("Transpose", x, perm=list(axes))

    def concat(self, parts: Sequence[Any], axis: int) -> Any:
        return self._graph("Concat", *parts, axis=axis)

    def stack(self, parts: Sequence[Any], axis: int) -> Any:
        graph = self._graph
        return graph("Concat", *(graph("Unsqueeze", x, np.array([axis])) for x in parts), axis=axis)

    def resize(self, x: Any, factor: int, method: Method = "bilinear") -> Any:
        x = self._graph("Transpose", x, perm=TO_MAP)
        x = resized(self._graph, x, factor, method)
        return self._graph("Transpose", x, perm=FROM_MAP)

    def max_pool(self, x: Any, size: int) -> Any:
        x = self._graph("Transpose", x, perm=TO_MAP)
        x = self._graph("MaxPool", x, kernel_shape=[size] * 2, pads=[size // 2] * 4)
        return self._graph("Transpose", x, perm=FROM_MAP)


def resized(graph: Graph, x: Tensor, factor: int, method: Method) -> Tensor:
    """A map `(B, C, H, W)` enlarged by an integer factor."""
    scales = np.array([1, 1, factor, factor], np.float32)
    if method == "nearest":
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return graph("Resize", x, None, scales, mode="nearest", **how)
    # OpenCV 4 needs the default to be stated.
    how = {"coordinate_transformation_mode": "half_pixel"}
    return graph("Resize", x, None, scales, mode="linear", **how)
