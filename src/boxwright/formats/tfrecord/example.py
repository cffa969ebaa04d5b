"""Read and write tf.train.Example, a map of names to lists of values, without TensorFlow.

    Example { Features features = 1; }      Features { map<string, Feature> feature = 1; }
    Feature { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }, each { repeated value = 1; }

The wire format is that of protocol buffers: a field is a varint `number << 3 | type`, and then a
varint (type 0), 8 bytes (1), a varint length and that many bytes (2), or 4 bytes (5).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES = 0, 1, 2, 5
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3
SMALL = [bytes([n]) for n in range(128)]


class NoExampleError(ValueError):
    """The bytes are not a tf.train.Example."""


@dataclass(slots=True)
class Feature:
    """A list of numbers, or of byte strings as `(start, stop)` in the Example."""

    numbers: list[float] = field(default_factory=list)
    byte_ranges: list[tuple[int, int]] = field(default_factory=list)


NOTHING = Feature()


@dataclass(frozen=True, slots=True)
class Example:
    """The requested features of one serialized Example.

    Attributes:
        data: the Example.
        features: key -> a requested feature, which may be empty.
        others: key -> start and stop of each other feature in the data.
    """

    data: bytes = field(repr=False)
    features: dict[bytes, Feature]
    others: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def numbers(self, key: bytes) -> list[float]:
        """The numbers of a feature; empty if it is missing or not numeric."""
        return self.features.get(key, NOTHING).numbers

    def byte_ranges(self, key: bytes) -> list[tuple[int, int]]:
        """Start and stop of each byte string of a feature in the data."""
        return self.features.get(key, NOTHING).byte_ranges

    def texts(self, key: bytes) -> list[str]:
        """The byte strings of a feature as text: UTF-8, otherwise Latin-1 of old scripts."""
        return [_text(self.data[start:stop]) for start, stop in self.byte_ranges(key)]

    def other_keys(self) -> list[str]:
        """The keys of the other features that have values."""
        found = ((key, _feature(self.data, *part)) for key, part in self.others.items())
        return sorted(_text(key) for key, one in found if one.numbers or one.byte_ranges)


def parse_example(data: bytes, wanted: Collection[bytes]) -> Example:
    """Parse the `wanted` features of a serialized Example; the others are not decoded.

    Raises:
        NoExampleError: the bytes are not an Example, or are truncated.
    """
    features: dict[bytes, Feature] = {}
    others: dict[bytes, tuple[int, int]] = {}
    for start, stop in _messages(data, 0, len(data)):
        for entry, entry_stop in _messages(data, start, stop):
            key, value = b"", (entry, entry)
            for number, kind, begin, end in _fields(data, entry, entry_stop):
                if (number, kind) == (1, SIZED):
                    key = data[begin:end]
                elif (number, kind) == (2, SIZED):
                    value = begin, end
            if key in wanted:
                features[key] = _feature(data, *value)
            else:
                others[key] = value
    return Example(data, features, others)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _messages(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The embedded messages with field number 1."""
    for number, kind, begin, end in _fields(data, start, stop):
        if (number, kind) == (1, SIZED):
            yield begin, end


def _feature(data: bytes, start: int, stop: int) -> Feature:
    feature = Feature()
    for values, kind, begin, end in _fields(data, start, stop):
        if kind != SIZED:
            raise NoExampleError
        for number, kind_of_value, *byte_range in _fields(data, begin, end):
            if number != 1:
                continue
            if values == BYTES_LIST and kind_of_value == SIZED:
                feature.byte_ranges.append((byte_range[0], byte_range[1]))
            elif values == FLOAT_LIST and kind_of_value in {SIZED, FOUR_BYTES}:
                feature.numbers += _floats(data, *byte_range)
            elif values == INT64_LIST and kind_of_value in {SIZED, VARINT}:
                feature.numbers += _integers(data, *byte_range)
    return feature


def _floats(data: bytes, start: int, stop: int) -> tuple[float, ...]:
    count, rest = divmod(stop - start, 4)
    if rest:
        raise NoExampleError
    return struct.unpack_from(f"<{count}f", data, start)


def _integers(data: bytes, start: int, stop: int) -> Iterator[int]:
    while start < stop:
        value, start = _varint(data, start, stop)
        yield value - (1 << 64) if value >> 63 else value


def _fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the fields of a message: number, type, start and stop of the value."""
    while at < stop:
        tag, at = _varint(data, at, stop)
        kind, start = tag & 7, at
        if kind == SIZED:
            length, start = _varint(data, at, stop)
            at = start + length
        elif kind == VARINT:
            _, at = _varint(data, at, stop)
        elif kind in {FOUR_BYTES, EIGHT_BYTES}:
            at += 4 if kind == FOUR_BYTES else 8
        else:  # groups, which Examples never have
            raise NoExampleError
        if at > stop:
            raise NoExampleError
        yield tag >> 3, kind, start, at


def _varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """The varint of up to 64 bits at `at`, and its end."""
    value = shift = 0
    while at < stop and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise NoExampleError


def texts(key: bytes, values: Iterable[bytes]) -> bytes:
    """A part of an Example: a name and its byte strings."""
    feature = _sized(BYTES_LIST, b"".join([_sized(1, value) for value in values]))
    return _sized(1, _sized(1, key) + _sized(2, feature))


def text(key: bytes, value: bytes) -> bytes:
    """A part of an Example: a name and one byte string."""
    return head_of_entry(key, BYTES_LIST, len(value)) + value


def floats(key: bytes, values: NDArray[np.float32]) -> bytes:
    """A part of an Example: a name and its numbers, packed."""
    packed = values.astype("<f4", copy=False).tobytes()
    return head_of_entry(key, FLOAT_LIST, len(packed)) + packed


def integers(key: bytes, values: Iterable[int]) -> bytes:
    """A part of an Example: a name and its integers, packed."""
    packed = b"".join([_number(value & 0xFFFFFFFFFFFFFFFF) for value in values])
    return head_of_entry(key, INT64_LIST, len(packed)) + packed


def head_of_example(parts: bytes, key: bytes, length: int) -> bytes:
    """The start of a serialized Example: these parts, and the head of `length` bytes named `key`.

    The caller appends the bytes, so that an image is not copied into its Example.
    """
    parts += head_of_entry(key, BYTES_LIST, length)
    return _head(1, len(parts) + length) + parts


@lru_cache(4096)
def head_of_entry(key: bytes, values: int, length: int) -> bytes:
    """A name and the other bytes before a single byte string or packed numbers."""
    value = _head(1, length)
    of_list = _head(values, len(value) + length) + value
    entry = _sized(1, key) + _head(2, len(of_list) + length) + of_list
    return _head(1, len(entry) + length) + entry


def _sized(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _head(number: int, length: int) -> bytes:
    return SMALL[number << 3 | SIZED] + _number(length)


def _number(value: int) -> bytes:
    if value < 128:
        return SMALL[value]
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    groups.append(value)
    return bytes(groups)
