"""Random numbers from given draws in [0, 1).

This package draws no random numbers itself. The host makes the draws from the seed and the step, so
a resumed run or another engine sees the same images.
"""

from __future__ import annotations

from typing import Any

from boxwright.backend import framework

ops: Any = framework.keras().ops

GOLDEN_RATIO = 0x9E3779B9  # 2^32 over the golden ratio: neighbors end up far from each other


def uniform(low: Any, high: Any, draw: Any) -> Any:
    """A draw in [0, 1) as a number from `low` to `high`."""
    return low + (high - low) * draw


def spread(draws: Any, count: int) -> Any:
    """`(B, count)` numbers in [0, 1) from `(B, 1)` draws, for example one for each pixel.

    They are uint32 hashes (the finalizer of MurmurHash3), so that every engine gets the same ones.
    """
    seeds = _hashed(ops.cast(draws * 2.0**24, "uint32"))
    offsets = ops.cast(ops.arange(count), "uint32") * _constant(GOLDEN_RATIO)
    hashes = _hashed(seeds + offsets[None])
    return ops.cast(ops.right_shift(hashes, _constant(8)), "float32") * 2.0**-24


def _hashed(values: Any) -> Any:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = ops.bitwise_xor(values, ops.right_shift(values, _constant(shift)))
        values = values * _constant(factor)
    return ops.bitwise_xor(values, ops.right_shift(values, _constant(16)))


def _constant(value: int) -> Any:
    return ops.convert_to_tensor(value, dtype="uint32")
