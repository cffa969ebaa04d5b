"""Rename, merge and delete classes in all labels of a folder, and undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """How much an edit of classes changes."""

    images: int
    boxes: int


def count(found: Mapping[str, Sequence[str]], name: str) -> Change:
    """The images with boxes of a class, and these boxes, from image -> the names of its boxes."""
    numbers = [names.count(name) for names in found.values()]
    return Change(sum(map(bool, numbers)), sum(numbers))
