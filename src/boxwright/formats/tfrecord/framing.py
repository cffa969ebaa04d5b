"""The TFRecord container: records of bytes, each between its length and checksums.

A record is `uint64 length, uint32 crc(length), bytes data, uint32 crc(data)`, little-endian; crc is
CRC-32C, rotated and shifted so that a record may hold records (TensorFlow's record_writer.h and
crc32c.h).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import google_crc32c

HEAD = struct.Struct("<QI")
FOOT = struct.Struct("<I")
LARGEST = 2**31 - 1  # bytes; protocol buffers, and so tf.train.Example, end there
MASK = 0xA282EAD8


class Record(NamedTuple):
    """One record.

    Attributes:
        number: counted from 1.
        offset: the byte of the file where it begins.
        data: what it holds, from byte `offset + HEAD.size` on.
        damage: why it cannot be used; empty if it can.
    """

    number: int
    offset: int
    data: bytes
    damage: str = ""


def starts_record(head: bytes) -> bool:
    """True if the first bytes of a file are a record's length and its checksum."""
    return len(head) >= HEAD.size and _checksum(head[:8]) == HEAD.unpack_from(head)[1]


def compression(head: bytes) -> str:
    """What the first bytes of a file say it is compressed with, "gzip" or "zlib"; "" if neither."""
    if head[:3] == b"\x1f\x8b\x08":
        return "gzip"
    whole = len(head) > 1 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0
    return "zlib" if whole and not starts_record(head) else ""  # RFC 1950, 2.2


def read_records(file: BinaryIO) -> Iterator[Record]:
    """The records of a file, one in memory at a time.

    A record whose data is damaged is passed over. Where a length is damaged, or claims more than
    there is, the next record cannot be found, so that damage is the last that comes.

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
    """Append a record whose data is `parts`, one after the other."""
    length = sum(map(len, parts)).to_bytes(8, "little")
    head, foot = FOOT.pack(_checksum(length)), FOOT.pack(_checksum(*parts))
    file.writelines((length, head, *parts, foot))


def _checksum(*parts: bytes) -> int:
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF
