"""The TFRecord container: framing, checksums and damage."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.formats.tfrecord.framing import (
    Record,
    read_records,
    starts_record,
    write_record,
)
from boxwright.io.compressed import compression
from folders import packed_gzip

pytestmark = pytest.mark.tiny
# What TensorFlow 2.21's TFRecordWriter wrote for b"cat" and b"".
CAT = bytes.fromhex("0300000000000000 b099490e 636174 86fdd16f")
EMPTY = bytes.fromhex("0000000000000000 29039807 d8ea82a2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.record"


def records(path: Path, content: bytes) -> list[Record]:
    path.write_bytes(content)
    with path.open("rb") as file:
        return list(read_records(file))


def test_records_are_written_as_tensorflow_writes_them(path: Path) -> None:
    with path.open("wb") as file:
        write_record(file, b"cat")
        write_record(file, b"")
        write_record(file, b"c", b"a", b"t")
    assert path.read_bytes() == CAT + EMPTY + CAT


def test_records_are_numbered_and_placed(path: Path) -> None:
    assert records(path, CAT + EMPTY + CAT) == [
        Record(1, 0, b"cat"),
        Record(2, 19, b""),
        Record(3, 35, b"cat"),
    ]
    assert records(path, b"") == []


@pytest.mark.parametrize(
    ("content", "usable", "damage"),
    [
        (CAT + CAT[:7], 1, (2, 19, "the file ends within its length")),
        (CAT + CAT[:14], 1, (2, 19, "it claims 3 bytes, but the file has 0")),
        (CAT + CAT[:-1], 1, (2, 19, "it claims 3 bytes, but the file has 2")),
        (CAT[:2] + b"\1" + CAT[3:] + CAT, 0, (1, 0, "the checksum of its length is wrong")),
        (CAT[:12] + b"C" + CAT[13:] + CAT, 1, (1, 0, "the checksum of its data is wrong")),
        (CAT[:-1] + b"\0" + CAT, 1, (1, 0, "the checksum of its data is wrong")),
        (b"not a record at all", 0, (1, 0, "the checksum of its length is wrong")),
    ],
)
def test_damage_is_named_and_what_can_be_read_is(
    path: Path, content: bytes, usable: int, damage: tuple[int, int, str]
) -> None:
    found = records(path, content)
    assert sum(not record.damage for record in found) == usable
    assert [(one.number, one.offset, one.damage) for one in found if one.damage] == [damage]


@pytest.mark.parametrize("claimed", [100, 1 << 31, 1 << 40, (1 << 64) - 1])
def test_a_claim_of_more_than_there_is_takes_no_memory(path: Path, claimed: int) -> None:
    length = struct.pack("<Q", claimed)
    with path.open("wb") as file:
        write_record(file, length)  # so its last four bytes are the checksum of this length
    head = length + path.read_bytes()[-4:]
    tracemalloc.start()
    (record,) = records(path, head + bytes(50))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"claims {claimed} bytes" in record.damage
    assert peak < 1 << 20


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, data: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("records") / "some.record"
    with path.open("wb") as file:
        for one in data:
            write_record(file, one)
    assert [record.data for record in records(path, path.read_bytes())] == data


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (packed_gzip(CAT), "gzip"),
        *[(zlib.compress(CAT, level), "zlib") for level in (0, 1, 6, 9)],
        (CAT, ""),
        (b"x", ""),
        (b"", ""),
        (b"xyz", ""),
    ],
)
def test_compressed_files_are_known(content: bytes, expected: str) -> None:
    assert compression(content[:12]) == expected
    assert starts_record(content[:12]) == (content == CAT)
