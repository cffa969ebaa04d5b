"""Types and ranges of an architecture that was read from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from boxwright.safety.limits import MAX_CLASSES, TooLargeError, check_input

# Lowest and highest values of fields. A network of 8-bit quantization has 2 to 16 bits.
RANGES: dict[str, tuple[float, float]] = {
    "num_classes": (0, MAX_CLASSES),
    "depth_multiplier": (0.01, 4),
    "min_depth": (0, 1024),
    "max_depth": (0, 1024),
    "input_size": (1, math.inf),
    "maps": (2, 6),
    "min_level": (2, 5),
    "max_level": (5, 7),
    "depth": (1, 1024),
    "kernel": (1, 7),
    "layers": (0, 8),
    "dropout": (0, 1),
    "weights": (2, 16),
    "activations": (2, 16),
    "epsilon": (0, 1),
}
MAX_HEADS = 20_000  # classes times depth multiplier times the area of the heads' kernels
MAX_LISTED = 64  # numbers in a list, such as aspect ratios


def check_ranges(spec: Any) -> None:
    """Check the types and ranges of a spec's fields, and of the specs in it.

    Raises:
        TooLargeError: its network would be larger than any for a CPU.
        TypeError, ValueError: a field has another type, or is out of range.
    """
    for name, value, usual in _numbers(spec):
        if isinstance(value, bool) != isinstance(usual, bool) and usual is not None:
            raise TypeError(f"{name} is {value!r}")
        if isinstance(usual, int) and not isinstance(value, int):
            raise TypeError(f"{name} is not a whole number but {value!r}")
        low, high = RANGES.get(name, (-math.inf, math.inf))
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} is {value!r}")
    check_input([spec.input_size], "its network")
    kernel = spec.heads.kernel if hasattr(spec, "heads") else 1
    if spec.num_classes * spec.depth_multiplier * kernel**2 > MAX_HEADS:
        raise TooLargeError(f"its network has {spec.num_classes:,} classes")


def _numbers(spec: Any) -> Iterator[tuple[str, Any, Any]]:
    """The fields that are numbers, by name, and their defaults."""
    for each in fields(spec):
        value, usual = getattr(spec, each.name), each.default
        if is_dataclass(value):
            yield from _numbers(value)
        elif isinstance(value, list | tuple):
            if len(value) > MAX_LISTED:
                raise ValueError(f"{each.name} has {len(value):,} numbers")
            for number in _flat(value):
                yield each.name, number, 0.0
        elif isinstance(value, int | float):
            yield each.name, value, usual if isinstance(usual, int | float) else None
        elif isinstance(usual, int | float):
            raise TypeError(f"{each.name} is not a number but {value!r}")


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        elif isinstance(value, int | float):
            yield value
        else:
            raise TypeError(f"{value!r} is not a number")
