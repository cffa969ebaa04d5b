"""TensorFlow graphs from strangers: their operators are held against the list of allowed ones.

Every graph and function is checked, whether or not anything calls it. Field numbers are those of
TensorFlow's schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxwright.errors import DetectorError
from boxwright.safety import limits
from boxwright.safety.operators import ALLOWED, CHECKPOINT
from boxwright.safety.wire import Reader

SAVED_MODEL_NAME = "saved_model.pb"
NAMED = 8  # operators in a message

META_GRAPHS, GRAPH_DEF, OBJECT_GRAPH = 2, 2, 7
NODE, LIBRARY, FUNCTION = 1, 2, 1
SIGNATURE, NODE_DEF, NAME, OP = 1, 3, 1, 2


def check_frozen(path: Path) -> None:
    """Refuse a frozen graph with operators that are not allowed.

    Raises:
        DetectorError: BW512 it has such operators.
        DefectError: it is damaged.
    """
    graph, reader = memoryview(limits.read(path)), Reader()
    operators = set(_operators(reader, graph, NODE, OP))
    for function in reader.messages(graph, LIBRARY, FUNCTION):
        operators.update(_operators(reader, function, NODE_DEF, OP))
    _refuse(operators - ALLOWED, path)


def check_saved_model(folder: Path) -> None:
    """Refuse a SavedModel with operators that are not allowed.

    `SaveV2`, `RestoreV2` and `MergeV2Checkpoints` may be in functions that no other function and no
    object names: TensorFlow writes two for its own saving and restoring. They take the file's name
    as an argument, and loading an object graph does not call them. Anywhere else, the name might
    be the stranger's choice.

    Raises:
        DetectorError: BW512 it has such operators.
        DefectError: it is damaged.
    """
    content, reader = memoryview(limits.read(folder / SAVED_MODEL_NAME)), Reader()
    graphs = list(reader.messages(content, META_GRAPHS))
    objects = [bytes(one) for graph in graphs for one in reader.messages(graph, OBJECT_GRAPH)]
    functions = [
        function
        for graph in graphs
        for function in reader.messages(graph, GRAPH_DEF, LIBRARY, FUNCTION)
    ]
    by_objects = len(graphs) == 1 and bool(objects)  # otherwise the graph itself is run
    refused: set[str] = set()
    for graph in graphs:
        refused.update(_operators(reader, graph, GRAPH_DEF, NODE, OP))
    for i, function in enumerate(functions):
        operators = set(_operators(reader, function, NODE_DEF, OP))
        if by_objects and operators & CHECKPOINT:
            names = [bytes(name) for name in reader.messages(function, SIGNATURE, NAME)]
            others = functions[:i] + functions[i + 1 :]
            if not any(_named(names, one) for one in (*objects, *map(bytes, others))):
                operators -= CHECKPOINT
        refused |= operators
    _refuse(refused - ALLOWED, folder)


def _operators(reader: Reader, message: memoryview, *path: int) -> Iterator[str]:
    for name in reader.messages(message, *path):
        yield str(bytes(name), "utf-8", "replace")


def _named(names: list[bytes], content: bytes) -> bool:
    return any(name in content for name in names)


def _refuse(operators: set[str], where: Path) -> None:
    if not operators:
        return
    listed = sorted(operators)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    raise DetectorError(
        "BW512",
        f"has operators that may read or write files, or run other programs: "
        f"{', '.join(listed[:NAMED])}{more}.",
        where=where,
    )
