"""The hierarchy of classes: boxes of Vehicle do not include those of Car, which is below it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

CHILDREN, PARTS, CODE = "Subcategory", "Part", "LabelName"
NO_HIERARCHY = "it is not the hierarchy of classes"


def with_children(text: str, codes: Iterable[str]) -> list[str]:
    """The codes, and those of all classes below them in the official hierarchy.

    Parts of an object, such as the wheel of a car, are not below it.

    Args:
        text: the official JSON: nodes with `LabelName`, `Subcategory` and `Part`.
        codes: class codes.

    Raises:
        ValueError: the text is not the hierarchy.
    """
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise ValueError(NO_HIERARCHY) from error
    if not isinstance(tree, dict) or CODE not in tree:
        raise ValueError(NO_HIERARCHY)
    wanted = dict.fromkeys(codes)
    below = (code for node in _nodes(tree) if node.get(CODE) in wanted for code in _codes(node))
    return list(dict.fromkeys([*wanted, *below]))


def _codes(node: dict[str, Any]) -> Iterator[str]:
    yield str(node.get(CODE))
    for child in node.get(CHILDREN, ()):
        yield from _codes(child)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node, also below parts."""
    yield node
    for child in (*node.get(CHILDREN, ()), *node.get(PARTS, ())):
        yield from _nodes(child)
