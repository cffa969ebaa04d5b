"""Lines of any form, one by one: with quotes, blanks and carriage returns, numbers of any form, and
columns in any order."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence

from boxwright.openimages.cells import Cells, nothing
from boxwright.openimages.kinds import (
    BITS,
    CODE_LENGTH,
    FLAG_SHIFTS,
    ID_LENGTH,
    SCALE,
    SOURCE_SHIFT,
    UNKNOWN,
    Kind,
)

ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
Refused = list[tuple[str, str]]


def read_by_csv(
    lines: Iterable[bytes], count: int, columns: Sequence[int], kind: Kind
) -> tuple[Cells, Refused]:
    """Read `count` lines; `columns` as from `columns_of`. Also returns what those lines have whose
    ImageID is none, and their class codes."""
    cells, refused = nothing(count), Refused()
    for place, line in enumerate(lines):
        row = _cells_of(line)
        if len(row) != columns[0]:
            continue
        image, source, code, *others = (row[column] for column in columns[1:])
        if not ID.fullmatch(image):
            refused.append((image, code))
            continue
        bytes_ = code.encode()
        numbers = [_millionths(cell) for cell in others[: len(kind.numbers)]]
        if not 0 < len(bytes_) <= CODE_LENGTH or None in numbers or _has_signs(row):
            continue
        *first, last = (number for number in numbers if number is not None)
        rest = last | kind.source_of(source) << SOURCE_SHIFT
        for shift, flag in zip(FLAG_SHIFTS, others[len(kind.numbers) :], strict=False):
            rest |= {"0": 0, "1": 1}.get(flag[:1], UNKNOWN) << shift
        cells.digits[:, place] = _words(image.encode())
        cells.codes[:, place] = _words(bytes_)
        cells.packed[place] = sum(number << BITS * i for i, number in enumerate(first))
        cells.rest[place] = rest
        cells.usable[place] = True
    return cells, refused


def _cells_of(line: bytes) -> list[str]:
    """The cells of a line without their blanks; none if it is no CSV."""
    try:
        text = line.decode("utf-8", "replace")
        return ["".join(cell.split()) for cell in next(csv.reader([text]), [])]
    except csv.Error:
        return []


def _has_signs(row: Sequence[str]) -> bool:
    """True if a cell has a quote, a comma or the like, which come before `-`."""
    return any(min(cell, default="-") < "-" for cell in row)


def _millionths(cell: str) -> int | None:
    """A number in whole millionths, limited to 0 and 1."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return round(min(max(number, 0.0), 1.0) * SCALE) if math.isfinite(number) else None


def _words(cell: bytes) -> tuple[int, int]:
    """The first 16 bytes of a cell as numbers."""
    cell = cell.ljust(16, b"\0")
    return int.from_bytes(cell[:8], "little"), int.from_bytes(cell[8:16], "little")
