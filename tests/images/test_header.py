"""The first bytes of photos: what they say must be what Pillow says."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright.images.header import jpeg_header, kind_of

pytestmark = pytest.mark.tiny
PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def saved(kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int, order: str = "<") -> bytes:
    """EXIF with the orientation as its second entry, in Intel's (<) or Motorola's (>) order."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHIHH", 0x0106, 3, 1, 2, 0)
    entries += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + start + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize(
    "kind", ["jpeg", "png", "gif", "bmp", "tiff", "webp"], ids=lambda kind: kind
)
def test_every_kind_is_known_by_its_first_bytes(kind: str) -> None:
    assert kind_of(saved(kind.upper())[:16]) == kind
    assert kind_of(b"") == kind_of(b"RIFF\0\0\0\0WAVE") == kind_of(b"raw bytes") == ""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_size_and_orientation_of_jpegs(orientation: int, order: str) -> None:
    assert jpeg_header(saved(exif=exif(orientation, order))) == (40, 30, orientation, 3, False)


@pytest.mark.parametrize(
    ("options", "colors", "progressive"),
    [
        ({}, 3, False),
        ({"mode": "L"}, 1, False),
        ({"progressive": True}, 3, True),
        ({"icc_profile": bytes(3000)}, 3, False),
        ({"comment": b"a remark"}, 3, False),
        ({"restart_marker_blocks": 2}, 3, False),
    ],
)
def test_ordinary_jpegs(options: dict[str, Any], colors: int, progressive: bool) -> None:
    assert jpeg_header(saved(**options)) == (40, 30, 1, colors, progressive)


TURNED = saved(exif=exif(6))  # its EXIF lies in bytes 20 to 68
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved("PNG"), id="a PNG"),
        pytest.param(saved(mode="CMYK"), id="CMYK"),
        pytest.param(saved(xmp=XMP), id="XMP"),
        pytest.param(
            saved("MPO", save_all=True, append_images=[Image.fromarray(PIXELS)]),
            id="several pictures",
        ),
        pytest.param(saved(exif=exif(9)), id="an orientation that there is not"),
        pytest.param(saved(exif=exif(6)[:-20]), id="EXIF cut off"),
        pytest.param(saved(exif=b"Exif\0\0nonsense"), id="EXIF of nonsense"),
        pytest.param(TURNED[:68] + TURNED[20:], id="EXIF twice"),
        pytest.param(saved()[:100], id="cut off"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_plain_to_see_is_left_to_pillow(content: bytes) -> None:
    assert jpeg_header(content) is None


@settings(max_examples=500)
@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=3))))
def test_damage_never_makes_it_say_something_else(
    orientation: int, changes: list[tuple[int, bytes]]
) -> None:
    content = saved(exif=exif(orientation))
    for at, put in changes:
        content = content[:at] + put + content[at + len(put) :]
    found = jpeg_header(content)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            expected = (*picture.size, picture.getexif().get(0x0112, 1))
    except Exception:  # whatever Pillow makes of damage
        return
    assert found is None or found[:3] == expected
