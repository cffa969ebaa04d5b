"""The wire format of protocol buffers, read without a schema and without trust.

What a reader of protocol buffers could understand otherwise is refused, so that nothing can be
hidden from a check: groups, numbers longer than they may be, and lengths beyond the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from boxwright.safety.limits import DefectError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
LONGEST = 10  # bytes of a varint of 64 bits
LONGEST_32 = 5  # bytes of one of 32 bits, as tags and lengths are
MAX_FIELDS = 5_000_000  # of a file
MAX_PACKED = 64  # sides of a tensor


class WireError(DefectError):
    """The bytes are not a message; the text is a clause with the reason."""


class Reader:
    """Reads messages within a budget of fields for the whole file."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """The fields of a message: their numbers, and their values as integers or bytes.

        Raises:
            WireError: the message is damaged, or too long.
        """
        at = 0
        while at < len(message):
            self._left -= 1
            if self._left < 0:
                raise WireError(f"it has more than {MAX_FIELDS:,} fields")
            tag, at = _varint(message, at, LONGEST_32)
            kind, number = tag & 7, tag >> 3
            if not 0 < number < 1 << 29:
                raise WireError(f"it has a field number {number}")
            if kind == VARINT:
                value, at = _varint(message, at, LONGEST)
                yield number, value
                continue
            size = {FIXED64: 8, FIXED32: 4}.get(kind)
            if kind == BYTES:
                size, at = _varint(message, at, LONGEST_32)
            if size is None:
                raise WireError(f"it has a field of wire type {kind}")
            if size > len(message) - at:
                raise WireError("it is cut off")
            yield number, message[at : at + size]
            at += size

    def messages(self, message: memoryview, *path: int) -> Iterator[memoryview]:
        """The messages, texts or bytes at a path of field numbers, every repetition of each.

        Raises:
            WireError: a message on the path is damaged.
        """
        if not path:
            yield message
            return
        for number, value in self.fields(message):
            if number == path[0]:
                if isinstance(value, int):
                    raise WireError(f"its field {number} is a number")
                yield from self.messages(value, *path[1:])


def _varint(message: memoryview, at: int, longest: int) -> tuple[int, int]:
    """A number, and the position after it."""
    value = 0
    for i, byte in enumerate(message[at : at + longest]):
        value |= (byte & 127) << 7 * i
        if byte < 128:
            if value >= 1 << (32 if longest == LONGEST_32 else 64):
                break
            return value, at + i + 1
    raise WireError("it is cut off, or has a number that is too long")


def varints(message: memoryview) -> list[int]:
    """The numbers of a packed field."""
    at, found = 0, []
    while at < len(message):
        value, at = _varint(message, at, LONGEST)
        found.append(value)
        if len(found) > MAX_PACKED:
            raise WireError("a tensor has too many sides")
    return found
