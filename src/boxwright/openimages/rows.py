"""Parse the rows of the official files, a block of text at a time, in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from boxwright.openimages.cells import image_starts
from boxwright.openimages.kinds import (
    BITS,
    CODE_LENGTH,
    FLAG_SHIFTS,
    FLAGS,
    SCALE,
    SIDE,
    SOURCE_SHIFT,
    UNKNOWN,
    Kind,
    Words,
)
from boxwright.openimages.rows_by_csv import read_by_csv
from boxwright.openimages.rows_by_position import read_by_position


@dataclass(frozen=True)
class Rows:
    """Rows of a list, in the order of the file.

    Attributes:
        images: `(k,)` ids of the images as numbers; an id is repeated if its rows are apart.
        starts: `(k,)` the first row of each image.
        codes: `(2, n)` class codes, the first 8 bytes and the others as numbers.
        packed: `(n,)` all numbers but the last, such as XMin, XMax and YMin, in 20 bits each.
        rest: `(n,)` the last number in 20 bits, up to five flags in two bits each, the source in
            two bits.
        unusable: the number of rows that cannot be used.
        refused: what the rows of these have whose ImageID is none, and their class codes.
    """

    images: Words
    starts: NDArray[np.int64]
    codes: Words
    packed: Words
    rest: NDArray[np.uint32]
    unusable: int
    refused: list[tuple[str, str]]


def parse_rows(text: bytes, columns: Sequence[int], kind: Kind) -> Rows:
    """Parse whole lines, which end with a line feed; `columns` as from `columns_of`."""
    cells, others = read_by_position(text, columns, kind)
    refused: list[tuple[str, str]] = []
    if count := int(np.count_nonzero(others)):
        lines = compress(text.split(b"\n"), others.tolist())
        read, refused = read_by_csv(lines, count, columns, kind)
        cells.put(others, read)
    digits, codes, packed, rest = cells.digits, cells.codes, cells.packed, cells.rest
    unusable = 0
    if not cells.usable.all():
        kept = np.flatnonzero(cells.usable)
        unusable = len(rest) - len(kept)
        digits, codes, packed, rest = digits[:, kept], codes[:, kept], packed[kept], rest[kept]
    starts = image_starts(digits)
    return Rows(_as_numbers(digits[:, starts]), starts, codes, packed, rest, unusable, refused)


def unpack(packed: Words, rest: NDArray[np.uint32]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Sides `(n, 4)` in the order of `SIDES`, and flags as from `flags_of`."""
    sides = [(packed >> np.uint64(BITS * i)) & np.uint64(SIDE) for i in range(3)]
    sides.append((rest & np.uint32(SIDE)).astype(np.uint64))
    return np.stack(sides, axis=1) / SCALE, flags_of(rest, FLAGS)


def flags_of(rest: NDArray[np.uint32], names: Iterable[str]) -> NDArray[np.int8]:
    """Flags of boxes `(n, k)` in the order of the names, -1 for unknown."""
    shifts = np.array([FLAG_SHIFTS[FLAGS.index(name)] for name in names], np.uint32)
    flags: NDArray[np.int8] = ((rest[:, None] >> shifts) & np.uint32(3)).astype(np.int8)
    flags[flags == UNKNOWN] = -1
    return flags


def confidences(rest: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The confidences `(n,)` of rows of `LABELS`."""
    values: NDArray[np.float64] = (rest & np.uint32(SIDE)) / SCALE
    return values


def sources(rest: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The positions of the sources of rows in `Kind.sources`."""
    return (rest >> np.uint32(SOURCE_SHIFT)).astype(np.int64)


def code_texts(codes: Words) -> list[str]:
    """The class codes of numbers, `(2, n)`."""
    cells = np.ascontiguousarray(codes.T).astype("<u8").view(f"S{CODE_LENGTH}")
    return [code.decode("utf-8", "replace") for code in cells.ravel().tolist()]


def code_words(code: str) -> Words:
    """A class code as numbers, `(2, 1)`."""
    return np.frombuffer(code.encode().ljust(CODE_LENGTH, b"\0"), "<u8", 2).reshape(2, 1)


def _as_numbers(digits: Words) -> Words:
    """Ids of 16 hexadecimal digits, `(2, k)`, as numbers `(k,)`."""
    cells = np.ascontiguousarray(digits.T).view(np.uint8)
    values = (cells & 15) + 9 * (cells >> 6)  # "a" is 0x61
    pairs = values[:, ::2] << 4 | values[:, 1::2]
    return np.ascontiguousarray(pairs).view(">u8").ravel().astype(np.uint64)
