"""In memory, until the journal is here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Proposal:
    key: str
    box: tuple[float, float, float, float]
    label: str
    score: float


class Journal:
    def __init__(self) -> None:
        self._proposals: dict[int, tuple[Proposal, ...]] = {}
        self._uncertainty: dict[int, float] = {}
        self._values: dict[str, Any] = {}

    def proposals(self, index: int) -> tuple[Proposal, ...]:
        return self._proposals.get(index, ())

    def propose(self, index: int, proposals: Sequence[Proposal], uncertainty: float) -> None:
        self._proposals[index] = tuple(proposals)
        self._uncertainty[index] = uncertainty

    def reject(self, index: int, keys: Collection[str]) -> None:
        left = tuple(one for one in self.proposals(index) if one.key not in keys)
        self._proposals[index] = left

    def counts(self) -> dict[int, int]:
        return {index: len(some) for index, some in self._proposals.items() if some}

    def uncertain(self) -> list[int]:
        return sorted(self._uncertainty, key=lambda index: -self._uncertainty[index])

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def set(self, name: str, value: Any) -> None:
        self._values[name] = value
