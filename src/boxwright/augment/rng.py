"""What is made of dice, random numbers in [0, 1) that come from outside."""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops

GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio: neighbours end up far from each other


def between(low: Any, high: Any, die: Any) -> Any:
    """A number from `low` to `high` for a die."""
    return low + (high - low) * die


def spread(dice: Any, count: int) -> Any:
    """`(B, count)` numbers in [0, 1) from `(B, 1)` dice: those of each pixel, or of each box.

    Hashes in uint32, with the finaliser of MurmurHash3, so that every engine makes the same.
    """
    seeds = _mixed(ops.cast(dice * 2.0**24, "uint32"))
    places = ops.cast(ops.arange(count), "uint32") * _constant(GOLDEN)
    hashes = _mixed(seeds + places[None])
    return ops.cast(ops.right_shift(hashes, _constant(8)), "float32") * 2.0**-24


def _mixed(values: Any) -> Any:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = ops.bitwise_xor(values, ops.right_shift(values, _constant(shift)))
        values = values * _constant(factor)
    return ops.bitwise_xor(values, ops.right_shift(values, _constant(16)))


def _constant(value: int) -> Any:
    return ops.convert_to_tensor(value, dtype="uint32")
