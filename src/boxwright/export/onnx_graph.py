"""An ONNX graph in the making: arithmetic on its tensors adds nodes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework

OPSET, IR_VERSION = 20, 9  # of ONNX 1.15, which every ONNX Runtime since 1.17 reads


class Tensor:
    """A tensor of a graph; the other operand is another one, a number or an array.

    `x[..., 2]` and `x[..., 1:]` take from the last axis.
    """

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

    def __getitem__(self, key: Any) -> Tensor:
        _, which = key
        if isinstance(which, slice):
            start, stop, step = which.indices(np.iinfo(np.int32).max)
            return self.graph("Slice", self, *(np.array([i]) for i in (start, stop, -1, step)))
        return self.graph("Gather", self, np.array(which), axis=-1)


class Graph:
    """Nodes and constants. `graph("Add", x, 1.0)` adds a node and gives its output.

    It knows as much of an array module as `ops.box_coder.decode` asks for.

    Attributes:
        scope: what the names of the nodes that are added now begin with.
    """

    def __init__(self) -> None:
        self._onnx = framework.onnx()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.scope = ""

    def __call__(
        self, kind: str, *inputs: Tensor | NDArray[Any] | float, **attributes: Any
    ) -> Tensor:
        """The first output of a new node.

        Args:
            kind: the operator.
            inputs: tensors and constants; a Python number becomes float32, as an array it keeps
                its type.
            attributes: the operator's.
        """
        return self.outputs(1, kind, *inputs, **attributes)[0]

    def outputs(
        self, count: int, kind: str, *inputs: Tensor | NDArray[Any] | float, **attributes: Any
    ) -> list[Tensor]:
        """All `count` outputs of a new node, else as when called."""
        name = f"{self.scope}/{kind}_{len(self._nodes)}"
        taken = [self._name(each, f"{name}/{i}") for i, each in enumerate(inputs)]
        given = [name if i == 0 else f"{name}:{i}" for i in range(count)]
        node = self._onnx.helper.make_node(kind, taken, given, name=name, **attributes)
        self._nodes.append(node)
        return [Tensor(self, each) for each in given]

    def cast(self, x: Tensor, kind: str) -> Tensor:
        """To a type by ONNX's name for it, such as `FLOAT`."""
        return self("Cast", x, to=getattr(self._onnx.TensorProto, kind))

    def exp(self, x: Tensor) -> Tensor:
        return self("Exp", x)

    def stack(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return self("Concat", *(self("Unsqueeze", x, np.array([axis])) for x in parts), axis=axis)

    def model(
        self,
        inputs: Mapping[str, tuple[str, Sequence[Any]]],
        outputs: Mapping[str, tuple[Tensor, str, Sequence[Any]]],
        metadata: dict[str, str],
    ) -> Any:
        """The finished ModelProto.

        Args:
            inputs: type and shape by name; text in a shape names a side that varies.
            outputs: tensor, type and shape by name.
            metadata: what the file says about itself.
        """
        helper, kinds = self._onnx.helper, self._onnx.TensorProto

        def described(name: str, kind: str, shape: Sequence[Any]) -> Any:
            return helper.make_tensor_value_info(name, getattr(kinds, kind), shape)

        new = {tensor.name: name for name, (tensor, _, _) in outputs.items()}
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
        model = helper.make_model(
            graph,
            producer_name="boxwright",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, metadata)
        return model

    def _name(self, value: Tensor | NDArray[Any] | float, name: str) -> str:
        """What a node calls an input; a constant is added as `name`."""
        if isinstance(value, Tensor):
            return value.name
        array = np.array(value, np.float32) if isinstance(value, int | float) else value
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name
