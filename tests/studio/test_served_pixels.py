"""The pixels that a browser gets are those that the boxes are about."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.studio.pixels import etag_of, pixels

SMOOTH = np.linspace(0, 255, 60 * 40).reshape(40, 60).astype(np.uint8)
COLORS = np.stack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]], axis=-1)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'  # noqa: E501


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def deep(path: Path) -> None:
    Image.fromarray(SMOOTH.astype(np.uint16) * 257).save(path)


def saved(mode: str = "RGB", **options: Any) -> Any:
    return lambda path: Image.fromarray(COLORS).convert(mode).save(path, **options)


AS_THEY_ARE = {
    "plain.jpg": saved(),
    "gray.jpg": saved("L"),
    "progressive.jpg": saved(progressive=True),
    **{f"turned-{i}.jpg": saved(exif=exif(i)) for i in range(1, 9)},
    "xmp of no orientation.jpg": saved(xmp=XMP.replace(b"6", b"1")),
}
RENDERED = {
    "turned by XMP.jpg": saved(xmp=XMP),
    "cmyk.jpg": saved("CMYK"),
    "sixteen bits.png": deep,
    "sixteen bits.tif": deep,
    "plain.tif": saved(),
    "turned.tif": saved(exif=exif(6)),
    "turned.png": saved(exif=exif(6)),
    "turned.webp": saved(exif=exif(8), lossless=True),
    "transparent.png": saved("RGBA"),
    "palette.gif": saved("P"),
    "plain.bmp": saved(),
}


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_a_file_that_every_browser_shows_is_sent_as_it_is(name: str, tmp_path: Path) -> None:
    AS_THEY_ARE[name](tmp_path / name)
    assert pixels(tmp_path / name).file == tmp_path / name


@pytest.mark.parametrize("name", RENDERED)
def test_any_other_file_is_rendered_as_it_is_decoded(name: str, tmp_path: Path) -> None:
    RENDERED[name](tmp_path / name)
    sent = pixels(tmp_path / name)
    assert sent.file is None
    with Image.open(io.BytesIO(sent.jpeg)) as picture:
        assert not picture.getexif()
        shown = np.asarray(picture.convert("RGB")).astype(int)
    expected = read_image(tmp_path / name)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).mean() < 3


@pytest.mark.parametrize(("side", "size"), [(64, (64, 43)), (1, (64, 43)), (100, (100, 67))])
def test_a_thumbnail_has_the_side_that_was_asked_for(
    side: int, size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(COLORS).resize((600, 400)).save(path, exif=exif(1))
    with Image.open(io.BytesIO(pixels(path, side).jpeg)) as picture:
        assert picture.size == size


@pytest.mark.parametrize(
    ("content", "code"), [(None, "BW101"), (b"", "BW102"), (b"GIF89a", "BW102"), (b"8BPS", "BW167")]
)
def test_a_file_that_cannot_be_shown(content: bytes | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as error:
        pixels(path)
    assert error.value.code == code


def test_the_etag_is_that_of_the_file_and_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    first = etag_of(path)
    assert etag_of(path) == first != etag_of(path, 64)
    path.write_bytes(b"other")
    assert etag_of(path) != first
