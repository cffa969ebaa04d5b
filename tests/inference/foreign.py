"""Files as other tools export detectors: networks whose outputs are the same for every image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from boxwright.inference.heads.grids import grid_of


def constant_onnx(
    path: Path,
    outputs: Mapping[str, NDArray[np.float32]],
    side: int,
    metadata: Mapping[str, str] = {},
    *,
    channels_first: bool = True,
    open_shapes: bool = False,
) -> Path:
    """Write an .onnx file of one float image whose outputs are these.

    Each gets nothing times the largest pixel added, so that it depends on the image.
    """
    sides: list[Any] = [1, 3, side, side] if channels_first else [1, side, side, 3]
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["largest"], keepdims=0),
        helper.make_node("Mul", ["largest", "nothing"], ["added"]),
    ]
    weights = [numpy_helper.from_array(np.zeros((), np.float32), "nothing")]
    values = []
    for name, array in outputs.items():
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), f"{name} is"))
        nodes.append(helper.make_node("Add", [f"{name} is", "added"], [name]))
        shape: Any = ["batch", *(["some"] * (array.ndim - 1))] if open_shapes else array.shape
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    if open_shapes:
        sides = ["batch", 3, "height", "width"]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, sides)
    graph = helper.make_graph(nodes, "elsewhere", [images], values, weights)
    imports = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=7, producer_name="pytorch")
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path


def on_grid(
    side: int, per_cell: int, columns: int, *, strides: tuple[int, ...] = (8, 16, 32)
) -> NDArray[np.float32]:
    """Rows `(N, columns)` of a YOLO head that finds nothing: the center of each box is in its cell,
    in pixels, and all scores are zero."""
    count = per_cell * sum((side // stride) ** 2 for stride in strides)
    grid = grid_of(count, side)
    assert grid is not None
    cells = grid.cells(side)
    rows = np.zeros((len(cells.columns), columns), np.float32)
    rows[:, 0] = (cells.columns + 0.5) * cells.strides
    rows[:, 1] = (cells.rows + 0.5) * cells.strides
    rows[:, 2:4] = 2 * cells.strides[:, None]
    return np.tile(rows, (per_cell, 1))
