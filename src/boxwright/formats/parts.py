"""The parts of a file that belong to owners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, TypeVar

T = TypeVar("T")


class Parts(Generic[T]):
    """Parts in the order of a file. Those of an owner are replaced without a look at the others.

    Args:
        parts: each with its owner.
    """

    def __init__(self, parts: Iterable[tuple[Hashable, T]]) -> None:
        self._slots: list[list[T]] = []  # all but the last one of an owner have one part or none
        self._positions: defaultdict[Hashable, list[int]] = defaultdict(list)
        for owner, part in parts:
            self._positions[owner].append(len(self._slots))
            self._slots.append([part])

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._slots)

    def of(self, owner: Hashable) -> list[T]:
        """The parts of an owner."""
        positions = self._positions.get(owner, ())
        return [part for position in positions for part in self._slots[position]]

    def put(self, owner: Hashable, parts: Sequence[T]) -> None:
        """Replace the parts of an owner. The new ones take the positions of the old ones in turn,
        and more of them follow the last one, which is the end of the file for a new owner."""
        positions = self._positions[owner]
        if not positions and parts:
            positions.append(len(self._slots))
            self._slots.append([])
        for i, position in enumerate(positions):
            is_last = i == len(positions) - 1
            self._slots[position] = list(parts[i:] if is_last else parts[i : i + 1])
