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
        self._places: defaultdict[Hashable, list[int]] = defaultdict(list)
        for owner, part in parts:
            self._places[owner].append(len(self._slots))
            self._slots.append([part])

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._slots)

    def of(self, owner: Hashable) -> list[T]:
        """The parts of an owner."""
        places = self._places.get(owner, ())
        return [part for place in places for part in self._slots[place]]

    def put(self, owner: Hashable, parts: Sequence[T]) -> None:
        """Replace the parts of an owner. The new ones take the places of the old ones in turn, and
        more of them follow the last one, which is the end of the file for a new owner."""
        places = self._places[owner]
        if not places and parts:
            places.append(len(self._slots))
            self._slots.append([])
        for i, place in enumerate(places):
            self._slots[place] = list(parts[i : i + 1] if place != places[-1] else parts[i:])
