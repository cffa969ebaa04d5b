"""Bring two changes of one JSON value together, those of two programs."""

from __future__ import annotations

from typing import Any

GONE = object()  # the value of a key that an object lacks
HALF = 0.5  # of an element is the same where it was only edited


class ClashError(Exception):
    """Both changes are about the same part of the value."""


def merged(base: Any, mine: Any, theirs: Any) -> Any:
    """The value with both changes, in the order of theirs. Raises ClashError."""
    if theirs in (base, mine):
        return mine
    if mine == base:
        return theirs
    kinds = {type(base), type(mine), type(theirs)}
    if kinds == {dict}:
        values = {
            key: merged(*(one.get(key, GONE) for one in (base, mine, theirs)))
            for key in theirs | mine
        }
        return {key: value for key, value in values.items() if value is not GONE}
    if kinds == {list} and len(theirs) >= len(base):
        here = [
            one if origin is None else merged(base[origin], one, theirs[origin])
            for one, origin in zip(mine, _origins(base, mine), strict=True)
        ]
        return here + theirs[len(base) :]
    raise ClashError


def _origins(base: list[Any], mine: list[Any]) -> list[int | None]:
    """The number that each element had in the list before; None of a new one."""
    if len(mine) == len(base) and not any(isinstance(one, dict | list) for one in mine):
        return [*range(len(mine))]
    left = dict(enumerate(base))
    origins: list[int | None] = []
    for one in mine:
        same = next((i for i, before in left.items() if before == one), None)
        origins.append(same)
        if same is not None:
            del left[same]
    for i, one in enumerate(mine):
        shared = {j: _shared(before, one) for j, before in left.items()}
        best = max(shared, key=lambda j: shared[j], default=None)
        if origins[i] is None and best is not None and shared[best] >= HALF:
            origins[i] = best
            del left[best]
    return origins


def _shared(one: Any, other: Any) -> float:
    """The part of an element that another one has too: all or nothing if they state their ids."""
    if isinstance(one, list) and isinstance(other, list):
        one, other = (dict(enumerate(each)) for each in (one, other))
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return 0
    if "id" in one and "id" in other:
        return float(one["id"] == other["id"])
    same = [name for name, value in one.items() if other.get(name, GONE) == value]
    return len(same) / max(len(one), 1)
