"""What a detector file may ask for, and the errors of files that ask for more or are damaged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

LARGEST_FILE = (1 << 31) - 1  # bytes; flatbuffers and protocol buffers end there too
LARGEST_TENSOR = 1 << 30  # bytes
LARGEST_NETWORK = 1 << 32  # bytes of all tensors together, most of which share memory
LARGEST_INPUT = 4096  # pixels a side
MAX_CLASSES = 100_000


class DefectError(ValueError):
    """The file is damaged; the text is a clause with the reason."""


class TooLargeError(DefectError):
    """The file asks for more than the limits."""


def read(path: Path) -> bytes:
    """The content of a file of at most 2 GB.

    Raises:
        TooLargeError: it is larger.
        OSError: it cannot be read.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise TooLargeError(f"it has more than {LARGEST_FILE:,} bytes")
    return path.read_bytes()


def tensor_bytes(shape: Iterable[int], bits: int, what: str) -> int:
    """The bytes of a tensor with items of `bits`; dimensions below 1 are unknown or empty.

    Raises:
        TooLargeError: there are more than `LARGEST_TENSOR`.
    """
    size = (math.prod(max(int(side), 1) for side in shape) * bits + 7) // 8
    if size > LARGEST_TENSOR:
        raise TooLargeError(f"{what} has {size:,} bytes, and {LARGEST_TENSOR:,} are the limit")
    return size


def check_input(shape: Iterable[int], what: str) -> None:
    """Raise TooLargeError if a side of the network's input has more than `LARGEST_INPUT` pixels."""
    largest = max(shape, default=0)
    if largest > LARGEST_INPUT:
        raise TooLargeError(f"{what} has {largest:,} pixels a side; the limit is {LARGEST_INPUT}")
