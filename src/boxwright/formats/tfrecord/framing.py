"""The TFRecord container: records of bytes, each with its length and checksums.

A record is `uint64 length, uint32 crc(length), bytes data, uint32 crc(data)`, little-endian; crc is
CRC-32C, masked by a rotation and an offset so that a record may contain records (TensorFlow's
record_writer.h and crc32c.h).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import google_crc32c

HEAD = struct.Struct("<QI")
FOOT = struct.Struct("<I")
LARGEST = 2**31 - 1  # bytes; the limit of protocol buffers, and so of tf.train.Example
MASK = 0xA282EAD8


class Record(NamedTuple):
    """One record.

    Attributes:
        number: counted from 1.
        offset: its first byte in the file.
        data: its content, from byte `offset + HEAD.size` on.
        damage: the reason if it is damaged, otherwise empty.
    """

    number: int
    offset: int
    data: bytes
    damage: str = ""


def starts_record(head: bytes) -> bool:
    """True if a file begins with a record's length and its checksum."""
    return len(head) >= HEAD.size and _checksum(head[:8]) == HEAD.unpack_from(head)[1]


def read_records(file: BinaryIO) -> Iterator[Record]:
    """Yield the records of a file, one in memory at a time.

    Reading continues after a record with damaged data. If a length is damaged or too large, the
    next record cannot be found, so reading ends with that record.

    Raises:
        OSError: the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    number, offset = 0, 0
    file.seek(0)
    while offset < size:
        number += 1
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            yield Record(number, offset, b"", "the file ends within its length")
            return
        length = HEAD.unpack(head)[0]
        start = offset + HEAD.size
        left = size - start - FOOT.size
        if not starts_record(head):
            yield Record(number, offset, b"", "the checksum of its length is wrong")
            return
        if length > min(left, LARGEST):
            yield Record(
                number, offset, b"", f"it claims {length} bytes, but the file has {max(left, 0)}"
            )
            return
        data, foot = file.read(length), file.read(FOOT.size)
        if len(data) < length or len(foot) < FOOT.size:
            yield Record(number, offset, b"", "the file became shorter while it was read")
            return
        if FOOT.unpack(foot)[0] == _checksum(data):
            yield Record(number, offset, data)
        else:
            yield Record(number, offset, b"", "the checksum of its data is wrong")
        offset = start + length + FOOT.size


def write_record(file: BinaryIO, *parts: bytes) -> None:
    """Append a record whose data is the concatenated `parts`."""
    length = sum(map(len, parts)).to_bytes(8, "little")
    head, foot = FOOT.pack(_checksum(length)), FOOT.pack(_checksum(*parts))
    file.writelines((length, head, *parts, foot))


def _checksum(*parts: bytes) -> int:
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF
