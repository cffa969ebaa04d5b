"""Flatbuffers, read without trust: every offset, table and vector stays inside the bytes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.safety.limits import DefectError

MAX_STEPS = 2_000_000  # tables and fields read in one file
NUMBERS = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}  # bytes


class Table:
    """A table whose own bytes and those of its layout are known to be inside the file."""

    def __init__(self, file: Flatbuffer, at: int) -> None:
        file.count(1)
        self._file, self._at = file, at
        layout = at - file.number("i", at)
        size, self._length = file.number("H", layout), file.number("H", layout + 2)
        if size < 4 or size % 2 or self._length < 4:
            raise DefectError("a table's layout is damaged")
        file.within(layout, size)
        file.within(at, self._length)
        self._slots: tuple[int, ...] = struct.unpack_from(
            f"<{size // 2 - 2}H", file.content, layout + 4
        )
        if any(0 < offset < 4 or offset >= self._length for offset in self._slots):
            raise DefectError("a table's field is outside of it")

    def place(self, slot: int, size: int) -> int | None:
        """The position of a field of `size` bytes; None if the table lacks it."""
        offset = self._slots[slot] if slot < len(self._slots) else 0
        if not offset:
            return None
        if offset + size > self._length:
            raise DefectError("a table's field is outside of it")
        return self._at + offset

    def number(self, slot: int, code: str, default: int = 0) -> int:
        """A number, with a code of `struct`."""
        at = self.place(slot, NUMBERS[code])
        return default if at is None else int(self._file.number(code, at))

    def target(self, slot: int) -> int | None:
        """The position that an offset points to; None if the table lacks it."""
        at = self.place(slot, 4)
        return None if at is None else at + self._file.number("I", at)

    def table(self, slot: int) -> Table | None:
        """The table in a field."""
        at = self.target(slot)
        return None if at is None else Table(self._file, at)

    def tables(self, slot: int) -> list[Table]:
        """The tables of a vector; empty if there is none."""
        at = self.target(slot)
        if at is None:
            return []
        offsets = self._file.vector(at, "I")
        self._file.count(len(offsets))
        return [Table(self._file, at + 4 + 4 * i + int(to)) for i, to in enumerate(offsets)]

    def vector(self, slot: int, code: str) -> NDArray[Any]:
        """The numbers of a vector; empty if there is none."""
        at = self.target(slot)
        return np.zeros(0, code) if at is None else self._file.vector(at, code)

    def text(self, slot: int) -> str:
        """A text; empty if there is none."""
        at = self.target(slot)
        if at is None:
            return ""
        content = self._file.vector(at, "B")
        self._file.within(at + 4 + len(content), 1)  # a zero ends it
        if self._file.content[at + 4 + len(content)]:
            raise DefectError("a text is damaged")
        try:
            return content.tobytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise DefectError("a text is not UTF-8") from error


class Flatbuffer:
    """The bytes of a file; they may go on behind the flatbuffer."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._left = MAX_STEPS

    def root(self) -> Table:
        """The outermost table."""
        return Table(self, self.number("I", 0))

    def count(self, steps: int) -> None:
        """Raise DefectError if the file has more tables than any network."""
        self._left -= steps
        if self._left < 0:
            raise DefectError(f"it has more than {MAX_STEPS:,} tables")

    def within(self, at: int, size: int) -> None:
        """Raise DefectError if bytes are outside of the file."""
        if at < 0 or at + size > len(self.content):
            raise DefectError("it points beyond its end")

    def number(self, code: str, at: int) -> int:
        """The number at a position."""
        self.within(at, NUMBERS[code])
        return int(struct.unpack_from(f"<{code}", self.content, at)[0])

    def vector(self, at: int, code: str) -> NDArray[Any]:
        """The numbers of the vector at a position, not copied."""
        count = self.number("I", at)
        self.within(at + 4, count * NUMBERS[code])
        return np.frombuffer(self.content, f"<{code}", count, at + 4)
