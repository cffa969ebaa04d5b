"""The bytes of an image, which may be a part of a larger file."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.images.files import ByteRange, image_bytes

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("start", "length", "signature", "expected"),
    [
        (2, 4, b"", b"2345"),
        (2, 4, b"23", b"2345"),
        (2, 4, b"34", b""),
        (2, 1, b"23", b""),
        (2, 0, b"", b""),
        (8, 4, b"89", b"89"),
    ],
)
def test_bytes_of_a_range_that_begin_with_a_signature(
    tmp_path: Path, start: int, length: int, signature: bytes, expected: bytes
) -> None:
    path = tmp_path / "some.record"
    path.write_bytes(b"0123456789")
    assert image_bytes(ByteRange(path, start, length), signature) == expected


def test_bytes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"0123456789")
    assert image_bytes(tmp_path / "a.jpg", b"01") == b"0123456789"
    assert image_bytes(tmp_path / "a.jpg", b"10") == b""
