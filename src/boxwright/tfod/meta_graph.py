"""The graph in a `.meta` file: variables, and the operations that save and restore them.

The nodes are those that `get_variable` and `Saver` of TensorFlow 1 make. They are written directly:
for the variables of a training TensorFlow needs two seconds, and this a twentieth of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from boxwright.backend import framework
from boxwright.models.weights.checkpoint import GLOBAL_STEP

FILENAME, SAVED, RESTORED = "save/Const", "save/control_dependency", "save/restore_all"


class Variable(NamedTuple):
    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool


def meta_graph(variables: Sequence[Variable], kept: int) -> bytes:
    """Return a serialized MetaGraphDef with these variables and a saver for them.

    Args:
        variables: the variables, sorted by name.
        kept: number of checkpoints that the saver of TensorFlow 1 keeps.
    """
    v1 = framework.tensorflow().compat.v1
    nodes = _Nodes()
    for variable in variables:
        nodes.add_variable(variable)
    nodes.add_saver(variables)
    saver = v1.train.SaverDef(
        filename_tensor_name=f"{FILENAME}:0",
        save_tensor_name=f"{SAVED}:0",
        restore_op_name=RESTORED,
        max_to_keep=kept,
        keep_checkpoint_every_n_hours=10000,
        version=v1.train.SaverDef.V2,
    )
    meta = v1.train.export_meta_graph(graph_def=nodes.graph, graph=v1.Graph(), saver_def=saver)
    for key, members in {
        "variables": variables,
        "trainable_variables": [each for each in variables if each.trainable],
        "global_step": [each for each in variables if each.name == GLOBAL_STEP],
    }.items():
        meta.collection_def[key].bytes_list.value.extend(map(_described, members))
    return bytes(meta.SerializeToString())


def _described(variable: Variable) -> bytes:
    described = framework.variable_def()(
        variable_name=f"{variable.name}:0",
        initializer_name=f"{variable.name}/Assign",
        snapshot_name=f"{variable.name}/read:0",
        initial_value_name=f"{variable.name}/Initializer/zeros:0",
        trainable=variable.trainable,
    )
    return bytes(described.SerializeToString())


class _Nodes:
    """A GraphDef to which nodes are added."""

    def __init__(self) -> None:
        self._tf = framework.tensorflow()
        self._attr = self._tf.compat.v1.AttrValue
        made_for = {"producer": self._tf.version.GRAPH_DEF_VERSION}
        self.graph = self._tf.compat.v1.GraphDef(versions=made_for)

    def add_variable(self, variable: Variable) -> None:
        """Add a variable, its first value, its assignment and its reading."""
        name, zeros = variable.name, f"{variable.name}/Initializer/zeros"
        dtype = self._type(variable.dtype)
        shape = self._attr(shape=self._tf.TensorShape(variable.shape).as_proto())
        beside = {"_class": self._list(s=[f"loc:@{name}".encode()])}
        value = self._tf.make_tensor_proto(0, variable.dtype, variable.shape)
        self._add(zeros, "Const", dtype=dtype, value=self._attr(tensor=value), **beside)
        self._add(name, "VariableV2", dtype=dtype, shape=shape, **beside)
        self._add(f"{name}/Assign", "Assign", name, zeros, T=dtype, **beside)
        self._add(f"{name}/read", "Identity", name, T=dtype, **beside)

    def add_saver(self, variables: Sequence[Variable]) -> None:
        """Add what a saver runs: `SAVED` or `RESTORED`, with the file's name in `FILENAME`."""
        text, scalar = self._type("string"), self._attr(shape=self._tf.TensorShape(()).as_proto())
        names = [each.name for each in variables]
        dtypes = self._list(type=[self._type(each.dtype).type for each in variables])
        self._add_texts("save/filename/input", "model")
        self._add("save/filename", "PlaceholderWithDefault", "save/filename/input",
                  dtype=text, shape=scalar)  # fmt: skip
        self._add(FILENAME, "PlaceholderWithDefault", "save/filename", dtype=text, shape=scalar)
        for op, inputs in {"SaveV2": names, "RestoreV2": []}.items():
            own = [f"save/{op}/tensor_names", f"save/{op}/shape_and_slices"]
            self._add_texts(own[0], names)
            self._add_texts(own[1], [""] * len(names))
            self._add(f"save/{op}", op, FILENAME, *own, *inputs, dtypes=dtypes)
        self._add(SAVED, "Identity", FILENAME, "^save/SaveV2", T=text)
        for i, each in enumerate(variables):
            self._add(f"save/Assign_{i}", "Assign", each.name, f"save/RestoreV2:{i}",
                      T=self._type(each.dtype))  # fmt: skip
        self._add(RESTORED, "NoOp", *(f"^save/Assign_{i}" for i in range(len(names))))

    def _add(self, name: str, op: str, *inputs: str, **attributes: Any) -> None:
        node = self.graph.node.add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            node.attr[key].CopyFrom(value)

    def _add_texts(self, name: str, texts: str | list[str]) -> None:
        value = self._attr(tensor=self._tf.make_tensor_proto(texts, "string"))
        self._add(name, "Const", dtype=self._type("string"), value=value)

    def _type(self, dtype: str) -> Any:
        return self._attr(type=self._tf.as_dtype(dtype).as_datatype_enum)

    def _list(self, **values: Any) -> Any:
        return self._attr(list=self._attr.ListValue(**values))
