"""Insertion of a QAT network's ranges into its frozen graph as FakeQuant nodes.

TFLite's converter takes the ranges of tensors from these nodes
(Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-
only inference", section 3).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from boxwright.backend import framework

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
_CALL = re.compile(r"_\d+$")  # Keras appends a number to the layer's name in its scope


class Range(NamedTuple):
    """The smallest and the largest value of a tensor, and the number of bits."""

    low: float
    high: float
    bits: int = 8


class Ranges(NamedTuple):
    """The ranges of a layer: of its kernel with folded batch norm, and of its outputs. An addition
    has no kernel."""

    kernel: Range | None
    outputs: Range


def put_ranges(frozen: Any, ranges: Mapping[str, Ranges]) -> None:
    """Insert FakeQuant nodes after the kernels and the outputs of layers.

    Args:
        frozen: GraphDef of a network of `models.ssd`; changed in place.
        ranges: by layer name.
    """
    scopes: dict[str, list[Any]] = defaultdict(list)
    for node in frozen.node:
        scopes[node.name.rpartition("/")[0]].append(node)
    for scope, nodes in scopes.items():
        found = ranges.get(_CALL.sub("", scope.rpartition("/")[2]))
        if found is None:
            continue
        if found.kernel:
            convolution = next(node for node in nodes if node.op in CONVOLUTIONS)
            kernel = _fake_quant(frozen, f"{scope}/weights_quant", found.kernel, narrow=True)
            kernel.input.insert(0, convolution.input[1])
            convolution.input[1] = kernel.name
        _replace_output(frozen, scope, found.outputs)


def _replace_output(frozen: Any, scope: str, outputs: Range) -> None:
    """Make all readers of a scope's output outside of it read its FakeQuant node instead."""
    inside = {node.name for node in frozen.node if node.name.startswith(f"{scope}/")}
    readers = [
        (node, index)
        for node in frozen.node
        if node.name not in inside
        for index, name in enumerate(node.input)
        if name in inside
    ]
    quantized = _fake_quant(frozen, f"{scope}/act_quant", outputs, narrow=False)
    quantized.input.insert(0, readers[0][0].input[readers[0][1]])
    for node, index in readers:
        node.input[index] = quantized.name


def _fake_quant(frozen: Any, scope: str, limits: Range, *, narrow: bool) -> Any:
    """A new node, still without its first input."""
    tf = framework.tensorflow()
    node = frozen.node.add(name=f"{scope}/FakeQuantWithMinMaxVars", op="FakeQuantWithMinMaxVars")
    node.attr["num_bits"].i = limits.bits
    node.attr["narrow_range"].b = narrow
    for name, value in (("min", limits.low), ("max", limits.high)):
        constant = frozen.node.add(name=f"{scope}/{name}", op="Const")
        constant.attr["dtype"].type = tf.float32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.float32))
        node.input.append(constant.name)
    return node
